// SPDX-License-Identifier: Apache-2.0
// The table of all keys of a machine description. It drives reading, checking, writing and the
// documentation: a key is declared once, in fields.cpp. `tokencycle explain machine` prints it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/machine.h"

namespace tokencycle::config {

enum class FieldType : std::uint8_t { text, choice, whole, real, boolean, object };

enum class Presence : std::uint8_t {
  required,   // the key must be there
  defaulted,  // absent: the value that a default-constructed Machine has
  optional,   // absent: the machine lacks the feature; written only when it is there
  unusual,    // as defaulted, but written only when it differs
  of_preset,  // required without a DRAM preset; absent: what follows from it
};

// A value as JSON has it (in the key's unit), already checked.
using Value = std::variant<std::string, std::uint64_t, double, bool>;

struct Field {
  std::string path;  // JSON pointer: "/matrix/rows"
  FieldType type = FieldType::whole;
  std::string unit;           // "cycles", "KiB"; empty for names and switches
  double min = 0, max = 0;    // both allowed; whole and real: in the unit; text: length in bytes
  bool power_of_two = false;  // whole
  std::vector<std::string> choices;
  Presence presence = Presence::required;
  std::string meaning;  // one sentence without a full stop
  // An object is read and written elsewhere (machine_dram.h) and has neither.
  std::function<Value(const Machine&)> get;
  std::function<void(Machine&, const Value&)> set;
  std::optional<DramModel> only_with{};                       // the memory model that has the key
  std::string_view (*full_name)(std::string_view) = nullptr;  // of a choice that has a short one too
};

// All fields, in the order of the canonical JSON: a section's fields are neighbours.
const std::vector<Field>& fields();

// "1 .. 1024", "1 .. 64, power of two", "true or false", "\"ideal\"".
std::string range_text(const Field& field);
// "required", "absent", or the default value.
std::string default_text(const Field& field);
// A value as JSON text: 64, 0.5, true, "name".
std::string value_text(const Value& value);

// The last part of a JSON pointer ("rows"), and what is before it ("/matrix").
std::string leaf_of(const std::string& path);
std::string parent_of(const std::string& path);

}  // namespace tokencycle::config
