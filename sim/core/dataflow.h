// SPDX-License-Identifier: Apache-2.0
// How operands move through the array: the small interface behind which a dataflow is added.
#pragma once

#include <cstdint>
#include <memory>

#include "config/machine.h"
#include "isa/instruction.h"

namespace tokencycle::core {

// Cycle counts of one array; a pass is one multiply instruction, a step the cycles that the multiplier type
// needs for one moving row (matrix.cycles_per_row). sim/core/README.md derives the formulas.
class Dataflow {
 public:
  virtual ~Dataflow() = default;
  // Cycles to shift a tile into the shadow registers, one line a cycle.
  virtual std::uint64_t shift_in_cycles(isa::TileOrder order) const = 0;
  // Cycles from the entry of the last moving row to the last result's exit.
  virtual std::uint64_t exit_cycles(std::uint64_t step) const = 0;
  // Cycles between the entry of a row and the entry of the same row in a pass that continues its group sums:
  // the sum must have come out at the bottom before it goes in again at the top. 0: no such wait.
  virtual std::uint64_t continue_cycles(std::uint64_t step, bool integer) const = 0;
};

std::unique_ptr<Dataflow> make_dataflow(const config::Matrix& matrix);

}  // namespace tokencycle::core
