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

void append_scalar_members(std::string& text, const Json& value) {
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    if (!first) text += value.is_array() ? "," : ", ";
    first = false;
    if (value.is_object()) text += Json(key).dump() + ": ";
    text += scalar_text(member);
  }
}

void append(std::string& text, const Json& value, std::size_t indentation) {
  if (!value.is_structured()) {
    text += scalar_text(value);
    return;
  }
  text += value.is_array() ? '[' : '{';
  if (on_one_line(value)) {
    append_scalar_members(text, value);
  } else {
    bool first = true;
    for (const auto& [key, member] : value.items()) {
      text += first ? "\n" : ",\n";
      first = false;
      text.append(indentation + 2, ' ');
      if (value.is_object()) text += Json(key).dump() + ": ";
      append(text, member, indentation + 2);
    }
    text += '\n';
    text.append(indentation, ' ');
  }
  text += value.is_array() ? ']' : '}';
}

}  // namespace

std::string json_text(const Json& document) {
  std::string text;
  append(text, document, 0);
  return text + '\n';
}

std::string replace_invalid(const std::string& text) {
  const nlohmann::json wrapped = text;
  return nlohmann::json::parse(wrapped.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace tokencycle::host
