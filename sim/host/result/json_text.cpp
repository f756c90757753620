// SPDX-License-Identifier: Apache-2.0
#include "host/result/json_text.h"

#include <algorithm>

namespace tokencycle::host {

namespace {

using Json = nlohmann::ordered_json;

bool on_one_line(const Json& value) {
  return std::all_of(value.begin(), value.end(),
                     [](const Json& v) { return v.is_number() || v.is_null() || v.is_boolean(); });
}

// A file's name, which is in a result, may be no UTF-8.
std::string scalar_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A text that goes to its sink whenever it has become long.
class Text {
 public:
  explicit Text(const TextSink& sink) : sink_(sink) {}
  void add(std::string_view part) {
    text_ += part;
    if (text_.size() >= kLong) flush();
  }
  void add_line(bool first, std::size_t indentation) {
    add(first ? "\n" : ",\n");
    add(std::string(indentation, ' '));
  }
  void flush() {
    sink_(text_);
    text_.clear();
  }

 private:
  static constexpr std::size_t kLong = std::size_t{1} << 16;
  const TextSink& sink_;
  std::string text_;
};

void add_scalar_members(Text& text, const Json& value) {
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    if (!first) text.add(value.is_array() ? "," : ", ");
    first = false;
    if (value.is_object()) text.add(Json(key).dump() + ": ");
    text.add(scalar_text(member));
  }
}

void add(Text& text, const Json& value, std::size_t indentation);

void add_late(Text& text, const LateArray& late, std::size_t indentation) {
  text.add("[");
  for (std::size_t i = 0; i < late.size; ++i) {
    text.add_line(i == 0, indentation + 2);
    add(text, late.element(i), indentation + 2);
  }
  if (late.size != 0) text.add("\n" + std::string(indentation, ' '));
  text.add("]");
}

void add_members(Text& text, const Json& value, const LateArray& late, std::size_t indentation) {
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    text.add_line(first, indentation + 2);
    first = false;
    if (value.is_object()) text.add(Json(key).dump() + ": ");
    if (value.is_object() && key == late.name) {
      add_late(text, late, indentation + 2);
    } else {
      add(text, member, indentation + 2);
    }
  }
  text.add("\n" + std::string(indentation, ' '));
}

void add(Text& text, const Json& value, std::size_t indentation) {
  if (!value.is_structured()) return text.add(scalar_text(value));
  text.add(value.is_array() ? "[" : "{");
  if (on_one_line(value)) {
    add_scalar_members(text, value);
  } else {
    add_members(text, value, {}, indentation);
  }
  text.add(value.is_array() ? "]" : "}");
}

}  // namespace

std::string json_text(const Json& document) {
  std::string whole;
  const TextSink sink = [&whole](std::string_view part) { whole += part; };
  Text text(sink);
  add(text, document, 0);
  text.add("\n");
  text.flush();
  return whole;
}

void write_json(const Json& document, const LateArray& late, const TextSink& sink) {
  Text text(sink);
  text.add("{");
  add_members(text, document, late, 0);
  text.add("}\n");
  text.flush();
}

std::string replace_invalid(const std::string& text) {
  const nlohmann::json wrapped = text;
  return nlohmann::json::parse(wrapped.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace tokencycle::host
