// SPDX-License-Identifier: Apache-2.0
// The array that holds a tile, register by register: moving rows go right, partial sums go down, and the next
// tile comes in through the load chain. Weight- and input-stationary machines have the same one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/array_registers.h"

namespace tokencycle::test {

// Advanced by clock(), one cycle a call, from cycle 0 on. Throws RegisterFault when a wave runs into the one
// before it, when two words want one register, and for what ColumnTail refuses.
class SystolicRegisters {
 public:
  struct Moving {
    Operand operand;
    RowControl control;
  };
  // A word of a tile. `last`: with it the tile is complete in its column (or row), which captures it.
  struct TileWord {
    Operand operand;
    bool last = false;
  };
  // What enters at the edges in one cycle.
  struct Inputs {
    std::vector<std::optional<Moving>> left;         // by row
    std::vector<std::optional<TileWord>> tile_top;   // by column: lines of k
    std::vector<std::optional<TileWord>> tile_left;  // by row: lines of n
  };

  explicit SystolicRegisters(const ArrayShape& shape);
  Inputs no_inputs() const;
  void clock(const Inputs& inputs);

  std::uint64_t cycle() const { return cycle_; }
  bool empty() const;  // nothing moves any more, apart from tile words
  const std::vector<Result>& results() const { return results_; }
  ColumnTail& tail(std::uint32_t column) { return tails_[column]; }

 private:
  enum class Way : std::uint8_t { none, down, right };
  struct Cell {
    std::optional<Moving> moving;
    std::optional<SegmentSums> sums;  // from above
    std::uint32_t age = 0;            // cycles of the step that are over
    std::array<Operand, 2> tile;      // two banks
    std::uint8_t active = 0;          // the bank that multiplies
    Operand chain;                    // the load chain's register
    Way way = Way::none;              // of the word in it
  };
  Cell& cell(std::uint32_t k, std::uint32_t c) { return cells_[std::size_t{k} * shape_.columns + c]; }
  void arrive(std::uint32_t k, std::uint32_t c, const Moving& moving);
  void enter_top(std::uint32_t c);
  void advance_cell(std::uint32_t k, std::uint32_t c);
  void advance_chain(const Inputs& inputs);
  void shift_word(std::uint32_t k, std::uint32_t c, const Inputs& inputs);

  const ArrayShape shape_;
  std::uint64_t cycle_ = 0;
  std::uint64_t chain_busy_until_ = 0;  // no word is in the load chain from this cycle on
  std::vector<Cell> cells_;
  std::vector<std::optional<RowSums>> below_;  // the registers below the array
  std::vector<ColumnTail> tails_;
  std::vector<Result> results_;
};

}  // namespace tokencycle::test
