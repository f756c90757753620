// SPDX-License-Identifier: Apache-2.0
#include "compiler/gemm_folds.h"

#include <algorithm>

namespace tokencycle::compiler {

GemmPiece GemmFolds::piece() const {
  const std::uint32_t unit = k_ / map_.unit, in_unit = k_ % map_.unit;
  const std::uint32_t depth_of_unit = map_.depth_of(unit);
  GemmPiece p;
  p.rows = std::min(map_.most_rows, map_.moving - row_);
  p.cols = map_.columns_of(tile_);
  p.depth = std::min(map_.pass, depth_of_unit - in_unit);
  p.k_offset = in_unit;
  p.first = unit == 0;
  p.opens = in_unit == 0;
  p.closes = in_unit + p.depth == depth_of_unit;
  return p;
}

void GemmFolds::advance(const GemmPiece& done) {
  ++folds_;
  used_cells_ += std::uint64_t{done.cols} * (map_.holds_tile ? done.depth : done.rows);
  k_ += done.depth;
  if (k_ < map_.shape.k) return;
  k_ = 0;
  row_ += done.rows;
  if (row_ < map_.moving) return;
  row_ = 0;
  ++tile_;
}

bool GemmFolds::next(isa::Instruction& out) {
  if (tile_ == map_.tiles()) return false;
  const GemmPiece p = piece();
  if (map_.holds_tile && !preloaded_) {
    out = preload_piece(map_, p);
    out.a = held_;
    preloaded_ = true;
    return true;
  }
  out = multiply_piece(map_, p);
  out.a = moving_;
  if (!map_.holds_tile) out.b = held_;
  out.dst = isa::LocalAddress::accumulator(0);
  preloaded_ = false;
  advance(p);
  return true;
}

}  // namespace tokencycle::compiler
