// SPDX-License-Identifier: Apache-2.0
// Fields in words: for messages and `tokencycle explain machine`.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/fields.h"

namespace tokencycle::config {

std::string leaf_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string value_text(const Value& value) {
  return std::visit([](const auto& v) { return nlohmann::json(v).dump(); }, value);
}

std::string range_text(const Field& field) {
  switch (field.type) {
    case FieldType::text:
      return fmt::format("{} .. {} bytes of text", field.min, field.max);
    case FieldType::boolean:
      return "true or false";
    case FieldType::choice: {
      std::string names;
      for (const std::string& c : field.choices) names += (names.empty() ? "\"" : " or \"") + c + "\"";
      return names;
    }
    case FieldType::whole:
      return fmt::format("{} .. {}{}", static_cast<std::uint64_t>(field.min),
                         static_cast<std::uint64_t>(field.max), field.power_of_two ? ", power of two" : "");
    case FieldType::real:
      return fmt::format("{} .. {}", field.min, field.max);
    case FieldType::object:
      return "an object";
  }
  return "";
}

std::string default_text(const Field& field) {
  const std::string only = field.only_with ? fmt::format(" (only \"{}\")", name_of(*field.only_with)) : "";
  if (field.presence == Presence::required) return "required" + only;
  if (field.presence == Presence::optional) return "absent";
  if (field.presence == Presence::of_preset) return "required; commands: the preset's";
  return value_text(field.get(Machine{})) + only;
}

}  // namespace tokencycle::config
