// SPDX-License-Identifier: Apache-2.0
// What a trial's instructions ask of the array, by the array's description rather than by sim/machine.
#pragma once

#include <cstdint>
#include <vector>

#include "machine/matrix/dataflow.h"
#include "proof/trial.h"
#include "support/array_registers.h"

namespace tokencycle::proof {

// One multiply or matmul.
struct Wave {
  std::size_t number = 0;                  // of the instruction in the program
  const isa::Instruction* work = nullptr;  // points into the trial
  const isa::Instruction* tile = nullptr;  // multiply: the preload of its tile
  test::Kind kind = test::Kind::integer;
  std::uint32_t step = 1;      // cycles of one multiply-add
  std::uint32_t group = 32;    // k values that are summed before they are scaled
  std::uint32_t segments = 1;  // groups that it has a part of
  std::uint32_t closing = 1;   // of which so many end in it
  std::uint64_t fold = 0;      // cycles from its last sum to its last total

  std::uint32_t region(const Trial& trial) const { return work->dst.byte() / trial.region_bytes(); }
  // The same as sim/machine's formulas take it.
  machine::ArrayPass shape() const;
};

std::vector<Wave> waves_of(const Trial& trial);

}  // namespace tokencycle::proof
