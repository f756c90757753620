// SPDX-License-Identifier: Apache-2.0
// The scratchpad plan: where each buffer of a step lies, and the ring that everything else streams through.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "compiler/demands.h"

namespace tokencycle::compiler {

inline constexpr std::uint32_t kAlignment = 64;  // of buffers and ring chunks, bytes

// How much of attention is done at once. A block is `kv_heads` KV heads for `rows` tokens.
struct AttentionBlock {
  std::uint32_t kv_heads = 1;
  std::uint32_t rows = 1;
  std::uint32_t result_columns = 0;  // columns of a head's result at once; less than head_dim only in a
                                     // very small accumulator memory
};

// Addresses are scratchpad bytes. Buffers that never live at the same time share bytes.
struct Plan {
  std::uint32_t tokens = 0, positions = 0;
  AttentionBlock attention;
  std::uint32_t feed_block = 0;  // feed-forward columns at once

  std::uint32_t x = 0;                // [tokens][width], the residual stream
  std::uint32_t token_ids = 0;        // [tokens] u32
  std::uint32_t table_rows = 0;       // [tokens] rows of the embedding table as stored
  std::uint32_t h = 0;                // [tokens][width], the normed x
  std::uint32_t gain = 0;             // [width] fp32, when gains are stored otherwise
  std::uint32_t q = 0, k = 0, v = 0;  // [tokens][heads x head_dim], [tokens][kv_heads x head_dim]
  std::uint32_t o = 0;                // as q, in its place
  std::uint32_t q_encoded = 0;        // [kv_heads][tokens][group][head_dim] in the KV format
  std::uint32_t scores = 0;  // [block rows][positions] fp32, when they exceed half the accumulator memory
  std::uint32_t probabilities = 0;                      // [block rows][positions] in the KV format
  std::uint32_t act = 0;                                // [tokens][feed_block]
  using Encoded = std::array<std::uint32_t, kFormats>;  // by format; fp32: the buffer that is encoded
  Encoded attention_input{}, attention_result{}, feed_input{}, feed_result{}, head_input{};

  std::uint32_t ring_begin = 0, ring_end = 0;
  std::uint32_t chunk_bytes = 0;  // largest weight chunk
  // The ring has two fifths of the scratchpad and attention works on blocks of a fair size: what prefill asks
  // for.
  bool comfortable = false;
  std::uint32_t ring_bytes() const { return ring_end - ring_begin; }
};

// The plan for `tokens` tokens of a step that ends at `positions` positions, in `capacity` bytes; nothing
// when it does not fit. What fits fits with fewer tokens or positions, too.
std::optional<Plan> plan_scratchpad(const Demands& demands, std::uint32_t capacity, std::uint32_t tokens,
                                    std::uint32_t positions);

// Bytes of the smallest scratchpad in which one token at the end of `positions` positions fits.
std::uint64_t smallest_scratchpad(const Demands& demands, std::uint32_t positions);

// Bytes of the smallest accumulator memory that will do.
std::uint64_t smallest_accumulator(const Demands& demands);

}  // namespace tokencycle::compiler
