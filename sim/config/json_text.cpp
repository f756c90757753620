// SPDX-License-Identifier: Apache-2.0
#include "config/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_kind.h"
#include "base/read_file.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

// "line:column", both from 1, of the byte at `offset`.
std::string line_and_column(const std::string& text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  const auto line_start = std::find(std::make_reverse_iterator(end), text.rend(), '\n').base();
  return fmt::format("{}:{}", 1 + std::count(text.begin(), end, '\n'), 1 + (end - line_start));
}

// The library's explanation without its own prefix and position. It quotes what it read last, which may be
// long or ill-formed; the end matters most.
std::string explanation(const std::string& what) {
  constexpr std::size_t kHead = 120, kTail = 120;
  const std::size_t position = what.find(", column ");
  const std::size_t start = position == std::string::npos ? what.find("] ") : what.find(": ", position);
  std::string text = start == std::string::npos ? what : what.substr(start + 2);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  if (text.size() <= kHead + kTail) return text;
  return text.substr(0, kHead) + " ... " + text.substr(text.size() - kTail);
}

// Builds the tree from the parser's events; the library's own builder would let a later duplicate win.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(const std::string& text, Violations& violations) : text_(text), violations_(violations) {}

  bool null() override { return put(Json(nullptr)); }
  bool boolean(bool v) override { return put(Json(v)); }
  bool number_integer(number_integer_t v) override { return put(Json(v)); }
  bool number_unsigned(number_unsigned_t v) override { return put(Json(v)); }
  bool number_float(number_float_t v, const string_t&) override { return put(Json(v)); }
  bool string(string_t& v) override { return put(Json(std::move(v))); }
  bool binary(binary_t&) override { return false; }  // not in JSON text

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& k) override {
    Frame& top = stack_.back();
    top.key = k;
    top.duplicate = !top.seen.insert(k).second;
    if (top.duplicate) violations_.add(path(), "this key is given twice; keep one of the two");
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& e) override {
    if (const std::string_view kind = kind_by_beginning(text_); !kind.empty()) {
      throw ConfigurationError(fmt::format("{}: this is not JSON but {}", violations_.source(), kind));
    }
    // `position` counts the bytes read, the offending one included.
    throw ConfigurationError(fmt::format("{}:{}: this is not JSON: {}", violations_.source(),
                                         line_and_column(text_, position == 0 ? 0 : position - 1),
                                         explanation(e.what())));
  }

  Json take() { return std::move(root_); }

 private:
  struct Frame {
    Json value;
    std::string key;  // of the member being read
    bool duplicate = false;
    std::set<std::string> seen;
  };

  bool open(Json container) {
    if (stack_.size() == kMaxDepth) {
      violations_.add(path(),
                      fmt::format("objects nested deeper than {}; a machine description needs no more "
                                  "than 4 levels",
                                  kMaxDepth));
      violations_.throw_if_any();
    }
    stack_.push_back({std::move(container), {}, false, {}});
    return true;
  }

  bool close() {
    Json value = std::move(stack_.back().value);
    stack_.pop_back();
    return put(std::move(value));
  }

  bool put(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (Frame& top = stack_.back(); top.value.is_array()) {
      top.value.push_back(std::move(value));
    } else if (!top.duplicate) {
      // Appended directly: the key is known to be new, and a search would make long objects quadratic.
      top.value.get_ref<Json::object_t&>().Container::emplace_back(top.key, std::move(value));
    }
    return true;
  }

  std::string path() const {
    std::string p;
    for (const Frame& f : stack_) {
      p += '/' + (f.value.is_array() ? std::to_string(f.value.size()) : pointer_token(f.key));
    }
    return p;
  }

  using Container = Json::object_t::Container;
  const std::string& text_;
  Violations& violations_;
  std::vector<Frame> stack_;
  Json root_;
};

}  // namespace

nlohmann::ordered_json parse_text(const std::string& text, Violations& violations) {
  if (text.size() > kMaxTextBytes) {
    throw ConfigurationError(
        fmt::format("{}: {} bytes are more than a machine description may have ({}); "
                    "is this the right file?",
                    violations.source(), text.size(), kMaxTextBytes));
  }
  TreeBuilder builder(text, violations);
  Json::sax_parse(text, &builder);
  return builder.take();
}

std::string pointer_token(const std::string& key) {
  std::string token;
  for (const char c : escaped(shortened(key))) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string read_description(const std::filesystem::path& path, const std::string& what,
                             const std::string& folder) {
  std::string text =
      read_file(path, kMaxTextBytes, fmt::format("give {} (the folder {} has some)", what, folder));
  if (text.size() > kMaxTextBytes) {
    throw ConfigurationError(fmt::format("{}: longer than {} may be ({} bytes); is this the right file?",
                                         shown_name(path), what, kMaxTextBytes));
  }
  return text;
}

bool has_control_character(const std::string& s) {
  return std::any_of(s.begin(), s.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace tokencycle::config
