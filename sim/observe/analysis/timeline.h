// SPDX-License-Identifier: Apache-2.0
// What happened over the time of a whole run, in a bounded number of intervals.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/event.h"

namespace tokencycle::observe {

// Sums by interval of busy cycles, of bytes that DRAM moves, and of cycles by cause. When the last interval
// is full, neighbours become one and the interval doubles, so memory does not grow with the run.
class Timeline : public Observer {
 public:
  static constexpr std::uint64_t kFirstInterval = 64;  // cycles
  static constexpr std::size_t kMostIntervals = 512;   // even

  // Counts from `start` on. It subscribes before `units` and `stack`, because it asks them at an interval's
  // end what they counted up to there; they outlive it.
  Timeline(UnitStatistics& units, const CycleStack& stack, std::uint32_t burst_bytes, Cycle start);

  std::uint32_t interests() const override {
    return kinds({EventKind::unit_state, EventKind::burst_issued, EventKind::burst_done});
  }
  void on_event(const Event& event) override;
  // Time has come to `now`, and nothing before it is still to be reported. At the end of each step, before
  // units and stack are settled.
  void advance(Cycle now);

  // Everything up to `end`. A burst counts when it is done; those under way at the end count in the last
  // interval, so that the bytes sum to what was moved.
  struct Series {
    std::string
        name;  // "matrix0.busy", "dram.busy" (cycles, summed over channels), "dram.read_bytes", "cause.drain"
    std::string unit;                   // "cycles", "bytes"
    std::vector<std::uint64_t> values;  // by interval, the last one may be shorter
  };
  std::vector<Series> series(Cycle end);
  std::uint64_t interval() const { return interval_; }
  Cycle start() const { return start_; }

  template <class Archive>
  void serialize(Archive& state) {
    state(interval_, end_, before_, moved_, on_way_, closed_);
  }

 private:
  // Cumulative counts at an instant, then differences: sums of an interval.
  struct Counts {
    std::vector<std::uint64_t> busy;       // units of the core; all channels together
    std::array<std::uint64_t, 2> bytes{};  // read, written
    Stack stack{};
    void add(const Counts& more, bool subtract = false);
    template <class Archive>
    void serialize(Archive& state) {
      state(busy, bytes, stack);
    }
  };
  Counts counts_at(Cycle now);
  void close_interval(Cycle end);
  void join_neighbours();

  UnitStatistics& units_;
  const CycleStack& stack_;
  const std::uint64_t burst_bytes_;
  const Cycle start_;
  std::uint64_t interval_ = kFirstInterval;
  Cycle end_;                              // of the interval that is open
  Counts before_;                          // cumulative, at its start
  std::array<std::uint64_t, 2> moved_{};   // bytes of bursts done, cumulative
  std::array<std::uint64_t, 2> on_way_{};  // bursts issued and not done
  std::vector<Counts> closed_;
};

}  // namespace tokencycle::observe
