// SPDX-License-Identifier: Apache-2.0
#include "rtl/array_bench.h"

#include <fmt/format.h>

#include <algorithm>

namespace tokencycle::rtl {

SumsBelow::SumsBelow(const proof::Trial& trial)
    : trial_(trial), waves_(proof::waves_of(trial)), next_(trial.matrix().columns) {
  run_.sums.resize(trial.regions.size() * trial.region_bytes());
}

std::uint32_t SumsBelow::total(const proof::Wave& wave, std::uint32_t m, std::uint32_t c) const {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &run_.sums[trial_.place(wave.region(trial_), m, c)], sizeof bits);
  return bits;
}

bool SumsBelow::complete() const {
  return !run_.fault.empty() || std::all_of(next_.begin(), next_.end(),
                                            [&](const Next& next) { return next.pass == waves_.size(); });
}

void SumsBelow::leave(std::uint64_t cycle, std::uint32_t c, std::uint32_t bits, bool adds) {
  Next& next = next_[c];
  if (next.pass == waves_.size())
    return fault(fmt::format("cycle {}: column {} has a sum too many", cycle, c));
  const proof::Wave& wave = waves_[next.pass];
  const auto pass = static_cast<std::uint32_t>(next.pass);
  const std::uint32_t m = next.row++;
  if (next.row == wave.work->rows) next = {next.pass + 1, 0};
  if (c >= wave.work->cols) return;  // a column that the pass does not use
  if (adds && wave.work->accumulate) bits += total(wave, m, c);
  std::memcpy(&run_.sums[trial_.place(wave.region(trial_), m, c)], &bits, sizeof bits);
  run_.results.push_back({cycle, pass, m, c, bits, test::Leaves::total});
}

}  // namespace tokencycle::rtl
