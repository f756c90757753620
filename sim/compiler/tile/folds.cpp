// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/folds.h"

#include <algorithm>

namespace tokencycle::compiler {

using isa::TileOrder;

Folds::Folds(const config::Matrix& array, const Operands& operands, isa::LocalAddress moving,
             isa::LocalAddress held)
    : map_(map_product(array, operands.w, TileOrder::nk, operands.k)),
      of_(operands),
      moving_at_(moving),
      held_at_(held),
      moving_(map_.x_held ? of_.n : of_.m),
      held_(map_.x_held ? of_.m : of_.n) {
  const bool along_k =
      is_scaled(map_.x_held ? of_.x : of_.w) || array.dataflow == config::Dataflow::dot_product;
  order_ = along_k ? TileOrder::nk : TileOrder::kn;
}

Pass Folds::pass() const {
  const std::uint32_t in_unit = k_ % map_.unit, unit = k_ - in_unit;
  Pass p = pass_of(map_, in_unit, std::min(map_.unit, of_.k - unit));
  p.rows = std::min(map_.most_rows, moving_ - row_);
  p.cols = std::min(map_.columns, held_ - column_);
  p.first = unit == 0 && in_unit < map_.group;
  return p;
}

void Folds::advance(const Pass& done) {
  ++folds_;
  used_cells_ += std::uint64_t{done.cols} * (map_.holds_tile ? done.depth : done.rows);
  k_ += done.depth;
  if (k_ < of_.k) return;
  k_ = 0;
  row_ += done.rows;
  if (row_ < moving_) return;
  row_ = 0;
  column_ += done.cols;
}

bool Folds::next(isa::Instruction& out) {
  if (column_ >= held_) return false;
  const Pass p = pass();
  if (map_.holds_tile && !preloaded_) {
    out = preload_pass(p, map_.x_held ? of_.x : of_.w, order_);
    out.a = held_at_;
    preloaded_ = true;
    return true;
  }
  out = map_.holds_tile ? multiply_pass(map_, p, map_.x_held ? of_.w : of_.x) : matmul_pass(p, of_.w, order_);
  out.a = moving_at_;
  if (!map_.holds_tile) out.b = held_at_;
  out.dst = isa::LocalAddress::accumulator(0);
  preloaded_ = false;
  advance(p);
  return true;
}

}  // namespace tokencycle::compiler
