// SPDX-License-Identifier: Apache-2.0
// How long something lasted in each bank of a channel, added up: open rows, refreshes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace tokencycle::memory {

// Each bank is in at most one interval [begin, end) at a time. An end may lie ahead of the clock in which it
// becomes known.
class DramIntervalSum {
 public:
  explicit DramIntervalSum(std::uint32_t banks) : banks_(banks) {}

  // Not before the end of the bank's last interval.
  void begin(std::uint32_t bank, std::uint64_t at) {
    past_ += banks_[bank].end - banks_[bank].begin;
    banks_[bank] = {at, kOpen};
  }
  void end(std::uint32_t bank, std::uint64_t at) { banks_[bank].end = at; }
  // Intervals that are over and were not reported one by one.
  void add(std::uint64_t clocks) { past_ += clocks; }

  // Clocks before `until`, summed over the banks; `until` is not before any begin.
  std::uint64_t clocks(std::uint64_t until) const {
    std::uint64_t sum = past_;
    for (const Interval& i : banks_) sum += std::min(i.end, until) - std::min(i.begin, until);
    return sum;
  }

  template <class Archive>
  void serialize(Archive& state) {
    state(banks_, past_);
  }

 private:
  static constexpr std::uint64_t kOpen = std::numeric_limits<std::uint64_t>::max();
  struct Interval {
    std::uint64_t begin = 0, end = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(begin, end);
    }
  };
  std::vector<Interval> banks_;
  std::uint64_t past_ = 0;
};

}  // namespace tokencycle::memory
