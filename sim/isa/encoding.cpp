// SPDX-License-Identifier: Apache-2.0
#include "isa/encoding.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/error.h"
#include "isa/fields.h"
#include "isa/rules.h"

namespace tokencycle::isa {

namespace {

static_assert(std::endian::native == std::endian::little, "words are packed in 64-bit little-endian lanes");

// One lane more than the word, so that a field may be read across any lane's end.
using Lanes = std::array<std::uint64_t, kWordLanes + 1>;

constexpr std::uint64_t mask(std::uint32_t bits) {
  return ~std::uint64_t{0} >> (64 - bits);
}

void put(Lanes& lanes, const PlacedField& p, std::uint64_t value) {
  const std::uint32_t lane = p.first_bit / 64, shift = p.first_bit % 64;
  const std::uint64_t bits = value & mask(p.bits);
  lanes[lane] |= bits << shift;
  lanes[lane + 1] |= bits >> 1 >> (63 - shift);
}

std::uint64_t take(const Lanes& lanes, const PlacedField& p) {
  const std::uint32_t lane = p.first_bit / 64, shift = p.first_bit % 64;
  return (lanes[lane] >> shift | lanes[lane + 1] << 1 << (63 - shift)) & mask(p.bits);
}

std::uint64_t sign_extend(std::uint64_t value, std::uint32_t bits) {
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return (value ^ sign) - sign;
}

void check_width(const Instruction& instruction, const FieldInfo& info, std::uint64_t value) {
  if (info.is_signed) {
    const auto number = static_cast<std::int64_t>(value);
    const std::int64_t limit = std::int64_t{1} << (info.bits - 1);
    if (number >= -limit && number < limit) return;
    throw ProgramError(fmt::format("{}: {} is {}; allowed: {} .. {}", name_of(instruction.op), info.name,
                                   number, -limit, limit - 1));
  }
  if (value <= mask(info.bits)) return;
  throw ProgramError(fmt::format("{}: {} is {}; allowed: 0 .. {}", name_of(instruction.op), info.name, value,
                                 mask(info.bits)));
}

[[noreturn]] void refuse_foreign_field(const Instruction& instruction, const Instruction& kept) {
  for (int f = 0; f < kFields; ++f) {
    const auto field = static_cast<Field>(f);
    const std::uint64_t value = get_field(instruction, field);
    if (value == get_field(kept, field)) continue;
    throw ProgramError(fmt::format("{} has no field {}, but it is set to {:#x}; leave it at its default",
                                   name_of(instruction.op), info_of(field).name, value));
  }
  throw ProgramError(fmt::format("{}: a field that the opcode lacks is set", name_of(instruction.op)));
}

[[noreturn]] void refuse_opcode(Opcode op) {
  const auto c = static_cast<std::uint32_t>(class_of(op));
  std::string what;
  if (c >= kClasses) {
    what = fmt::format("there are classes 0 .. {}", kClasses - 1);
  } else {
    what = fmt::format("class {} has", name_of(class_of(op)));
    for (const Opcode known : opcodes()) {
      if (class_of(known) == class_of(op)) what += fmt::format(" {} {},", function_of(known), name_of(known));
    }
    what.pop_back();
  }
  throw ProgramError(
      fmt::format("unknown opcode: class {}, function {}; in version {} of the instruction set {}", c,
                  function_of(op), kVersion, what));
}

[[noreturn]] void refuse_unused(Opcode op, const Lanes& lanes) {
  const Layout& layout = layout_of(op);
  std::size_t lane = 0;
  while ((lanes[lane] & layout.unused[lane]) == 0) ++lane;
  const int first = std::countr_zero(lanes[lane] & layout.unused[lane]);
  throw ProgramError(fmt::format("{}: bit {} of the word is set, but the opcode does not use it", name_of(op),
                                 lane * 64 + static_cast<std::size_t>(first)));
}

}  // namespace

Word encode(const Instruction& instruction) {
  if (!exists(instruction.op)) refuse_opcode(instruction.op);
  Lanes lanes{static_cast<std::uint64_t>(instruction.op)};
  Instruction kept;
  kept.op = instruction.op;
  for (const PlacedField& p : layout_of(instruction.op).fields()) {
    const std::uint64_t value = get_field(instruction, p.field);
    check_width(instruction, info_of(p.field), value);
    put(lanes, p, value);
    set_field(kept, p.field, value);
  }
  check_rules(instruction);
  if (kept != instruction) refuse_foreign_field(instruction, kept);
  Word word;
  std::memcpy(word.data(), lanes.data(), word.size());
  return word;
}

Opcode opcode_of(const Word& word) {
  std::uint16_t low = 0;
  std::memcpy(&low, word.data(), sizeof low);
  return static_cast<Opcode>(low & mask(kOpcodeBits));
}

Instruction decode(const Word& word) {
  Lanes lanes{};
  std::memcpy(lanes.data(), word.data(), word.size());
  Instruction instruction;
  instruction.op = static_cast<Opcode>(lanes[0] & mask(kOpcodeBits));
  if (!exists(instruction.op)) refuse_opcode(instruction.op);
  const Layout& layout = layout_of(instruction.op);
  std::uint64_t stray = 0;
  for (std::size_t i = 0; i < kWordLanes; ++i) stray |= lanes[i] & layout.unused[i];
  if (stray != 0) refuse_unused(instruction.op, lanes);
  for (const PlacedField& p : layout.fields()) {
    const std::uint64_t bits = take(lanes, p);
    set_field(instruction, p.field, info_of(p.field).is_signed ? sign_extend(bits, p.bits) : bits);
  }
  check_rules(instruction);
  return instruction;
}

}  // namespace tokencycle::isa
