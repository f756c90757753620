// SPDX-License-Identifier: Apache-2.0
// The output-stationary array, register by register: both operands move, and each cell keeps its sum and its
// total until it puts the total on the result bus of its column.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "support/array_registers.h"

namespace tokencycle::test {

// Advanced by clock(), one cycle a call, from cycle 0 on. Throws RegisterFault when a wave runs into the one
// before it, two cells drive one bus, or a total is wanted that its cell still folds.
class OutputRegisters {
 public:
  // The control bits that travel with an element.
  struct Control {
    Kind kind = Kind::integer;
    std::uint16_t step = 1;
    std::uint32_t pass = 0, k = 0;
    bool last = false;        // the last k value
    bool group_ends = false;  // or of a group
    bool accumulate = false;
    std::uint32_t rows = 1, columns = 1;  // cells whose results are wanted
    std::uint32_t destination = 0;        // accumulator row of the array's row 0
  };
  struct Element {
    Operand operand;
    Control control;
  };
  struct Inputs {
    std::vector<std::optional<Element>> left;  // by row
    std::vector<std::optional<Element>> top;   // by column
  };

  explicit OutputRegisters(const ArrayShape& shape);
  Inputs no_inputs() const;
  void clock(const Inputs& inputs);

  std::uint64_t cycle() const { return cycle_; }
  bool empty() const;
  const std::vector<Result>& results() const { return results_; }
  std::uint32_t& memory(std::uint32_t destination, std::uint32_t column) {
    return memory_.at(std::size_t{destination} * shape_.columns + column);
  }

 private:
  // A pass's total in its cell, and its group sums on their way into it.
  struct Total {
    Control control;
    std::deque<SegmentSum> waiting;
    std::uint32_t bits = 0;
    std::optional<std::uint32_t> folding;  // cycles until the first of `waiting` is in the total
    bool begun = false;                    // the old total is here
    bool complete = false;                 // the last group is among `waiting`
  };
  struct Cell {
    std::optional<Element> x, w;
    std::uint32_t age = 0;     // cycles of the step that are over
    std::uint32_t sum = 0;     // of the group; plain integers: of all
    std::deque<Total> totals;  // of the passes whose totals have not left
  };
  Cell& cell(std::uint32_t m, std::uint32_t n) { return cells_[std::size_t{m} * shape_.columns + n]; }
  void arrive(std::uint32_t m, std::uint32_t n, std::optional<Element> Cell::*side, const Element& element);
  void advance_cell(std::uint32_t m, std::uint32_t n);
  void multiply(Cell& here, std::uint32_t m, std::uint32_t n);
  void advance_totals(std::uint32_t m, std::uint32_t n);
  void fold(Total& total, std::uint32_t m, std::uint32_t n);
  void begin_total(Total& total, std::uint32_t m, std::uint32_t n);
  void drive(const Total& total, std::uint32_t m, std::uint32_t n);

  const ArrayShape shape_;
  std::uint64_t cycle_ = 0;
  std::vector<Cell> cells_;
  std::vector<std::uint64_t> bus_driven_;  // by column: the cycle in which it was driven last
  std::vector<std::uint32_t> memory_;
  std::vector<Result> results_;
};

}  // namespace tokencycle::test
