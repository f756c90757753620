// SPDX-License-Identifier: Apache-2.0
// Where a random program's operands lie: areas of one format each, address registers with known ranges.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "isa/program.h"
#include "timing/program_generator.h"

namespace tokencycle::timing {

inline constexpr std::uint32_t kLargestIndex = 7;  // of the u32 areas: what gather may find

inline isa::Instruction instruction(isa::Opcode op) {
  isa::Instruction i;
  i.op = op;
  return i;
}

// Every function that places an operand returns false when it finds no place for it.
class OperandPicker {
 public:
  OperandPicker(Random& random, const config::Machine& machine);

  Format any_format();
  Format matrix_format();  // f32 f16 bf16 q8_0 q4_0 q8_1 q4_1 i8 i4
  Format number_format();  // f32 f16 bf16 q8_0 q4_0 q8_1 q4_1
  Format plain_format();   // f32 f16 bf16
  // Bytes between rows of `bytes` bytes, whole units; with `repeats` now and then 0 or less than a row.
  std::uint32_t stride(Format f, std::uint32_t bytes, bool repeats);

  // rows x bytes, `stride` apart, in the scratchpad area of f, in the accumulator memory's area of sums (f32,
  // or u32 for int32), or (readable, f32 alone) in either.
  bool local(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes, isa::LocalAddress& at,
             std::uint8_t& reg);
  bool in_accumulator(Format sums, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                      isa::LocalAddress& at, std::uint8_t& reg);
  bool readable(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                isa::LocalAddress& at, std::uint8_t& reg);
  bool in_dram(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes, isa::Instruction& i);

  // Bytes that a local operand may touch, whatever its register holds.
  isa::Range span_of(isa::LocalAddress at, std::uint8_t reg, std::uint32_t rows, std::uint32_t stride,
                     std::uint32_t bytes) const;

  // Registers belong to loop depths: a body sets its own depth's alone, so that every iteration sees the
  // same values at the same words. begin_block forgets those of `depth` and deeper.
  void begin_block(std::uint32_t depth);
  std::vector<isa::Instruction> set_register(std::uint32_t depth);
  // The same from a word of the scratchpad: an address, or, for a loop, the word itself with its bound.
  std::vector<isa::Instruction> read_register(std::uint32_t depth);
  std::optional<isa::Instruction> read_count(std::uint32_t depth);
  // A register for a loop of `count` iterations to step; it has a range until end_steps.
  std::optional<isa::LoopStep> step_register(std::uint32_t count);
  void end_steps(const isa::Instruction& loop);

  const Areas& dram() const { return dram_; }
  const Areas& scratchpad() const { return scratchpad_; }
  const Areas& accumulator() const { return accumulator_; }
  std::vector<isa::DataSegment> random_data();

 private:
  struct Register {
    bool known = false, stepped = false;
    std::uint32_t unit = 1;                // all its values are multiples of it
    std::uint32_t before = 0;              // while stepped: its value outside the loop
    std::uint32_t least = 0, largest = 0;  // bytes
  };
  struct Place {
    std::uint32_t address;
    std::uint8_t reg;
  };
  std::optional<Place> place(const Areas& areas, Format f, std::uint64_t bytes);
  Register* free_register(std::uint32_t depth, std::uint8_t& reg);
  static const Area& area(const Areas& areas, Format f);

  Random& random_;
  Areas dram_, scratchpad_, accumulator_;
  std::array<Register, isa::kAddressRegisters> registers_{};
};

}  // namespace tokencycle::timing
