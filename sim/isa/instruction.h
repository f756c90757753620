// SPDX-License-Identifier: Apache-2.0
// The instruction set: opcodes and the decoded instruction. sim/isa/README.md gives each as a loop nest.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/quantity.h"
#include "numerics/format.h"

namespace tokencycle::isa {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kWordBytes = 32;         // one instruction word
inline constexpr std::uint32_t kAddressRegisters = 16;  // r0 is always zero
inline constexpr std::uint32_t kLoopDepth = 4;          // nested hardware loops

enum class Opcode : std::uint8_t {
  // front end: executed by decode, never dispatched
  nop = 0,
  halt,
  fence,
  loop,
  set_address,
  add_address,
  // DMA
  load,
  gather,
  store,
  // matrix unit
  preload,
  multiply,
  // vector unit
  add,
  mul,
  scale,
  copy,
  convert,
  silu,
  rms_norm,
  softmax,
  rotary,
  transpose,
  reduce_sum,
  reduce_max,
  argmax,
  // matrix unit, output-stationary arrays
  matmul,
};
inline constexpr int kOpcodes = static_cast<int>(Opcode::matmul) + 1;

// Where an instruction executes.
enum class Unit : std::uint8_t { front_end = 0, load, store, matrix, vector };
inline constexpr int kUnits = 5;

std::string_view name_of(Opcode op);
std::string_view name_of(Unit unit);
Unit unit_of(Opcode op);

// A byte address in the core's own memories: the scratchpad, or (top bit set) the accumulator memory.
class LocalAddress {
 public:
  constexpr LocalAddress() = default;
  static constexpr LocalAddress scratchpad(std::uint32_t byte) { return LocalAddress(byte); }
  static constexpr LocalAddress accumulator(std::uint32_t byte) { return LocalAddress(byte | kSelect); }
  static constexpr LocalAddress from_raw(std::uint32_t raw) { return LocalAddress(raw); }
  constexpr bool in_accumulator() const { return (raw_ & kSelect) != 0; }
  constexpr std::uint32_t byte() const { return raw_ & ~kSelect; }
  constexpr std::uint32_t raw() const { return raw_; }
  // Same memory, `bytes` further.
  constexpr LocalAddress operator+(std::uint32_t bytes) const { return LocalAddress(raw_ + bytes); }
  constexpr bool operator==(const LocalAddress&) const = default;

 private:
  static constexpr std::uint32_t kSelect = 0x8000'0000u;
  constexpr explicit LocalAddress(std::uint32_t raw) : raw_(raw) {}
  std::uint32_t raw_ = 0;
};

// Order of a stationary tile in memory: rows of n with k contiguous (weights, K cache), or rows of k with
// n contiguous (V cache; plain formats only).
enum class TileOrder : std::uint8_t { nk = 0, kn = 1 };

enum class RotaryPairs : std::uint8_t { adjacent = 0, split = 1 };

// What the end of a hardware-loop iteration adds to an address register.
struct LoopStep {
  std::uint8_t reg = 0;    // 0: no step
  std::int32_t bytes = 0;  // signed; DRAM and local addresses alike
  bool operator==(const LoopStep&) const = default;
};

// One decoded instruction. A field that the opcode does not have keeps its default; encode() refuses
// a non-default value there. Sizes are counted in what the README's loop nest says.
struct Instruction {
  Opcode op = Opcode::nop;

  LocalAddress dst, a, b;                                    // local operands (bytes)
  std::uint8_t dst_reg = 0, a_reg = 0, b_reg = 0;            // address register added to each
  std::uint32_t dst_stride = 0, a_stride = 0, b_stride = 0;  // bytes between rows, < 2^24
  Format a_format = Format::f32, b_format = Format::f32, dst_format = Format::f32;

  DramAddress dram;  // DRAM operand (bytes), < 2^48
  std::uint8_t dram_reg = 0;
  std::uint32_t dram_stride = 0;  // bytes between rows

  std::uint32_t rows = 0;      // < 2^16
  std::uint32_t cols = 0;      // elements of a row (bytes for load and gather), < 2^24
  std::uint32_t depth = 0;     // multiply, matmul: k values of this pass, < 2^16
  std::uint32_t k_offset = 0;  // preload, multiply: first k element within the row, < 2^8

  TileOrder order = TileOrder::nk;  // preload: of the tile; matmul: of b
  bool swap = false;                // multiply: take the most recently preloaded tile
  bool accumulate = false;          // multiply, matmul: add to the accumulator instead of overwriting it
  bool open = false;                // multiply: group sums start at zero (not in the middle of a group)
  bool close = false;               // multiply: the last group ends here and folds into the accumulator
  bool transposed = false;          // multiply: sums of a moving row go to one column of dst, not one row

  float scalar = 0.0f;       // scale: factor; softmax: scale; rms_norm: epsilon
  std::uint32_t valid = 0;   // softmax: valid columns of row 0, < 2^24
  bool causal = false;       // softmax: each further row has one valid column more
  std::uint32_t head = 0;    // rotary: elements of a head, < 2^12
  std::uint32_t rotate = 0;  // rotary: rotated elements of a head, even, <= head, < 2^12
  RotaryPairs pairs = RotaryPairs::adjacent;

  std::uint32_t count = 0;          // loop: iterations >= 1, < 2^24
  std::uint32_t length = 0;         // loop: words of the body >= 1, < 2^16
  std::array<LoopStep, 4> steps{};  // loop: register steps at the end of each iteration
  std::uint8_t reg = 0;             // set_address, add_address: the register, 1..15
  std::int64_t value = 0;           // set_address, add_address: signed bytes, 48 bits
  std::uint8_t units = 0;           // fence: set of units to wait for, bit = Unit value (1 << Unit)

  bool operator==(const Instruction&) const = default;
};

}  // namespace tokencycle::isa
