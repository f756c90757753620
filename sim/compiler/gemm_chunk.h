// SPDX-License-Identifier: Apache-2.0
// One chunk of a product, its operands in the scratchpad: preloads and multiplies, or matmuls, in loops.
#pragma once

#include <optional>

#include "compiler/emit/builder.h"
#include "compiler/gemm.h"

namespace tokencycle::compiler {

// Words in program order, and the loads that are to be put among them.
class GemmWords {
 public:
  void emit(const isa::Instruction& instruction);
  std::uint32_t begin_loop();
  void end_loop(std::uint32_t at, std::uint32_t count, const std::array<isa::LoopStep, 3>& steps);
  bool in_loop() const { return depth_ != 0; }

  // A load whose readers begin here; the number to release it by.
  std::size_t acquire(const isa::Instruction& load);
  void release(std::size_t piece) { draft_.chunks[piece].released = position(); }

  // A store goes behind the first passes of the next block, so that decode does not wait for the array.
  void defer_store(const isa::Instruction& store) { pending_ = store; }
  void flush_store();

  const Draft& draft() const { return draft_; }

 private:
  std::uint32_t position() const { return static_cast<std::uint32_t>(draft_.words.size()); }
  void append(const isa::Word& word);

  Draft draft_;
  std::uint32_t depth_ = 0;
  std::uint64_t executed_ = 0;
  std::array<std::uint64_t, isa::kLoopDepth> executed_at_{};  // at each open loop
  std::optional<isa::Instruction> pending_;
};

// Where a chunk's operands are, and which part of the product they are.
//   moving_at: [unit][rows][depth]    held_at: [tile][unit] panels
struct GemmChunk {
  std::uint32_t rows = 0;
  std::uint32_t first_tile = 0, tiles = 0;
  std::uint32_t first_unit = 0, units = 0;
  std::uint32_t moving_at = 0, held_at = 0;  // scratchpad bytes
  isa::LocalAddress sums;
  std::uint32_t sum_stride = 0;
};

// Emits chunks: tiles outside, then pieces of moving rows, k inside and ascending; three or more equal ones
// are a loop. Uses r1 (tile), r2 (moving rows), r3 (sums), r4 (moving rows of the shorter last unit), which
// are zero outside of loops.
class GemmChunks {
 public:
  // `straight` passes of each chunk stand before its first loop, so that loads and stores can go among them.
  GemmChunks(GemmWords& words, const GemmMapping& map, std::uint32_t straight)
      : words_(words), map_(map), straight_(straight) {}
  void emit(const GemmChunk& chunk);

 private:
  template <class Body>
  void repeat(std::uint32_t count, const std::array<isa::LoopStep, 3>& steps, const Body& body);
  void tile(std::uint32_t t);
  void piece(std::uint32_t t, std::uint32_t first_row, std::uint32_t rows);
  void unit(std::uint32_t t, std::uint32_t first_row, std::uint32_t rows, std::uint32_t u);
  void pass(const GemmPiece& p, std::uint32_t held, std::uint32_t held_stride, std::uint32_t moving,
            std::uint32_t moving_stride, isa::LocalAddress sums, std::uint8_t moving_register);

  GemmWords& words_;
  const GemmMapping& map_;
  std::uint32_t straight_;
  std::uint32_t straight_left_ = 0;
  GemmChunk chunk_;
};

}  // namespace tokencycle::compiler
