// SPDX-License-Identifier: Apache-2.0
// How an array cuts a product into instructions: what it holds, and the most that one of them takes.
#pragma once

#include <cstdint>

#include "config/machine.h"
#include "isa/instruction.h"

namespace tokencycle::compiler {

// Equal parts of a block's rows or columns, one for each array, and what is left behind them.
struct Parts {
  bool of_rows = false;
  std::uint32_t count = 0, length = 0;  // none: what is left is all
};

// sums[m][n] = sum over k of X[m][k] * W[n][k], as an array sees it: tiles of one operand, against moving
// rows of the other. An output-stationary array holds no tile; there the tiles are the columns of one matmul.
struct Mapping {
  bool holds_tile = true;       // preload and multiply; else matmul
  bool x_held = false;          // the tile is X and rows of W move: the sums of a moving row are a column
  std::uint32_t columns = 0;    // of a tile
  std::uint32_t most_rows = 0;  // moving rows of an instruction
  std::uint32_t group = 1;      // k values that are summed before a scale applies; 1: there is no scale
  std::uint32_t cut = 1;        // k values at whose multiples both operands can be cut
  std::uint32_t pass = 0;       // most k values of an instruction
  std::uint32_t unit = 0;       // k values of some passes, a multiple of the cut
  std::uint32_t arrays = 1;     // that take tiles in turn

  // How m x n sums are divided over the arrays.
  Parts parts_of(std::uint32_t m, std::uint32_t n) const;
  // Where the pass ends that begins `k` values into `depth` values of a unit: at a group's border, or within
  // the group where the array has fewer rows.
  std::uint32_t pass_end(std::uint32_t k, std::uint32_t depth) const;
};

// `order`: of the tiles of W; rows of k cannot move through an array that takes a row's k values at once, so
// that W in order kn is always held. `depth`: k values in all.
Mapping map_product(const config::Matrix& array, Format w, isa::TileOrder order, std::uint32_t depth);

// One pass: rows x cols sums over `depth` k values. Addresses are the caller's.
struct Pass {
  std::uint32_t rows = 0, cols = 0, depth = 0;
  std::uint32_t k = 0;               // of its first value within the unit
  bool first = false;                // the sums start here
  bool opens = true, closes = true;  // group sums
};
Pass pass_of(const Mapping& mapping, std::uint32_t k, std::uint32_t depth);
isa::Instruction preload_pass(const Pass& pass, Format format, isa::TileOrder order);
isa::Instruction multiply_pass(const Mapping& mapping, const Pass& pass, Format moving_format);
isa::Instruction matmul_pass(const Pass& pass, Format w, isa::TileOrder order);

}  // namespace tokencycle::compiler
