// SPDX-License-Identifier: Apache-2.0
// The machine's clock and the memory's, both counted from time 0, without rounding errors that add up.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>

#include "base/quantity.h"
#include "memory/dram/banks.h"

namespace tokencycle::memory {

// Memory clock k begins k * tCK after time 0, cycle c of the machine c periods after it. Periods are whole
// femtoseconds. Products are times in these: below 2^64 for the first five hours.
class ClockRatio {
 public:
  ClockRatio(std::uint64_t tck_ps, double machine_ghz)
      : clock_(tck_ps * 1000), cycle_(static_cast<std::uint64_t>(std::llround(1e6 / machine_ghz))) {
    const std::uint64_t common = std::gcd(clock_, cycle_);
    clock_ /= common;
    cycle_ /= common;
  }
  // The cycle in which the clock begins.
  Cycle cycle_of(Clock clock) const { return Cycle(clock * clock_ / cycle_); }
  // The first cycle that begins with the clock or after it.
  Cycle cycle_from(Clock clock) const { return Cycle(ceil_div(clock * clock_, cycle_)); }
  // The last clock that begins in the cycle or before it.
  Clock last_clock(Cycle cycle) const { return ceil_div((cycle.value + 1) * cycle_, clock_) - 1; }

 private:
  std::uint64_t clock_, cycle_;  // lengths, in the same unit
};

}  // namespace tokencycle::memory
