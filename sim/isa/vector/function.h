// SPDX-License-Identifier: Apache-2.0
// The functions of the vector unit: what a row of their table says. Decoder, assembler, rules, footprints,
// the vector unit's values and its timing all read this table; nothing else lists the functions.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "isa/fields.h"
#include "isa/instruction.h"

namespace tokencycle::isa {

// The parts of a lane that have a cost of their own in a machine's description (vector.functions). Every
// function is a chain of these, so that a new function needs no new key there.
enum class LaneFunction : std::uint8_t { add, mul, copy, convert, quantize, exp, divide, reduce, rotary };
inline constexpr int kLaneFunctions = 9;

// One way of a row through the lanes.
struct VectorPass {
  static constexpr std::size_t kLongest = 28;
  std::array<LaneFunction, kLongest> functions{};
  std::uint8_t count = 0;
  bool reads_b = false;
  bool writes = false;  // else the pass ends in a value for the row, which the next pass waits for

  std::span<const LaneFunction> chain() const {
    return {functions.data(), count};
  }  // what each beat goes through
};
struct VectorPasses {
  std::array<VectorPass, 4> passes{};
  std::uint8_t count = 0;

  constexpr VectorPasses() = default;
  constexpr VectorPasses(std::initializer_list<VectorPass> list) {
    for (const VectorPass& p : list) passes[count++] = p;
  }
  std::span<const VectorPass> all() const { return {passes.data(), count}; }
};

// A row of fp32 operands and its result.
struct RowOperands {
  const Instruction& instruction;
  std::uint32_t row;
  std::span<const float> a;  // (cols)
  std::span<const float> b;  // (second_columns)
  std::span<float> d;        // (result_columns); the bits of a u32 for indices
};

// What the second operand holds.
enum class Second : std::uint8_t {
  none,
  rows,      // rows x cols, or with per_row rows x 1
  one_row,   // 1 x cols, for every row
  row_pair,  // 1 x 2 cols, for every row: two rows one behind the other
  angles,    // rows x rotate: pairs (cos, sin)
  indices,   // rows x cols of u32
  index,     // rows x 1 of u32
  value,     // one value for every row, or with per_row one for each, side by side
};

// What the second operand's indices, each below `extent`, choose. The data says where, so that footprints
// have all that could be chosen, and time is taken as if row (or element) n had the index n modulo extent.
enum class Indexed : std::uint8_t {
  nothing,
  a_elements,  // of the row of a
  a_rows,
  dst_rows,
  dst_sums,  // rows of dst, which the result is added to
};

// Where the results go.
enum class Result : std::uint8_t {
  same,     // rows x cols
  one,      // one value per row
  several,  // depth values a row
  turned,   // cols x rows
};

inline constexpr FormatSet kF32Alone =
    formats_where([](const FormatRow& r) { return &r == &row_of(Format::f32); });

struct VectorFunction {
  Opcode op;
  std::string_view name;
  void (*compute)(const RowOperands&) = nullptr;  // a row; null where elements move unchanged
  VectorPasses passes;
  Second second = Second::none;
  Result result = Result::same;
  FieldSet more = 0;                            // operands beyond rows, cols, dst, a and b
  FormatSet a_formats = kF32Alone;              // more than f32: the instruction has an a_format
  FormatSet dst_formats = kF32Alone;            // more than f32: it has a dst_format
  void (*check)(const Instruction&) = nullptr;  // rules of its own; throws ProgramError
  VectorPasses block_passes = {};               // instead of `passes` where dst_format is a block format
  Indexed indexed = Indexed::nothing;
  bool repeated = false;  // the passes are made once for each of depth results

  FieldSet fields() const;
};

std::span<const VectorFunction> vector_functions();
// The row of a vector unit's opcode that exists.
const VectorFunction& vector_function(Opcode op);
// The passes of an instruction over each row, in order of execution.
std::span<const VectorPass> passes_of(const Instruction& instruction);

// fp32 elements in a row of the second operand, 0 where there is none, and how many rows it has.
std::uint64_t second_columns(const Instruction& instruction);
std::uint64_t second_rows(const Instruction& instruction);
// Bytes between its rows: b_stride where the instruction has one.
std::uint32_t second_stride(const Instruction& instruction);
// Rows and elements of a row of the first operand.
std::uint64_t first_rows(const Instruction& instruction);
std::uint64_t first_columns(const Instruction& instruction);
// Elements of a row of the result; not where it is turned.
std::uint64_t result_columns(const Instruction& instruction);
// One row of the result in bytes, and how many there are.
std::uint64_t result_row_bytes(const Instruction& instruction);
std::uint64_t result_rows(const Instruction& instruction);

}  // namespace tokencycle::isa
