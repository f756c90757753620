// SPDX-License-Identifier: Apache-2.0
// Names of opcodes and units, and which unit executes which opcode.
#include "isa/fields.h"
#include "isa/instruction.h"

namespace tokencycle::isa {

namespace {

struct OpcodeEntry {
  std::string_view name;
  Unit unit;
};

// In the order of enum Opcode.
constexpr std::array<OpcodeEntry, kOpcodes> kOpcodeTable = {{
    {"nop", Unit::front_end},     {"halt", Unit::front_end},        {"fence", Unit::front_end},
    {"loop", Unit::front_end},    {"set_address", Unit::front_end}, {"add_address", Unit::front_end},
    {"load", Unit::load},         {"gather", Unit::load},           {"store", Unit::store},
    {"preload", Unit::matrix},    {"multiply", Unit::matrix},       {"add", Unit::vector},
    {"mul", Unit::vector},        {"scale", Unit::vector},          {"copy", Unit::vector},
    {"convert", Unit::vector},    {"silu", Unit::vector},           {"rms_norm", Unit::vector},
    {"softmax", Unit::vector},    {"rotary", Unit::vector},         {"transpose", Unit::vector},
    {"reduce_sum", Unit::vector}, {"reduce_max", Unit::vector},     {"argmax", Unit::vector},
    {"matmul", Unit::matrix},
}};

constexpr std::array<std::string_view, kUnits> kUnitNames = {"front_end", "load", "store", "matrix",
                                                             "vector"};

}  // namespace

std::string_view name_of(Opcode op) {
  const auto index = static_cast<std::size_t>(op);
  return index < kOpcodeTable.size() ? kOpcodeTable[index].name : "unknown";
}

std::string_view name_of(Unit unit) {
  const auto index = static_cast<std::size_t>(unit);
  return index < kUnitNames.size() ? kUnitNames[index] : "unknown";
}

Unit unit_of(Opcode op) {
  return kOpcodeTable[static_cast<std::size_t>(op)].unit;
}

bool opcode_from_name(std::string_view name, Opcode& out) {
  for (std::size_t i = 0; i < kOpcodeTable.size(); ++i) {
    if (kOpcodeTable[i].name != name) continue;
    out = static_cast<Opcode>(i);
    return true;
  }
  return false;
}

}  // namespace tokencycle::isa
