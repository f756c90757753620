// SPDX-License-Identifier: Apache-2.0
// The machine's clock and the memory's, both counted from time 0, without rounding errors that add up.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>

#include "base/quantity.h"
#include "memory/dram/banks.h"

namespace tokencycle::memory {

// Divides by a number that stays the same, without the processor's division, which takes far longer.
class Divisor {
 public:
  explicit Divisor(std::uint64_t by) : by_(by), inverse_(~std::uint64_t{0} / by) {}
  // inverse_ falls short of 2^64 / by by less than one, and so does value * inverse_ / 2^64 of the quotient,
  // before it is rounded down: what comes out is the quotient or one less.
  std::uint64_t quotient(std::uint64_t value) const {
    __extension__ using Wide = unsigned __int128;
    const auto at_least = static_cast<std::uint64_t>(static_cast<Wide>(value) * inverse_ >> 64);
    return at_least + (value - at_least * by_ >= by_ ? 1 : 0);
  }
  std::uint64_t rounded_up(std::uint64_t value) const { return value == 0 ? 0 : quotient(value - 1) + 1; }

 private:
  std::uint64_t by_, inverse_;
};

// Memory clock k begins k * tCK after time 0, cycle c of the machine c periods after it. Periods are whole
// femtoseconds. Products are times in these: below 2^64 for the first five hours.
class ClockRatio {
 public:
  ClockRatio(std::uint64_t tck_ps, double machine_ghz)
      : ClockRatio(tck_ps * 1000, static_cast<std::uint64_t>(std::llround(1e6 / machine_ghz))) {}
  // The cycle in which the clock begins.
  Cycle cycle_of(Clock clock) const { return Cycle(by_cycle_.quotient(clock * clock_)); }
  // The first cycle that begins with the clock or after it.
  Cycle cycle_from(Clock clock) const { return Cycle(by_cycle_.rounded_up(clock * clock_)); }
  // The last clock that begins in the cycle or before it.
  Clock last_clock(Cycle cycle) const { return by_clock_.rounded_up((cycle.value + 1) * cycle_) - 1; }

  // Whether so many clocks take a cycle at least.
  bool fill_cycle(Clock clocks) const { return clocks * clock_ >= cycle_; }

 private:
  ClockRatio(std::uint64_t clock_fs, std::uint64_t cycle_fs)
      : clock_(clock_fs / std::gcd(clock_fs, cycle_fs)),
        cycle_(cycle_fs / std::gcd(clock_fs, cycle_fs)),
        by_clock_(clock_),
        by_cycle_(cycle_) {}

  std::uint64_t clock_, cycle_;  // lengths, in the same unit
  Divisor by_clock_, by_cycle_;
};

}  // namespace tokencycle::memory
