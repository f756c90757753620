// SPDX-License-Identifier: Apache-2.0
#include "config/dram/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted_list(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view n : names) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", n);
  return list;
}

std::string with_unit(std::string text, std::string_view unit) {
  return unit.empty() ? text : fmt::format("{} {}", text, unit);
}

std::string text_of(const WholeRange& r) {
  return with_unit(fmt::format("an integer {} .. {}{}", r.min, r.max, r.power_of_two ? ", power of two" : ""),
                   r.unit);
}

// -1, 1.5, 1e30 and "8" are none.
std::optional<std::uint64_t> whole_of(const Json& value) {
  if (!value.is_number_unsigned()) return {};
  return value.get<std::uint64_t>();
}

}  // namespace

std::string shown_json(const Json& value) {
  return shortened(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

std::string suggest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kLongestName = 64;
  if (word.size() <= kLongestName) {
    const std::string near = nearest(word, known);
    if (!near.empty()) return fmt::format("did you mean \"{}\"?", near);
  }
  if (known.empty()) return "nothing is known here";
  return fmt::format("known here: {}", fmt::join(known, ", "));
}

JsonObject::JsonObject(const Json* value, std::string path, Violations& violations)
    : value_(value), path_(std::move(path)), violations_(&violations) {
  if (value_ == nullptr || value_->is_object()) return;
  violations_->add(
      path_, fmt::format("{} is of type {}; allowed: an object", shown_json(*value_), value_->type_name()));
  value_ = nullptr;
}

std::string JsonObject::path_of(std::string_view name) const {
  return path_ + '/' + pointer_token(std::string(name));
}

bool JsonObject::has(std::string_view name) const {
  return value_ != nullptr && value_->contains(name);
}

void JsonObject::complain(std::string_view name, const std::string& what) const {
  violations_->add(path_of(name), what);
}

const Json* JsonObject::take(const std::string& name, const std::string& allowed, Need need) {
  asked_.push_back(name);
  if (value_ == nullptr) return nullptr;
  const auto member = value_->find(name);
  if (member != value_->end()) return &*member;
  if (need == Need::required) complain(name, fmt::format("missing; add \"{}\": {}", name, allowed));
  return nullptr;
}

std::optional<std::uint64_t> JsonObject::take_whole(const std::string& name, const WholeRange& range,
                                                    Need need) {
  const std::string allowed = text_of(range);
  const Json* value = take(name, allowed, need);
  if (value == nullptr) return {};
  const auto n = whole_of(*value);
  if (n && *n >= range.min && *n <= range.max && (!range.power_of_two || std::has_single_bit(*n))) return n;
  complain(name, fmt::format("{} is not allowed; allowed: {}", shown_json(*value), allowed));
  return {};
}

std::optional<double> JsonObject::take_real(const std::string& name, const RealRange& range, Need need) {
  const std::string allowed = with_unit(fmt::format("a number {} .. {}", range.min, range.max), range.unit);
  const Json* value = take(name, allowed, need);
  if (value == nullptr) return {};
  if (value->is_number()) {
    const double v = value->get<double>();
    if (std::isfinite(v) && v >= range.min && v <= range.max) return v;
  }
  complain(name, fmt::format("{} is not allowed; allowed: {}", shown_json(*value), allowed));
  return {};
}

std::optional<std::string> JsonObject::take_text(const std::string& name, std::size_t longest, Need need) {
  const std::string allowed = fmt::format("a string of 1 .. {} bytes, without control characters", longest);
  const Json* value = take(name, allowed, need);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const auto& s = value->get_ref<const std::string&>();
    if (!s.empty() && s.size() <= longest && !has_control_character(s)) return s;
  }
  complain(name, fmt::format("{} is not allowed; allowed: {}", shown_json(*value), allowed));
  return {};
}

std::optional<bool> JsonObject::take_boolean(const std::string& name, Need need) {
  const Json* value = take(name, "true or false", need);
  if (value == nullptr) return {};
  if (value->is_boolean()) return value->get<bool>();
  complain(name, fmt::format("{} is not allowed; allowed: true or false", shown_json(*value)));
  return {};
}

std::optional<std::size_t> JsonObject::take_choice(const std::string& name,
                                                   std::span<const std::string_view> choices, Need need) {
  const Json* value = take(name, quoted_list(choices), need);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const auto found = std::find(choices.begin(), choices.end(), value->get_ref<const std::string&>());
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  }
  complain(name, fmt::format("{} is not allowed; allowed: {}", shown_json(*value), quoted_list(choices)));
  return {};
}

JsonObject JsonObject::take_object(const std::string& name, Need need) {
  return {take(name, "an object", need), path_of(name), *violations_};
}

std::vector<const Json*> JsonObject::take_array(const std::string& name, std::size_t longest, Need need) {
  const std::string allowed = fmt::format("an array of 1 .. {} values", longest);
  const Json* value = take(name, allowed, need);
  if (value == nullptr) return {};
  std::vector<const Json*> elements;
  if (value->is_array() && !value->empty() && value->size() <= longest) {
    for (const Json& e : *value) elements.push_back(&e);
    return elements;
  }
  complain(name, fmt::format("{} is not allowed; allowed: {}", shown_json(*value), allowed));
  return {};
}

std::vector<std::string> JsonObject::take_names() {
  std::vector<std::string> names;
  if (value_ == nullptr) return names;
  for (const auto& [name, value] : value_->items()) names.push_back(name);
  all_asked_ = true;
  if (names.size() <= kMostNames) return names;
  violations_->add(path_, fmt::format("{} members; allowed: at most {}", names.size(), kMostNames));
  names.resize(kMostNames);
  return names;
}

void JsonObject::finish() const {
  if (value_ == nullptr || all_asked_) return;
  for (const auto& [name, value] : value_->items()) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    complain(name, "unknown key; " + suggest(name, asked_) + " Otherwise remove it");
  }
}

std::string json_digest(const Json& value) {
  const std::string text = value.dump();
  return digest_of(std::as_bytes(std::span(text)));
}

std::string read_dram_text(const std::filesystem::path& path) {
  return read_description(path, "a DRAM preset or system", "configs/dram/");
}

}  // namespace tokencycle::config
