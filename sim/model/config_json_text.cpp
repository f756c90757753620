// SPDX-License-Identifier: Apache-2.0
#include "model/config_json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>

#include "base/error.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 1 << 20;  // real ones have a few KiB
constexpr int kMaxConfigDepth = 16;               // real ones have 3 levels

// Parses with a bound on nesting and without silently dropping the first of two equal keys.
Json parse(const std::string& file, const std::vector<std::byte>& bytes) {
  std::vector<std::set<std::string>> seen;  // keys of each open object
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxConfigDepth) {
      throw ModelError(fmt::format("{}: nested deeper than {} levels; is this a model's config.json?", file,
                                   kMaxConfigDepth));
    }
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(value.get<std::string>()).second) {
      throw ModelError(fmt::format("{}: key {} is given twice; keep one of the two", file,
                                   in_quotes(value.get<std::string>())));
    }
    return true;
  };
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  try {
    return Json::parse(text, text + bytes.size(), watch);
  } catch (const Json::parse_error& error) {
    throw ModelError(fmt::format("{}: byte {}: this is not JSON; give a model's config.json or a GGUF file",
                                 file, error.byte));
  } catch (const Json::out_of_range&) {
    throw ModelError(fmt::format("{}: a number in it is beyond binary64; fix the file", file));
  }
}

std::string shown(const Json& value) {
  constexpr std::size_t kShown = 60;
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

}  // namespace

std::vector<std::byte> read_config_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(path)) {
    throw IoError(fmt::format("{}: cannot be read; give the path of a model's config.json", path.string()));
  }
  std::string text(kMaxConfigBytes + 1, '\0');  // one byte more shows that there are too many
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw IoError(fmt::format("{}: cannot be read", path.string()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxConfigBytes) {
    throw ModelError(fmt::format("{}: longer than a config.json may be ({} bytes); is this the right file?",
                                 path.string(), kMaxConfigBytes));
  }
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

ConfigObject::ConfigObject(std::string file, std::string path, Json value)
    : file_(std::move(file)),
      path_(std::move(path)),
      value_(std::move(value)),
      read_(std::make_shared<std::set<std::string, std::less<>>>()) {}

ConfigObject::ConfigObject(const std::filesystem::path& path, const std::vector<std::byte>& text)
    : ConfigObject(path.string(), "", parse(path.string(), text)) {
  if (!value_.is_object()) {
    throw ModelError(
        fmt::format("{}: holds {} and no JSON object; give a model's config.json", file_, shown(value_)));
  }
}

const ConfigObject::Json* ConfigObject::find(std::string_view key) const {
  read_->emplace(key);
  const auto at = value_.find(key);
  return at == value_.end() || at->is_null() ? nullptr : &*at;
}

bool ConfigObject::has(std::string_view key) const {
  return find(key) != nullptr;
}

void ConfigObject::fail(std::string_view key, const std::string& message) const {
  const Json* value = find(key);
  throw ModelError(fmt::format("{}: {}/{} is {}: {}", file_, path_, key,
                               value == nullptr ? "missing" : shown(*value), message));
}

std::optional<ConfigObject> ConfigObject::object(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) fail(key, "it must be an object or null; fix the file");
  return ConfigObject(file_, fmt::format("{}/{}", path_, key), *value);
}

std::optional<std::uint32_t> ConfigObject::get_size(std::string_view key, std::uint32_t limit) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool whole = value->is_number_unsigned();
  if (!whole || value->get<std::uint64_t>() < 1 || value->get<std::uint64_t>() > limit) {
    fail(key, fmt::format("it must be a whole number, 1 .. {}; fix the file", limit));
  }
  return value->get<std::uint32_t>();
}

std::optional<std::uint32_t> ConfigObject::get_count(std::string_view key, std::uint32_t limit) const {
  const Json* value = find(key);
  if (value != nullptr && *value == 0) return 0;
  return get_size(key, limit);
}

std::uint32_t ConfigObject::size(std::string_view key, std::uint32_t limit) const {
  const std::optional<std::uint32_t> value = get_size(key, limit);
  if (!value) fail(key, fmt::format("needed is a whole number, 1 .. {}; add it to the file", limit));
  return *value;
}

std::optional<double> ConfigObject::get_positive(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : 0.0;
  const bool in_range = number > 0.0 && number <= std::numeric_limits<float>::max();
  if (!in_range || static_cast<float>(number) == 0.0f) {
    fail(key, "it must be a number above 0 that is finite as fp32; fix the file");
  }
  return number;
}

double ConfigObject::positive(std::string_view key) const {
  const std::optional<double> value = get_positive(key);
  if (!value) fail(key, "needed is a number above 0; add it to the file");
  return *value;
}

bool ConfigObject::boolean(std::string_view key, bool by_default) const {
  const Json* value = find(key);
  if (value == nullptr) return by_default;
  if (!value->is_boolean()) fail(key, "it must be true or false; fix the file");
  return value->get<bool>();
}

std::optional<std::string> ConfigObject::text(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) fail(key, "it must be a string; fix the file");
  return value->get<std::string>();
}

std::optional<std::vector<double>> ConfigObject::numbers(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  std::vector<double> all;
  bool numbers = value->is_array();
  for (std::size_t i = 0; numbers && i < value->size(); ++i) {
    numbers = (*value)[i].is_number();
    if (numbers) all.push_back((*value)[i].get<double>());
  }
  if (!numbers) fail(key, "it must be an array of numbers; fix the file");
  return all;
}

std::string_view ConfigObject::first_of(std::initializer_list<std::string_view> keys) const {
  std::string_view first = *keys.begin();
  for (auto key = std::rbegin(keys); key != std::rend(keys); ++key) {
    if (has(*key)) first = *key;
  }
  return first;
}

void ConfigObject::refuse_unread(std::span<const std::string_view> harmless) const {
  for (const auto& [key, value] : value_.items()) {
    const bool neutral = value.is_null() || value == false || (value.is_structured() && value.empty());
    if (neutral || read_->contains(key) || key.starts_with("_")) continue;
    if (std::find(harmless.begin(), harmless.end(), key) != harmless.end()) continue;
    fail(key,
         "not known, and so perhaps of effect on what the model computes; remove the key if it has none");
  }
}

std::optional<std::vector<std::string>> ConfigObject::texts(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> all;
  bool texts = value->is_array();
  for (std::size_t i = 0; texts && i < value->size(); ++i) {
    texts = (*value)[i].is_string();
    if (texts) all.push_back((*value)[i].get<std::string>());
  }
  if (!texts) fail(key, "it must be an array of strings; fix the file");
  return all;
}

}  // namespace tokencycle::model
