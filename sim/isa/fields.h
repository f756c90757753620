// SPDX-License-Identifier: Apache-2.0
// The table behind the instruction words: every field once, and the list of fields of every opcode.
// Encoder, decoder, assembler and disassembler know no other description; `tokencycle explain instructions`
// prints it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "isa/instruction.h"

namespace tokencycle::isa {

enum class Field : std::uint8_t {
  dst,
  dst_reg,
  dst_stride,
  a,
  a_reg,
  a_stride,
  b,
  b_reg,
  b_stride,
  a_format,
  b_format,
  dst_format,
  dram,
  dram_reg,
  dram_stride,
  table_rows,
  rows,
  cols,
  depth,
  k_offset,
  order,
  swap,
  accumulate,
  open,
  close,
  transposed,
  per_row,
  extent,
  scalar,
  valid,
  causal,
  head,
  rotate,
  pairs,
  count,
  length,
  step0_reg,
  step0_bytes,
  step1_reg,
  step1_bytes,
  step2_reg,
  step2_bytes,
  step3_reg,
  step3_bytes,
  reg,
  value,
  units,
  semaphore,
  times,
  word_stride,
  link,
};
inline constexpr int kFields = static_cast<int>(Field::link) + 1;

// Fields as bits of a number.
using FieldSet = std::uint64_t;
static_assert(kFields <= 64);
template <class... F>
constexpr FieldSet set_of(F... fields) {
  return ((FieldSet{1} << static_cast<unsigned>(fields)) | ... | FieldSet{0});
}
inline constexpr FieldSet kDst = set_of(Field::dst, Field::dst_reg, Field::dst_stride);
inline constexpr FieldSet kA = set_of(Field::a, Field::a_reg, Field::a_stride);
inline constexpr FieldSet kB = set_of(Field::b, Field::b_reg, Field::b_stride);
inline constexpr FieldSet kDram = set_of(Field::dram, Field::dram_reg, Field::dram_stride);
inline constexpr FieldSet kRows = set_of(Field::rows, Field::cols);

// How a field is written in assembly text.
enum class FieldKind : std::uint8_t {
  local,             // `dst=s:0x100+r1`: the address and, behind the plus, the field that follows it
  dram,              // `dram=0x4000+r2`, the same
  address_register,  // part of the address before it
  number,            // `rows=32`
  format,            // `a_format=q8_0`
  order,             // `order=kn`
  pairs,             // `pairs=split`
  flag,              // `swap`, a bare word
  scalar,            // `scalar=0.125`
  step_register,     // `r1+=2176` together with the next field
  step_bytes,
  loop_length,      // `until=label` or `length=4`
  register_number,  // `times=r3`
  target_register,  // `r1=` of set_address, `r1+=` of add_address, together with the next field
  target_value,
  units,  // `units=load,matrix`
};

// One field: its place in the word, the same in every instruction that has it, and in the Instruction
// structure.
struct FieldInfo {
  std::string_view name;
  std::uint8_t first_bit, bits;
  bool is_signed;
  FieldKind kind;
  std::uint16_t offset;  // bytes into Instruction
  std::uint8_t size;     // bytes of the member: 1, 4 or 8
};
const FieldInfo& info_of(Field field);

// A field at its place in the word of one opcode.
struct PlacedField {
  Field field = Field::dst;
  std::uint8_t first_bit = 0, bits = 0;
};

inline constexpr std::size_t kWordLanes = kWordBytes / 8;
inline constexpr std::size_t kMaxFields = 20;

// The word of one opcode.
struct Layout {
  std::array<PlacedField, kMaxFields> placed{};
  std::uint8_t count = 0;
  std::array<std::uint64_t, kWordLanes> unused{};  // bits that must be zero
  std::span<const PlacedField> fields() const { return {placed.data(), count}; }
};
// Of an opcode that exists.
const Layout& layout_of(Opcode op);

// An opcode outside of the vector unit. Those of the vector unit: vector/function.h.
struct OpcodeRow {
  Opcode op;
  std::string_view name;
  FieldSet fields;
};
// The rows of this version, all units.
std::span<const OpcodeRow> opcode_rows();
// True for an opcode that has a row.
bool exists(Opcode op);

// The value of a field: signed fields sign-extended, a float as its bits.
std::uint64_t get_field(const Instruction& instruction, Field field);
// Stores a value that is known to fit the member.
void set_field(Instruction& instruction, Field field, std::uint64_t value);

// The opcode called `name`; false when there is none.
bool opcode_from_name(std::string_view name, Opcode& out);

}  // namespace tokencycle::isa
