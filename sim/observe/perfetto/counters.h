// SPDX-License-Identifier: Apache-2.0
// Level 1 of a Perfetto trace: how busy memory and arithmetic are, averaged over intervals.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "observe/perfetto/track.h"
#include "observe/trace_window.h"

namespace tokencycle::observe {

// dram.read, dram.write: GB/s (10^9 bytes) that requesters use, by the cycle in which a burst is done;
// matrix0.busy, vector0.busy: percent of the cycles. A value holds for its whole interval, the last one for
// what there was of it; a value that equals the one before is not written again.
class PerfettoCounters {
 public:
  static constexpr std::size_t kCounters = 4;

  // The tracks become children `rank` and following of `root`. Intervals begin at `interval` > 0 cycles'
  // distance.
  PerfettoCounters(PerfettoFile& file, std::uint32_t root, std::uint32_t rank, double clock_ghz,
                   std::uint32_t interval);

  // The first interval begins at `start`; further calls change nothing.
  void begin(Cycle start);
  // Whether an interval is over before `now`: then close it before anything of `now` is reported.
  bool due(Cycle now) const { return now >= end_; }
  // Writes the intervals that touch the window; 0 follows them.
  void close_intervals(Cycle now, const WindowGate& gate);
  void on_event(const Event& event) {
    if (event.kind == EventKind::burst_done) {
      bytes_[event.detail & 1] += event.value;
    } else if (event.kind == EventKind::unit_state) {
      if (event.unit == UnitId::matrix) units_[0].change(event);  // the first of several
      if (event.unit == UnitId::vector) units_[1].change(event);
    }
  }
  // The last interval ends at `end`.
  void finish(Cycle end, const WindowGate& gate);

  // What one event, or finish(), may write.
  static constexpr std::uint64_t kBound = 4 * kCounters * PerfettoTrack::kCounterBound;

 private:
  struct Unit {
    bool busy = false;
    Cycle since;  // counted up to here
    std::uint64_t cycles = 0;
    void settle(Cycle now) {
      if (busy) cycles += now.value - since.value;
      since = now;
    }
    void change(const Event& event) {
      settle(event.cycle);
      busy = static_cast<State>(event.detail) == State::busy;
    }
  };
  void close_interval(Cycle end, const WindowGate& gate);
  void write(std::size_t counter, double value);

  double clock_ghz_;
  std::uint32_t interval_;
  Cycle start_ = kNever, end_ = kNever;   // of the interval
  std::array<std::uint64_t, 2> bytes_{};  // read, written in it
  std::array<Unit, 2> units_;             // matrix, vector
  std::vector<PerfettoTrack> tracks_;
  std::array<double, kCounters> last_{};  // as written; nothing yet is 0 as well
};

}  // namespace tokencycle::observe
