// SPDX-License-Identifier: Apache-2.0
// How a linear goes through a machine's memories: blocks of sums, chunks of k, and which operand stays.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/passes/demands.h"
#include "compiler/tile/mapping.h"

namespace tokencycle::compiler {

// A matrix in DRAM as stored, rows x cols (m x k or n x k), row behind row.
struct StoredMatrix {
  DramAddress at;
  Format format = Format::f32;
  std::uint32_t rows = 0, cols = 0;
  std::uint8_t reg = 0;  // address register that `at` is added to
};

// The operand whose block stays in the scratchpad while the other one streams past it; its blocks are the
// outer loop.
enum class Stays : std::uint8_t { none, x, w };

struct Tiling {
  std::uint32_t rows = 0, cols = 0;  // of a block of sums, m x n: at most half the accumulator memory
  std::uint32_t depth = 0;           // k values of a chunk
  Stays stays = Stays::none;
  std::uint64_t kept_bytes = 0;  // of the operand that stays, at the start of the ring
  std::uint32_t straight = 0;    // passes of a chunk before its first loop
};

// Rows that are in the scratchpad stay, all of them, and the weight streams past. `chunk_bytes`: the most
// that a load of the weight brings.
Tiling tile_resident(const Demands& demands, const StoredMatrix& weight, std::uint32_t rows,
                     std::uint32_t chunk_bytes);

// Rows in DRAM: of all blocks, chunks and operands that might stay in `ring_bytes`, the tiling with the least
// estimated time. Nothing when not even one tile and one moving row fit.
std::optional<Tiling> tile_streamed(const config::Machine& machine, const StoredMatrix& x,
                                    const StoredMatrix& weight, std::uint64_t ring_bytes);
// Bytes of the smallest ring in which rows in DRAM meet the weight.
std::uint64_t smallest_streamed(const config::Machine& machine, const StoredMatrix& x,
                                const StoredMatrix& weight);

}  // namespace tokencycle::compiler
