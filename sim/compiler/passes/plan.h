// SPDX-License-Identifier: Apache-2.0
// The scratchpad plan: where each value of a step lies while it lives, and the ring that everything else
// streams through.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/passes/demands.h"

namespace tokencycle::compiler {

inline constexpr std::uint32_t kAlignment = 64;  // of buffers and ring chunks, bytes

// How much of attention is done at once. A block is `kv_heads` KV heads for `rows` tokens.
struct AttentionBlock {
  std::uint32_t kv_heads = 1;
  std::uint32_t rows = 1;
  std::uint32_t result_columns = 0;  // columns of a head's result at once; less than head_dim only in a
                                     // very small accumulator memory
};

// Room that a stage has for itself, by stage. What it holds depends on the kind:
//   gather     token ids; table rows as stored, when they are not fp32
//   norm       the gain as fp32, when it is stored otherwise; without one, a value for each group, squares;
//   centered: the gain, the mean of each group
//   gated      [tokens][block columns] fp32, when a block is less than the whole row
//   append     [tokens][columns] in the KV format
//   row        normalize: a sum for each token; keep_groups: of each group two places, two values, a sum
//   attention  queries [kv_heads][tokens][group][head_dim] in the format that keys meet; probabilities
//              [block rows][positions] in the one that values meet; scores [block rows][positions] fp32, when
//              they exceed half the accumulator memory or are capped. With a window: its positions alone, and
//              some elements before and behind
//   linear     of the result, through functions: two chunks of sums fp32
//   recurrent  convolution: the weights [taps][block columns]; a tap's products [tokens][block columns];
//   delta rule: products
//              [block rows][dim], and a value for each of the rows; cell: gates of a token; the state's rows
//              and behind them a bias; the encoded h
using Room = std::array<std::uint32_t, 3>;

// Elements behind the last row of scores and probabilities that a window's softmax touches, for so many
// tokens.
constexpr std::uint64_t beyond_last_row(const model::AttentionShape& shape, std::uint32_t tokens) {
  return shape.window == 0 ? 0 : std::uint64_t{kPlainGroup} + tokens;
}

// What a plan is made for.
struct StepShape {
  std::uint32_t tokens = 0;     // rows
  std::uint32_t longest = 0;    // of them, the most that belong to one sequence
  std::uint32_t positions = 0;  // at the end of the step, at most
  auto operator<=>(const StepShape&) const = default;
};

// Addresses are scratchpad bytes. Buffers that never live at the same time share bytes.
struct Plan {
  std::uint32_t tokens = 0, positions = 0;
  std::vector<AttentionBlock> attention;  // for each of Demands::attentions
  std::uint32_t gated_block = 0;          // columns of a gated stage at once

  std::vector<std::uint32_t> values;                    // by value: [tokens][columns] fp32
  using Encoded = std::array<std::uint32_t, kFormats>;  // by format
  std::vector<Encoded> encoded;                         // by value: [tokens] rows in each format asked for
  std::vector<Room> rooms;                              // by stage

  std::uint32_t ring_begin = 0, ring_end = 0;
  std::uint32_t chunk_bytes = 0;  // largest weight chunk
  // The ring has two fifths of the scratchpad and attention works on blocks of a fair size: what prefill asks
  // for.
  bool comfortable = false;
  std::uint32_t ring_bytes() const { return ring_end - ring_begin; }
};

// The plan in `capacity` bytes; nothing when it does not fit. What fits fits with fewer tokens or positions,
// too.
std::optional<Plan> plan_scratchpad(const Demands& demands, std::uint32_t capacity, const StepShape& shape);

// Bytes of the smallest scratchpad in which one token at the end of `positions` positions fits.
std::uint64_t smallest_scratchpad(const Demands& demands, std::uint32_t positions);

// Bytes of the smallest accumulator memory that will do.
std::uint64_t smallest_accumulator(const Demands& demands);

}  // namespace tokencycle::compiler
