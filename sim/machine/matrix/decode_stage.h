// SPDX-License-Identifier: Apache-2.0
// The stage behind each port of the array, which takes stored numbers apart: its width and its latency.
#pragma once

#include "base/quantity.h"
#include "config/machine.h"
#include "numerics/format.h"

namespace tokencycle::machine {

// What the stage costs a line of numbers: it is occupied for `cycles` from the line's first bytes on, and the
// last number is at the array's edge `latency` cycles later.
struct DecodeCost {
  std::uint64_t cycles = 1;
  std::uint64_t latency = 0;
};

inline DecodeCost decode_cost(const config::Matrix& matrix, Format f, std::uint64_t values) {
  const config::DecodeStage& stage = matrix.decode[static_cast<std::size_t>(row_of(f).decoding)];
  return {stage.values_per_cycle == 0 ? 1 : ceil_div(values, std::uint64_t{stage.values_per_cycle}),
          stage.latency_cycles};
}

}  // namespace tokencycle::machine
