// SPDX-License-Identifier: Apache-2.0
#include "explore/result/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/read_file.h"
#include "base/text.h"
#include "config/violations.h"

namespace tokencycle::explore {

using Json = nlohmann::ordered_json;

namespace {

[[noreturn]] void refuse(const std::string& source, const std::string& why) {
  throw IoError(fmt::format("{}: {}; give a result that `tokencycle run --result FILE` wrote", source, why));
}

// "line L, column C" of the byte at `offset`, both from 1.
std::string place(const std::string& text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  const auto line = std::find(std::make_reverse_iterator(end), text.rend(), '\n').base();
  return fmt::format("line {}, column {}", 1 + std::count(text.begin(), end, '\n'), 1 + (end - line));
}

// Watches the parser: what is refused here ends it at once.
class Watch {
 public:
  explicit Watch(const std::string& source) : source_(source) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (depth >= kMostResultDepth && (event == Event::object_start || event == Event::array_start)) {
      refuse(source_, fmt::format("objects and lists are nested deeper than {}", kMostResultDepth));
    }
    if (event == Event::object_start) seen_.emplace_back();
    if (event == Event::object_end) seen_.pop_back();
    if (event == Event::key) add_key(value.get_ref<const std::string&>());
    return true;
  }

 private:
  void add_key(const std::string& key) {
    if (!seen_.back().insert(key).second) {
      refuse(source_, fmt::format("the key \"{}\" is given twice in one object",
                                  config::escaped(config::shortened(key))));
    }
    if (seen_.back().size() > kMostResultKeys) {
      refuse(source_, fmt::format("an object has more than {} keys", kMostResultKeys));
    }
  }

  const std::string& source_;
  std::vector<std::set<std::string>> seen_;  // keys of the objects that are open
};

}  // namespace

Json parse_result_text(const std::string& text, const std::string& source) {
  if (text.size() > kMostResultBytes) {
    refuse(source,
           fmt::format("more than {}, the most that a result may have", bytes_text(kMostResultBytes)));
  }
  Watch watch(source);
  try {
    return Json::parse(
        text, [&](int depth, Json::parse_event_t event, Json& value) { return watch(depth, event, value); });
  } catch (const Json::parse_error& error) {
    refuse(source, fmt::format("this is not JSON ({})", place(text, error.byte == 0 ? 0 : error.byte - 1)));
  } catch (const Json::out_of_range&) {
    refuse(source, "a number in it is beyond the range of numbers");
  }
}

Json read_result_text(const std::filesystem::path& path) {
  const std::string text =
      read_file(path, kMostResultBytes, "give a result that `tokencycle run --result FILE` wrote");
  return parse_result_text(text, shown_name(path));
}

}  // namespace tokencycle::explore
