// SPDX-License-Identifier: Apache-2.0
// Names of opcodes, classes and units.
#include "isa/fields.h"
#include "isa/instruction.h"

namespace tokencycle::isa {

namespace {

constexpr std::array<std::string_view, kUnits> kUnitNames = {"front_end", "load", "store", "matrix",
                                                             "vector"};
constexpr std::array<std::string_view, kClasses> kClassNames = {
    "control", "dma", "matrix", "map", "zip", "reduce", "norm", "softmax", "select", "move"};

}  // namespace

std::string_view name_of(Unit unit) {
  const auto index = static_cast<std::size_t>(unit);
  return index < kUnitNames.size() ? kUnitNames[index] : "unknown";
}

std::string_view name_of(Class c) {
  const auto index = static_cast<std::size_t>(c);
  return index < kClassNames.size() ? kClassNames[index] : "unknown";
}

bool opcode_from_name(std::string_view name, Opcode& out) {
  for (const OpcodeRow& row : opcode_rows()) {
    if (row.name != name) continue;
    out = row.op;
    return true;
  }
  return false;
}

}  // namespace tokencycle::isa
