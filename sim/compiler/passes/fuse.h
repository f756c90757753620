// SPDX-License-Identifier: Apache-2.0
// Which operators of a graph are emitted together. Each rule has a name and can be switched off.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/graph/graph.h"

namespace tokencycle::compiler {

// What a rule saves:
enum class Fusion : std::uint8_t {
  residual_sink,     // linear, add: the sums are added to the other operand on their way out of the
                     // accumulator memory, and no buffer holds them
  gated_blocks,      // two linears, map, multiply, before a linear: block by block of the columns, each block
                     // encoded for what reads it, so that no buffer holds whole rows
  rotary_group,      // neighbouring rotaries of one table: its rows are loaded once
  append_attention,  // appends, attention: it reads the step's own rows from the scratchpad
};
inline constexpr int kFusions = 4;
inline constexpr std::array<std::string_view, kFusions> kFusionNames = {"residual-sink", "gated-blocks",
                                                                        "rotary-group", "append-attention"};

// A set of rules.
class FusionSet {
 public:
  static FusionSet all() { return FusionSet((1u << kFusions) - 1); }
  bool has(Fusion f) const { return (bits_ >> static_cast<unsigned>(f) & 1u) != 0; }
  FusionSet without(Fusion f) const { return FusionSet(bits_ & ~(1u << static_cast<unsigned>(f))); }

 private:
  explicit FusionSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_;
};

// Operators that are emitted together, ascending; all stages in the order of execution.
struct Stage {
  enum class Kind : std::uint8_t {
    gather,
    positions,
    read,
    norm,
    linear,  // one linear; behind it perhaps the addition that its sums go into, or the functions of the
             // result
    gated,   // linear, linear, map, multiply
    map,
    zip,
    rotary,  // one or more of the same table
    append,
    attention,  // perhaps some appends before it
    row,        // softmax, top_k, take, normalize, keep_groups, take_row, scale_parts, weighted_sum, zip_row,
                // columns or join: vector instructions on whole rows
    experts,    // one expert_linear
    parts,      // one part_linear
    recurrent,  // one convolution, delta rule or cell
  };
  Kind kind = Kind::linear;
  std::vector<std::uint32_t> operators;
};

std::vector<Stage> fuse(const model::Graph& graph, FusionSet rules);

}  // namespace tokencycle::compiler
