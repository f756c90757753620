// SPDX-License-Identifier: Apache-2.0
// The instructions of a product for the array alone: one fold after the other, made when they are asked for.
#pragma once

#include "compiler/gemm.h"

namespace tokencycle::compiler {

// A fold is one tile (preload and multiply) or one matmul. Order: tiles outside, moving rows, k inside.
class GemmFolds {
 public:
  // Addresses of the operands, which every instruction reads; contents do not matter.
  GemmFolds(const GemmMapping& map, isa::LocalAddress moving, isa::LocalAddress held)
      : map_(map), moving_(moving), held_(held) {}

  // The next instruction; false when there is none.
  bool next(isa::Instruction& out);

  // Of the folds so far: their number, and cells that held an operand or a sum.
  std::uint64_t folds() const { return folds_; }
  std::uint64_t used_cells() const { return used_cells_; }

 private:
  GemmPiece piece() const;
  void advance(const GemmPiece& done);

  GemmMapping map_;
  isa::LocalAddress moving_, held_;
  std::uint32_t tile_ = 0, row_ = 0, k_ = 0;
  bool preloaded_ = false;
  std::uint64_t folds_ = 0, used_cells_ = 0;
};

}  // namespace tokencycle::compiler
