// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/dataflow.h"

#include <algorithm>
#include <bit>

namespace tokencycle::machine {

namespace {

// Levels of a tree that adds `inputs` numbers.
std::uint64_t tree_levels(std::uint64_t inputs) {
  return static_cast<std::uint64_t>(std::bit_width(inputs - 1));
}

std::uint64_t more(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

// A faster type behind a slower one: its wave crosses the array's `hops` cells in less time.
std::uint64_t overtaking_cycles(std::uint64_t hops, const ArrayPass& before, const ArrayPass& next) {
  return hops * more(before.step, next.step);
}

// The systolic array that holds a tile: moving rows go right, partial sums go down. Weight- and
// input-stationary machines have the same array; what differs is whose tile the compiler puts there.
class StationaryArray : public Dataflow {
 public:
  explicit StationaryArray(const config::Matrix& m) : rows_(m.rows), columns_(m.columns) {}

  bool holds_tile() const override { return true; }
  // Lines of k come down from the top edge, lines of n (tiles stored n-major) in from the left edge.
  std::uint64_t shift_in_cycles(isa::TileOrder order) const override {
    return order == isa::TileOrder::kn ? rows_ : columns_;
  }
  // A line moves on every cycle, the wave that changes tiles once a step; the tile must not come first.
  std::uint64_t tile_free_cycles(std::uint64_t step) const override { return hops() * (step - 1); }
  // A row meets column c after c steps and leaves the bottom `rows` steps later.
  std::uint64_t result_cycles(const ArrayPass& pass, std::uint64_t m, std::uint64_t c) const override {
    return (m + rows_ + c) * pass.step + pass.fold;
  }
  std::uint64_t exit_cycles(const ArrayPass& pass) const override {
    return (rows_ + columns_ - 2) * pass.step + pass.fold;
  }
  // Integer sums add in any order, at the bottom; float sums go in again at the top, a cycle after.
  std::uint64_t continue_cycles(std::uint64_t step, bool integer) const override {
    return integer ? 0 : step * rows_ + 1;
  }
  // A pass that folds fewer groups leaves sooner behind its last row; its results stay in order.
  std::uint64_t gap_cycles(const ArrayPass& before, const ArrayPass& next) const override {
    return overtaking_cycles(hops(), before, next) + more(before.fold, next.fold);
  }

 private:
  std::uint64_t hops() const { return rows_ + columns_ - 2; }
  std::uint64_t rows_, columns_;
};

// Both operands move, sums stay: rows take m, columns n. A cell puts its total on its column's result bus.
class OutputStationaryArray : public Dataflow {
 public:
  explicit OutputStationaryArray(const config::Matrix& m) : rows_(m.rows), columns_(m.columns) {}

  bool holds_tile() const override { return false; }
  std::uint64_t shift_in_cycles(isa::TileOrder) const override { return 0; }
  std::uint64_t tile_free_cycles(std::uint64_t) const override { return 0; }
  // The last k meets cell (m, c) m + c steps after it entered.
  std::uint64_t result_cycles(const ArrayPass& pass, std::uint64_t m, std::uint64_t c) const override {
    return (pass.depth + m + c) * pass.step + pass.fold;
  }
  std::uint64_t exit_cycles(const ArrayPass& pass) const override {
    return (rows_ + columns_ - 2) * pass.step + pass.fold;
  }
  std::uint64_t continue_cycles(std::uint64_t, bool) const override { return 0; }
  // The next pass's first total follows the last total of the one before on each bus.
  std::uint64_t gap_cycles(const ArrayPass& before, const ArrayPass& next) const override {
    const std::uint64_t bus_free = before.rows * before.step + before.fold;
    const std::uint64_t bus_wanted = next.depth * next.step + next.fold;
    return more(bus_free, bus_wanted) + overtaking_cycles(rows_ + columns_ - 2, before, next);
  }

 private:
  std::uint64_t rows_, columns_;
};

// A row's elements meet all cells at once, and each column adds its products: integers in a tree, floats
// one after the other, because their order of additions is fixed.
class DotProductArray : public Dataflow {
 public:
  explicit DotProductArray(const config::Matrix& m) : rows_(m.rows) {}

  bool holds_tile() const override { return true; }
  // A line is written straight to its place.
  std::uint64_t shift_in_cycles(isa::TileOrder) const override { return 0; }
  std::uint64_t tile_free_cycles(std::uint64_t) const override { return 0; }
  std::uint64_t result_cycles(const ArrayPass& pass, std::uint64_t m, std::uint64_t) const override {
    return m * pass.step + latency(pass);
  }
  std::uint64_t exit_cycles(const ArrayPass& pass) const override { return latency(pass) - pass.step; }
  std::uint64_t continue_cycles(std::uint64_t step, bool integer) const override {
    return integer ? 0 : step * rows_ + 1;
  }
  // A shorter pipeline behind a longer one: neither sums nor totals meet on their way to and through the
  // scale cells.
  std::uint64_t gap_cycles(const ArrayPass& before, const ArrayPass& next) const override {
    return more(latency(before) - before.fold, latency(next) - next.fold) + more(before.fold, next.fold);
  }

 private:
  // The multipliers' step, then a step a level of the tree (or an addition of the chain).
  std::uint64_t latency(const ArrayPass& pass) const {
    const std::uint64_t segment = std::min(rows_, pass.group);
    if (!pass.integer) return (1 + segment) * pass.step + pass.fold;
    const std::uint64_t inputs = pass.grouped ? segment : rows_;
    return (1 + tree_levels(inputs)) * pass.step + pass.fold;
  }
  std::uint64_t rows_;
};

}  // namespace

std::unique_ptr<Dataflow> make_dataflow(const config::Matrix& matrix) {
  switch (matrix.dataflow) {
    case config::Dataflow::weight_stationary:
    case config::Dataflow::input_stationary:
      return std::make_unique<StationaryArray>(matrix);
    case config::Dataflow::output_stationary:
      return std::make_unique<OutputStationaryArray>(matrix);
    case config::Dataflow::dot_product:
      return std::make_unique<DotProductArray>(matrix);
  }
  return nullptr;
}

std::uint64_t folds_behind(std::uint64_t depth, std::uint64_t group, std::uint64_t step,
                           std::uint64_t latency) {
  const std::uint64_t last = (depth - 1) / group;  // group index; groups before it are whole
  if (last == 0) return latency;
  const std::uint64_t between = group * step, ready = depth * step;
  // Either folding keeps pace with the groups, or it is behind since the first one.
  const std::uint64_t before = std::max(last * between + latency, between + last * latency);
  return std::max(before, ready) + latency - ready;
}

}  // namespace tokencycle::machine
