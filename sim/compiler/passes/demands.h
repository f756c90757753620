// SPDX-License-Identifier: Apache-2.0
// What a graph asks of a machine, as a few numbers: the input of placement and tiling.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/passes/fuse.h"
#include "config/machine.h"

namespace tokencycle::compiler {

// The formats that a moving operand can take besides fp32, in which it is computed.
inline constexpr auto kEncodedActivations = [] {
  constexpr auto kCount = [] {
    std::size_t count = 0;
    for (int f = 1; f < kFormats; ++f) count += kActivationFormats.has(static_cast<Format>(f)) ? 1 : 0;
    return count;
  }();
  std::array<Format, kCount> formats{};
  std::size_t next = 0;
  for (int f = 1; f < kFormats; ++f) {
    if (kActivationFormats.has(static_cast<Format>(f))) formats[next++] = static_cast<Format>(f);
  }
  return formats;
}();

// Heads of one number and size, as some attentions of the graph have them.
struct AttentionHeads {
  std::uint32_t heads = 0, kv_heads = 0, head_dim = 0;  // no heads: there is no attention
  std::uint32_t result_dim = 0;                         // of a query head
  std::uint32_t group = 1;                              // query heads of one KV head
  bool operator==(const AttentionHeads&) const = default;
};

struct Demands {
  const model::Graph* graph = nullptr;
  std::vector<Stage> stages;
  std::vector<std::uint32_t> stage_of;  // by operator
  std::vector<std::uint32_t> maker;     // by value: the operator that makes it; kNoMaker for other values
  std::vector<FormatSet> formats;       // by value: activation formats that the linears behind it ask for
  static constexpr std::uint32_t kNoMaker = 0xffff'ffffu;

  Format kv_format = Format::f16;
  std::vector<AttentionHeads> attentions;   // in the order of the graph; at least one
  std::vector<std::uint32_t> attention_of;  // by operator: which of them an attention has
  std::uint32_t largest_group() const {
    std::uint32_t largest = 1;
    for (const AttentionHeads& a : attentions) largest = std::max(largest, a.group);
    return largest;
  }

  bool streamed = false;                  // the rows of a linear are in DRAM, and any number of them will do
  std::uint32_t start_columns = 0;        // of the rows that a step begins with
  std::uint32_t gated_columns = 0;        // the most that a gated stage makes; 0: there is none
  std::uint32_t gated_cut = kPlainGroup;  // columns of it that can be encoded apart: a multiple of this
  bool gated_in_blocks = true;            // what they make is encoded for all its readers
  std::uint32_t whole_row_bytes = 0;      // the largest row that the ring must hold whole: a gain, a table's
  std::uint32_t smallest_rectangle = 0;   // bytes: the least part of one row of the weight that needs most
  std::uint32_t widest_tile = 0;          // bytes: whole rows, one for each array column, of that weight

  // From the machine.
  std::uint32_t columns = 0;           // output columns that a chunk of a weight should have
  std::uint32_t pass_rows = 0;         // k values that a pass can have
  std::uint32_t accumulator_half = 0;  // fp32 sums of half the accumulator memory
};

// Columns of a convolution that are done at once: rows long enough for any vector unit, and little room.
inline std::uint32_t convolution_block(const model::Operator& op) {
  constexpr std::uint32_t kColumns = 512;
  return std::min(op.output_columns, kColumns);
}

// Rows of a head's state in a delta rule that are done at once, 16 KiB of them.
inline std::uint32_t delta_block(const model::Operator& op) {
  constexpr std::uint32_t kElements = 4096;
  return std::clamp(kElements / op.delta.dim, 1u, op.delta.dim);
}

Demands demands_of(const model::Graph& graph, std::vector<Stage> stages, const config::Machine& machine,
                   Format kv_format);

}  // namespace tokencycle::compiler
