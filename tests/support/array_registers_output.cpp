// SPDX-License-Identifier: Apache-2.0
#include "support/array_registers_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace tokencycle::test {

OutputRegisters::OutputRegisters(const ArrayShape& shape)
    : shape_(shape),
      cells_(std::size_t{shape.rows} * shape.columns),
      bus_driven_(shape.columns, ~std::uint64_t{0}),
      memory_(std::size_t{shape.accumulator_rows} * shape.columns) {}

OutputRegisters::Inputs OutputRegisters::no_inputs() const {
  Inputs inputs;
  inputs.left.resize(shape_.rows);
  inputs.top.resize(shape_.columns);
  return inputs;
}

bool OutputRegisters::empty() const {
  return std::all_of(cells_.begin(), cells_.end(),
                     [](const Cell& c) { return !c.x && !c.w && c.totals.empty(); });
}

void OutputRegisters::clock(const Inputs& inputs) {
  // (1) What the edges drive in this cycle.
  for (std::uint32_t m = 0; m < shape_.rows; ++m) {
    if (inputs.left[m]) arrive(m, 0, &Cell::x, *inputs.left[m]);
  }
  for (std::uint32_t n = 0; n < shape_.columns; ++n) {
    if (inputs.top[n]) arrive(0, n, &Cell::w, *inputs.top[n]);
  }
  // (2) Totals: a group's sum that is in its register begins to fold, finished totals go to the bus.
  for (std::uint32_t m = 0; m < shape_.rows; ++m) {
    for (std::uint32_t n = 0; n < shape_.columns; ++n) {
      if (!cell(m, n).totals.empty()) advance_totals(m, n);
    }
  }
  // (3) The clock's edge. Every cell hands on to its right and its lower neighbour, so those go first.
  for (std::uint32_t m = shape_.rows; m-- > 0;) {
    for (std::uint32_t n = shape_.columns; n-- > 0;) {
      if (cell(m, n).x || cell(m, n).w) advance_cell(m, n);
    }
  }
  ++cycle_;
}

void OutputRegisters::arrive(std::uint32_t m, std::uint32_t n, std::optional<Element> Cell::*side,
                             const Element& element) {
  std::optional<Element>& here = cell(m, n).*side;
  if (here) {
    throw RegisterFault(fmt::format("cell ({}, {}), cycle {}: pass {} k {} runs into pass {} k {}", m, n,
                                    cycle_, element.control.pass, element.control.k, here->control.pass,
                                    here->control.k));
  }
  here = element;
}

void OutputRegisters::advance_cell(std::uint32_t m, std::uint32_t n) {
  Cell& here = cell(m, n);
  if (!here.x || !here.w || here.x->control.k != here.w->control.k ||
      here.x->control.pass != here.w->control.pass) {
    throw RegisterFault(
        fmt::format("cell ({}, {}), cycle {}: the two operands are not of one k", m, n, cycle_));
  }
  if (++here.age < here.x->control.step) return;
  multiply(here, m, n);
  if (n + 1 < shape_.columns) arrive(m, n + 1, &Cell::x, *here.x);
  if (m + 1 < shape_.rows) arrive(m + 1, n, &Cell::w, *here.w);
  here.x.reset();
  here.w.reset();
  here.age = 0;
}

void OutputRegisters::multiply(Cell& here, std::uint32_t m, std::uint32_t n) {
  const Control& control = here.x->control;
  if (control.k == 0) {
    here.totals.push_back({control, {}, 0, {}, false, false});
    if (control.kind == Kind::integer) begin_total(here.totals.back(), m, n);
  }
  Total& total = here.totals.back();
  here.sum = multiply_add(control.kind, here.sum, here.x->operand.bits, here.w->operand.bits);
  if (control.group_ends || control.last) {
    total.waiting.push_back({here.sum, here.x->operand.scale * here.w->operand.scale,
                             offset_product(here.x->operand, here.w->operand)});
    here.sum = 0;
  }
  total.complete = control.last;
}

// The old total comes in, or the new one starts at zero.
void OutputRegisters::begin_total(Total& total, std::uint32_t m, std::uint32_t n) {
  total.begun = true;
  const Control& control = total.control;
  if (!control.accumulate || m >= control.rows || n >= control.columns) return;
  for (const Total& other : cell(m, n).totals) {
    if (&other == &total || other.control.destination != control.destination) continue;
    throw RegisterFault(
        fmt::format("cell ({}, {}), cycle {}: pass {} wants the total that pass {} still folds", m, n, cycle_,
                    control.pass, other.control.pass));
  }
  total.bits = memory(control.destination + m, n);
}

void OutputRegisters::advance_totals(std::uint32_t m, std::uint32_t n) {
  std::deque<Total>& totals = cell(m, n).totals;
  for (Total& total : totals) fold(total, m, n);
  while (!totals.empty() && totals.front().complete && totals.front().waiting.empty()) {
    drive(totals.front(), m, n);
    totals.pop_front();
  }
}

// One cycle of the cell's scale-and-accumulate unit for one total: groups one after the other.
void OutputRegisters::fold(Total& total, std::uint32_t m, std::uint32_t n) {
  const Kind kind = total.control.kind;
  if (kind == Kind::integer) {
    if (!total.complete) return;
    total.bits += total.waiting.front().bits;
    total.waiting.clear();
    return;
  }
  if (total.folding) --*total.folding;
  while (!total.waiting.empty()) {
    if (!total.folding) {
      if (!total.begun) begin_total(total, m, n);
      total.folding = shape_.scale_latency;
    }
    if (*total.folding > 0) return;
    const float sum = add_term(kind, std::bit_cast<float>(total.bits), total.waiting.front());
    total.bits = std::bit_cast<std::uint32_t>(sum);
    total.waiting.pop_front();
    total.folding.reset();
  }
}

void OutputRegisters::drive(const Total& total, std::uint32_t m, std::uint32_t n) {
  const Control& control = total.control;
  if (m >= control.rows || n >= control.columns) {
    return results_.push_back({cycle_, control.pass, m, n, total.bits, Leaves::unused});
  }
  if (bus_driven_[n] == cycle_) {
    throw RegisterFault(
        fmt::format("column {}, cycle {}: two cells drive the bus, one in row {} with pass {}", n, cycle_, m,
                    control.pass));
  }
  bus_driven_[n] = cycle_;
  memory(control.destination + m, n) = total.bits;
  results_.push_back({cycle_, control.pass, m, n, total.bits, Leaves::total});
}

}  // namespace tokencycle::test
