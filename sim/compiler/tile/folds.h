// SPDX-License-Identifier: Apache-2.0
// The instructions of a product for the array alone: one fold after the other, made when they are asked for.
#pragma once

#include "compiler/tile/mapping.h"

namespace tokencycle::compiler {

// A fold is one tile (preload and multiply) or one matmul, as map_product() cuts them. Order: tiles outside,
// moving rows, k inside. Tiles that need not lie along k come in from the top, as formulas have them: in as
// many cycles as the array has rows. (A program's tiles are rows of k and come in from the side.)
class Folds {
 public:
  // X[m][k] and W[n][k] of these formats. Addresses: of the operands, which every instruction reads; contents
  // do not matter.
  struct Operands {
    Format x = Format::f32, w = Format::f32;
    std::uint32_t m = 0, n = 0, k = 0;
  };
  Folds(const config::Matrix& array, const Operands& operands, isa::LocalAddress moving,
        isa::LocalAddress held);

  // The next instruction; false when there is none.
  bool next(isa::Instruction& out);

  // Of the folds so far: their number, and cells that held an operand or a sum.
  std::uint64_t folds() const { return folds_; }
  std::uint64_t used_cells() const { return used_cells_; }

 private:
  Pass pass() const;
  void advance(const Pass& done);

  Mapping map_;
  Operands of_;
  isa::TileOrder order_;
  isa::LocalAddress moving_at_, held_at_;
  std::uint32_t moving_, held_;  // rows and columns in all
  std::uint32_t column_ = 0, row_ = 0, k_ = 0;
  bool preloaded_ = false;
  std::uint64_t folds_ = 0, used_cells_ = 0;
};

}  // namespace tokencycle::compiler
