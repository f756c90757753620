// SPDX-License-Identifier: Apache-2.0
// Counts of latencies in bounded memory, and their percentiles.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "memory/dram/banks.h"

namespace tokencycle::memory {

// Up to kExact - 1 clocks each latency has a count of its own; above, each power of two is cut into kParts
// equal ranges, so that a percentile there is at most 1 / kParts too large.
class DramLatencies {
 public:
  static constexpr Clock kExact = 1 << 16;
  static constexpr Clock kParts = 256;

  DramLatencies();
  void add(Clock latency) {
    ++counts_[index_of(latency)];
    ++count_;
    sum_ += latency;
    min_ = std::min(min_, latency);
    max_ = std::max(max_, latency);
  }

  std::uint64_t count() const { return count_; }
  // All of them 0 when nothing was counted.
  Clock min() const { return count_ == 0 ? 0 : min_; }
  Clock max() const { return max_; }
  double average() const;
  // The least latency that at least `percent` of all do not exceed (nearest rank); 0 < percent <= 100.
  Clock percentile(double percent) const;

 private:
  static std::size_t index_of(Clock latency);
  static Clock last_of(std::size_t index);  // the largest latency counted there

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0, sum_ = 0;
  Clock min_ = kNoClock, max_ = 0;
};

}  // namespace tokencycle::memory
