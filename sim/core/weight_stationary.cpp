// SPDX-License-Identifier: Apache-2.0
// The weight-stationary systolic array: the tile stays, activations move right, partial sums move down.
#include "core/dataflow.h"

namespace tokencycle::core {

namespace {

class WeightStationary : public Dataflow {
 public:
  WeightStationary(std::uint64_t rows, std::uint64_t columns) : rows_(rows), columns_(columns) {}

  // Rows of k shift down from the top edge, columns of n (tiles stored n-major) from the left edge; a line
  // has to reach the far end, also when the tile is smaller than the array.
  std::uint64_t shift_in_cycles(isa::TileOrder order) const override {
    return order == isa::TileOrder::kn ? rows_ : columns_;
  }
  // The row meets column c after c steps and leaves the bottom after `rows` more; the last column counts.
  std::uint64_t exit_cycles(std::uint64_t step) const override { return step * (rows_ + columns_ - 1); }
  // Integer sums add in any order, at the bottom; float sums continue from the top in ascending k.
  std::uint64_t continue_cycles(std::uint64_t step, bool integer) const override {
    return integer ? 0 : step * rows_ + 1;
  }

 private:
  std::uint64_t rows_, columns_;
};

}  // namespace

std::unique_ptr<Dataflow> make_dataflow(const config::Matrix& matrix) {
  switch (matrix.dataflow) {
    case config::Dataflow::weight_stationary:
      return std::make_unique<WeightStationary>(matrix.rows, matrix.columns);
  }
  return nullptr;
}

}  // namespace tokencycle::core
