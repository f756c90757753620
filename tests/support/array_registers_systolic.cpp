// SPDX-License-Identifier: Apache-2.0
#include "support/array_registers_systolic.h"

#include <fmt/format.h>

#include <algorithm>

namespace tokencycle::test {

SystolicRegisters::SystolicRegisters(const ArrayShape& shape)
    : shape_(shape), cells_(std::size_t{shape.rows} * shape.columns), below_(shape.columns) {
  for (std::uint32_t c = 0; c < shape.columns; ++c) tails_.emplace_back(shape, c);
}

SystolicRegisters::Inputs SystolicRegisters::no_inputs() const {
  Inputs inputs;
  inputs.left.resize(shape_.rows);
  inputs.tile_top.resize(shape_.columns);
  inputs.tile_left.resize(shape_.rows);
  return inputs;
}

bool SystolicRegisters::empty() const {
  return std::none_of(cells_.begin(), cells_.end(), [](const Cell& c) { return c.moving.has_value(); }) &&
         std::none_of(below_.begin(), below_.end(), [](const auto& b) { return b.has_value(); }) &&
         std::all_of(tails_.begin(), tails_.end(), [](const ColumnTail& t) { return t.empty(); });
}

void SystolicRegisters::clock(const Inputs& inputs) {
  // (1) What the edges drive in this cycle.
  for (std::uint32_t k = 0; k < shape_.rows; ++k) {
    if (inputs.left[k]) arrive(k, 0, *inputs.left[k]);
  }
  for (std::uint32_t c = 0; c < shape_.columns; ++c) enter_top(c);
  // (2) What is in the registers below the array.
  for (std::uint32_t c = 0; c < shape_.columns; ++c) {
    tails_[c].clock(cycle_, below_[c], results_);
    below_[c].reset();
  }
  // (3) The clock's edge. Every cell hands on to its right and its lower neighbour, so those go first.
  advance_chain(inputs);
  for (std::uint32_t k = shape_.rows; k-- > 0;) {
    for (std::uint32_t c = shape_.columns; c-- > 0;) {
      if (cell(k, c).moving) advance_cell(k, c);
    }
  }
  ++cycle_;
}

// A moving element is in the cell's register; the flag of a pass with a new tile changes the bank at once.
void SystolicRegisters::arrive(std::uint32_t k, std::uint32_t c, const Moving& moving) {
  Cell& here = cell(k, c);
  if (here.moving) {
    throw RegisterFault(fmt::format("cell ({}, {}), cycle {}: pass {} row {} runs into pass {} row {}", k, c,
                                    cycle_, moving.control.pass, moving.control.row,
                                    here.moving->control.pass, here.moving->control.row));
  }
  here.moving = moving;
  here.age = 0;
  if (moving.control.swap) here.active ^= 1u;
}

// The wave meets the top of a column: sums begin at zero, or a float sum continues from the group buffer.
void SystolicRegisters::enter_top(std::uint32_t c) {
  Cell& top = cell(0, c);
  if (!top.moving || top.sums) return;
  const RowControl& control = top.moving->control;
  top.sums.emplace();
  if (!control.open && control.kind == Kind::real) (*top.sums)[0].bits = tails_[c].take_waiting(control.row);
}

// One cycle of a cell's step; at the step's end its element goes right and its sums go down.
void SystolicRegisters::advance_cell(std::uint32_t k, std::uint32_t c) {
  Cell& here = cell(k, c);
  if (!here.sums) {
    throw RegisterFault(
        fmt::format("cell ({}, {}), cycle {}: no partial sum came with the element", k, c, cycle_));
  }
  const RowControl& control = here.moving->control;
  if (++here.age < control.step) return;

  const Operand& weight = here.tile[here.active];
  const std::uint32_t segment = control.kind == Kind::integer ? 0 : k / control.group;
  SegmentSum& sum = (*here.sums)[segment];
  sum.bits = multiply_add(control.kind, sum.bits, here.moving->operand.bits, weight.bits);
  if ((k + 1) % control.group == 0 || k + 1 == shape_.rows) {
    sum.scale = here.moving->operand.scale * weight.scale;
    sum.offset = offset_product(here.moving->operand, weight);
  }

  if (k + 1 < shape_.rows) {
    if (cell(k + 1, c).sums)
      throw RegisterFault(fmt::format("cell ({}, {}): two partial sums meet", k + 1, c));
    cell(k + 1, c).sums = here.sums;
  } else {
    below_[c] = RowSums{control, *here.sums};
  }
  if (c + 1 < shape_.columns) arrive(k, c + 1, *here.moving);
  here.moving.reset();
  here.sums.reset();
}

// Words of a tile move one cell a cycle, down (lines of k) or right (lines of n). With the last word of a
// column (or row) all its cells capture what comes to them into the spare bank.
void SystolicRegisters::advance_chain(const Inputs& inputs) {
  const auto any = [](const auto& words) {
    return std::any_of(words.begin(), words.end(), [](const auto& w) { return w.has_value(); });
  };
  if (any(inputs.tile_top) || any(inputs.tile_left)) {
    chain_busy_until_ = cycle_ + shape_.rows + shape_.columns;
  }
  if (cycle_ >= chain_busy_until_) return;
  for (std::uint32_t k = shape_.rows; k-- > 0;) {
    for (std::uint32_t c = shape_.columns; c-- > 0;) shift_word(k, c, inputs);
  }
}

void SystolicRegisters::shift_word(std::uint32_t k, std::uint32_t c, const Inputs& inputs) {
  Cell& here = cell(k, c);
  const auto& top = inputs.tile_top[c];
  const auto& left = inputs.tile_left[k];
  const auto way_from = [&](bool edge, const auto& word, const Cell* neighbour, Way way) {
    return edge ? word.has_value() : neighbour->way == way;
  };
  const bool down = way_from(k == 0, top, k == 0 ? nullptr : &cell(k - 1, c), Way::down);
  const bool right = way_from(c == 0, left, c == 0 ? nullptr : &cell(k, c - 1), Way::right);
  if (down && right) {
    throw RegisterFault(fmt::format("cell ({}, {}), cycle {}: two words in the load chain", k, c, cycle_));
  }
  here.way = down ? Way::down : right ? Way::right : Way::none;
  if (down) here.chain = k == 0 ? top->operand : cell(k - 1, c).chain;
  if (right) here.chain = c == 0 ? left->operand : cell(k, c - 1).chain;
  if ((down && top && top->last) || (right && left && left->last)) {
    here.tile[here.active ^ 1u] = here.chain;
    here.way = Way::none;
  }
}

}  // namespace tokencycle::test
