// SPDX-License-Identifier: Apache-2.0
// How a whole product goes through a machine's memories: blocks of sums, chunks of k, what stays, and where
// everything lies.
#pragma once

#include "compiler/gemm.h"

namespace tokencycle::compiler {

// Which operand's block stays in the scratchpad while the other one streams past it. The blocks of the
// operand that stays are the outer loop.
enum class GemmKept : std::uint8_t { none, moving, held };

// Where the operands are in DRAM, panel by panel.
//   moving:  [unit][row][depth of the unit]
//   held:    [tile][unit][depth][columns of the tile], in order nk [tile][unit][columns][depth]
//   sums:    [m][n], 4 bytes each
struct GemmDram {
  DramAddress held, moving, sums, program;
};

struct GemmPlan {
  GemmMapping map;                // a matmul's unit fits the scratchpad
  std::uint32_t block_rows = 0;   // moving rows of a block of sums
  std::uint32_t block_tiles = 0;  // and its tiles
  std::uint32_t chunk_units = 0;  // units of k of a chunk
  GemmKept kept = GemmKept::none;
  std::uint32_t kept_bytes = 0;                 // scratchpad [0, kept_bytes)
  std::uint32_t slot_bytes = 0, slots = 0;      // chunks of what streams, from kept_bytes on, in turn
  std::uint32_t sum_parts = 2, part_bytes = 0;  // of the accumulator memory, in turn
  std::uint64_t load_bytes = 0;                 // from DRAM in all
  GemmDram dram;

  std::uint32_t row_blocks() const { return static_cast<std::uint32_t>(ceil_div(map.moving, block_rows)); }
  std::uint32_t tile_blocks() const { return static_cast<std::uint32_t>(ceil_div(map.tiles(), block_tiles)); }
  std::uint32_t chunks() const { return static_cast<std::uint32_t>(ceil_div(map.units(), chunk_units)); }
};

// The plan with the least estimated time. Throws ConfigurationError, naming the key and the least size, when
// the scratchpad, the accumulator memory or the DRAM cannot hold what the product needs.
GemmPlan plan_gemm(const config::Machine& machine, const GemmMapping& map);

}  // namespace tokencycle::compiler
