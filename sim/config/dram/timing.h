// SPDX-License-Identifier: Apache-2.0
// The times of a DRAM preset in clocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/dram/json.h"
#include "config/dram/standard.h"

namespace tokencycle::config {

struct DramClocking {
  // JEDEC's rounding with a guard band: (floor(time x multiply / tCK) + add) / 1000.
  struct Rounding {
    std::uint64_t multiply = 1000, add = 0;
  };
  std::uint64_t tck_ps = 1;
  std::uint32_t data_rate_mt_s = 1, beats_per_clock = 1;
  std::optional<Rounding> rounding;
};

DramClocking read_clocking(JsonObject& preset);

// Clocks that hold `ns` (at most 10^9, taken to a femtosecond): rounded up, or by the rounding of `clock`.
std::uint64_t clocks_that_hold(double ns, const DramClocking& clock);
// Clocks that `ns` holds: rounded down, for what must not come later.
std::uint64_t clocks_within(double ns, const DramClocking& clock);

// Reads /timing and the times of `refresh` (/refresh): a value in clocks for every parameter of the standard,
// for nREFI and, with REFpb, for nREFIpb. Their places are added to `places` (symbol, JSON pointer). Wrong
// and missing ones are reported and not in the result.
std::map<std::string, std::uint32_t> read_times(JsonObject& preset, JsonObject& refresh,
                                                const DramStandard& standard, const DramClocking& clock,
                                                std::map<std::string, std::string>& places);

}  // namespace tokencycle::config
