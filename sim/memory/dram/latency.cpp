// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/latency.h"

#include <bit>
#include <cmath>

namespace tokencycle::memory {

namespace {

constexpr int kExactBits = std::countr_zero(DramLatencies::kExact);
constexpr int kPartBits = std::countr_zero(DramLatencies::kParts);
static_assert(std::has_single_bit(DramLatencies::kExact) && std::has_single_bit(DramLatencies::kParts));

}  // namespace

DramLatencies::DramLatencies() : counts_(kExact + (64 - kExactBits) * kParts) {}

std::size_t DramLatencies::index_of(Clock latency) {
  if (latency < kExact) return latency;
  const int octave = 63 - std::countl_zero(latency);  // 2^octave <= latency
  const Clock part = (latency >> (octave - kPartBits)) - kParts;
  return kExact + static_cast<std::size_t>(octave - kExactBits) * kParts + part;
}

Clock DramLatencies::last_of(std::size_t index) {
  if (index < kExact) return index;
  const std::size_t above = index - kExact;
  const int octave = kExactBits + static_cast<int>(above / kParts);
  const Clock width = Clock{1} << (octave - kPartBits);
  return (Clock{1} << octave) + above % kParts * width + (width - 1);
}

double DramLatencies::average() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

Clock DramLatencies::percentile(double percent) const {
  if (count_ == 0) return 0;
  // Less a hair, so that 99.9 % of 1000 are 999 though 99.9 is no binary number.
  const double wanted = percent / 100 * static_cast<double>(count_);
  const auto rank = static_cast<std::uint64_t>(std::ceil(wanted - 1e-12 * wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank && seen != 0) return std::min(last_of(i), max_);
  }
  return max_;
}

}  // namespace tokencycle::memory
