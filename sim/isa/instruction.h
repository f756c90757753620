// SPDX-License-Identifier: Apache-2.0
// The instruction set: opcodes and the decoded instruction. reference.cpp gives each as a loop nest.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/quantity.h"
#include "numerics/format.h"

namespace tokencycle::isa {

inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kWordBytes = 32;         // one instruction word
inline constexpr std::uint32_t kAddressRegisters = 16;  // r0 is always zero
inline constexpr std::uint32_t kSemaphores = 16;
inline constexpr std::uint32_t kLinks = 16;     // that a program can name
inline constexpr std::uint32_t kLoopDepth = 4;  // nested hardware loops

// What kind of operation an instruction is. A class fixes where the instruction executes and how its operands
// relate: map and zip are element by element, reduce makes one value of a row, norm and softmax need values
// of the row before they can write it, select finds places in a row, move puts elements elsewhere.
enum class Class : std::uint8_t {
  control = 0,  // front end: executed by decode, never dispatched
  dma,
  matrix,
  map,
  zip,
  reduce,
  norm,
  softmax,
  select,
  move,
};
inline constexpr std::uint32_t kClasses = 10;
inline constexpr std::uint32_t kFunctionBits = 7;                 // of a function number within its class
inline constexpr std::uint32_t kOpcodeBits = 4 + kFunctionBits;   // bits 0 .. 10 of every word
inline constexpr std::uint32_t kOpcodeCodes = 1u << kOpcodeBits;  // codes that fit, used or not

// An instruction's number: its function in the low bits, its class above. The enumerators are those that code
// names; a function of the vector unit needs none, its row in vector/table.cpp gives class and number.
enum class Opcode : std::uint16_t {
  nop = 0,
  halt,
  fence,
  loop,
  set_address,
  add_address,
  signal,
  wait,
  read_address,

  load = static_cast<unsigned>(Class::dma) << kFunctionBits,
  gather,
  store,
  send,
  receive,

  preload = static_cast<unsigned>(Class::matrix) << kFunctionBits,
  multiply,
  matmul,  // output-stationary arrays

  copy = static_cast<unsigned>(Class::map) << kFunctionBits,
  convert,
  scale,
  silu,
  sigmoid = static_cast<unsigned>(Class::map) << kFunctionBits | 5,
  tanh,
  gelu_tanh = static_cast<unsigned>(Class::map) << kFunctionBits | 8,
  square,
  rsqrt = static_cast<unsigned>(Class::map) << kFunctionBits | 11,
  add_scalar,
  max_scalar,
  min_scalar,
  exp = static_cast<unsigned>(Class::map) << kFunctionBits | 15,
  softplus,

  add = static_cast<unsigned>(Class::zip) << kFunctionBits,
  mul,
  sub,
  div = static_cast<unsigned>(Class::zip) << kFunctionBits | 3,

  reduce_sum = static_cast<unsigned>(Class::reduce) << kFunctionBits,
  reduce_max,
  reduce_mean = static_cast<unsigned>(Class::reduce) << kFunctionBits | 3,

  rms_norm = static_cast<unsigned>(Class::norm) << kFunctionBits,
  layer_norm,

  softmax = static_cast<unsigned>(Class::softmax) << kFunctionBits,
  softmax_sink,

  argmax = static_cast<unsigned>(Class::select) << kFunctionBits,
  top_k,

  transpose = static_cast<unsigned>(Class::move) << kFunctionBits,
  rotary,
  take,
};
constexpr Opcode opcode(Class c, unsigned function) {
  return static_cast<Opcode>(static_cast<unsigned>(c) << kFunctionBits | function);
}
constexpr Class class_of(Opcode op) {
  return static_cast<Class>(static_cast<unsigned>(op) >> kFunctionBits);
}
constexpr unsigned function_of(Opcode op) {
  return static_cast<unsigned>(op) & ((1u << kFunctionBits) - 1);
}
// Every instruction there is, in ascending order.
std::span<const Opcode> opcodes();

// Where an instruction executes.
enum class Unit : std::uint8_t { front_end = 0, load, store, matrix, vector };
inline constexpr int kUnits = 5;

std::string_view name_of(Opcode op);  // the mnemonic; "unknown" where there is none
std::string_view name_of(Unit unit);
std::string_view name_of(Class c);
constexpr Unit unit_of(Opcode op) {
  if (class_of(op) == Class::control) return Unit::front_end;
  if (class_of(op) == Class::matrix) return Unit::matrix;
  if (class_of(op) == Class::dma) {
    return op == Opcode::store || op == Opcode::send ? Unit::store : Unit::load;
  }
  return Unit::vector;
}

// What goes over a link to another chip.
constexpr bool uses_link(Opcode op) {
  return op == Opcode::send || op == Opcode::receive;
}

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
// a non-default value there. Sizes are counted in what its loop nest says.
struct Instruction {
  Opcode op = Opcode::nop;

  LocalAddress dst, a, b;                                    // local operands (bytes)
  std::uint8_t dst_reg = 0, a_reg = 0, b_reg = 0;            // address register added to each
  std::uint32_t dst_stride = 0, a_stride = 0, b_stride = 0;  // bytes between rows, < 2^24
  Format a_format = Format::f32, b_format = Format::f32, dst_format = Format::f32;

  DramAddress dram;  // DRAM operand (bytes), < 2^48
  std::uint8_t dram_reg = 0;
  std::uint32_t dram_stride = 0;  // bytes between rows
  std::uint32_t table_rows = 0;   // gather: rows of the table in DRAM, >= 1, < 2^24

  std::uint32_t rows = 0;      // < 2^16
  std::uint32_t cols = 0;      // elements of a row (bytes for load, gather, send, receive), < 2^24
  std::uint32_t depth = 0;     // multiply, matmul: k values of this pass; top_k: places of a row; < 2^16
  std::uint32_t k_offset = 0;  // preload, multiply: first k element within the row, < 2^8

  TileOrder order = TileOrder::nk;  // preload: of the tile; matmul: of b
  bool swap = false;                // multiply: take the most recently preloaded tile
  bool accumulate = false;          // multiply, matmul: add to the accumulator instead of overwriting it
  bool open = false;                // multiply: group sums start at zero (not in the middle of a group)
  bool close = false;               // multiply: the last group ends here and folds into the accumulator
  bool transposed = false;          // multiply: sums of a moving row go to one column of dst, not one row

  // Move by index: elements or rows that an index may name; read_address: the word is below it. >= 1, < 2^24
  std::uint32_t extent = 0;
  bool per_row = false;      // zip, softmax_sink: b is one f32 for each row
  float scalar = 0.0f;       // scale and the like: operand; softmax: scale; norms: epsilon
  std::uint32_t valid = 0;   // softmax: valid columns of row 0, < 2^24
  bool causal = false;       // softmax: each further row has one valid column more
  std::uint32_t head = 0;    // rotary: elements of a head, < 2^12
  std::uint32_t rotate = 0;  // rotary: rotated elements of a head, even, <= head, < 2^12
  RotaryPairs pairs = RotaryPairs::adjacent;

  std::uint32_t count = 0;          // loop: iterations >= 1, < 2^24
  std::uint32_t length = 0;         // loop: words of the body >= 1, < 2^16
  std::array<LoopStep, 4> steps{};  // loop: register steps at the end of each iteration
  std::uint8_t times = 0;           // loop: register that holds the iterations, 0 .. count; 0: count itself
  std::uint8_t reg = 0;             // set_address, add_address, read_address: the register, 1..15
  std::int64_t value = 0;           // the same: signed bytes, 48 bits
  std::uint64_t word_stride = 0;    // read_address: what one more in the word adds, 48 bits
  std::uint8_t units = 0;           // fence, signal: set of units to wait for, bit = Unit value (1 << Unit)
  std::uint8_t semaphore = 0;       // signal, wait: its number, 0..15
  std::uint8_t link = 0;            // send, receive: its number, 0..15

  bool operator==(const Instruction&) const = default;
};

}  // namespace tokencycle::isa
