// SPDX-License-Identifier: Apache-2.0
// The timeline: does every series sum to what was counted, however long the run was?
#include "observe/analysis/timeline.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

constexpr std::uint32_t kBurst = 64;

std::uint64_t sum_of(const Timeline::Series& series) {
  return std::accumulate(series.values.begin(), series.values.end(), std::uint64_t{0});
}

Event state_event(std::uint64_t cycle, UnitId unit, State state) {
  return {Cycle(cycle), 0, 0, 0, EventKind::unit_state, unit, static_cast<std::uint8_t>(state), 0};
}
Event burst(std::uint64_t cycle, EventKind kind, bool write) {
  return {Cycle(cycle), 0, kBurst, 0, kind, channel_id(0), static_cast<std::uint8_t>(write ? 3 : 4), 0};
}

const Timeline::Series& series_of(const std::vector<Timeline::Series>& all, const std::string& name) {
  for (const Timeline::Series& s : all) {
    if (s.name == name) return s;
  }
  FAIL("there is no series " << name);
  return all.front();
}

struct Watched {
  Watched() {
    hub.subscribe(timeline);
    hub.subscribe(units);
    hub.subscribe(stack);
  }
  UnitStatistics units{2, Cycle(1)};
  CycleStack stack{Cycle(1)};
  Timeline timeline{units, stack, kBurst, Cycle(1)};
  EventHub hub;
};

}  // namespace

TEST_CASE("every series of a timeline sums to what was counted, and intervals double when they are full") {
  for (const std::uint32_t instructions : {5u, 200u, 3000u, 12000u}) {
    CAPTURE(instructions);
    Watched w;
    SyntheticRun run(instructions);
    Cycle end(1);
    for (std::uint32_t t = 0; t < 3; ++t) {
      end = run.step(w.hub, instructions);
      w.timeline.advance(end);
      w.units.settle_all(end);
      w.stack.take(end);
    }
    const auto all = w.timeline.series(end);
    const std::uint64_t cycles = end.value - 1, interval = w.timeline.interval();
    const std::size_t intervals = (cycles + interval - 1) / interval;
    CHECK(intervals <= Timeline::kMostIntervals);
    CHECK((interval == Timeline::kFirstInterval || intervals > Timeline::kMostIntervals / 2));
    std::uint64_t causes = 0, channels = 0;
    for (const Timeline::Series& s : all) {
      CAPTURE(s.name);
      CHECK(s.values.size() == intervals);
      if (s.name.starts_with("cause.")) causes += sum_of(s);
      if (s.name.starts_with("cause.")) CHECK(sum_of(s) > 0);
    }
    CHECK(causes == cycles);
    for (std::uint8_t u = 0; u < kFirstChannel; ++u) {
      const auto unit = static_cast<UnitId>(u);
      CHECK(sum_of(series_of(all, name_of(unit) + ".busy")) == w.units.cycles(unit, State::busy));
    }
    for (std::uint32_t c = 0; c < 2; ++c) channels += w.units.cycles(channel_id(c), State::busy);
    CHECK(sum_of(series_of(all, "dram.busy")) == channels);
    // In an interval a unit is busy at most all of it, and the causes are all of it.
    for (std::size_t i = 0; i < intervals; ++i) {
      std::uint64_t in_interval = 0;
      for (const Timeline::Series& s : all) {
        if (s.name.starts_with("cause.")) in_interval += s.values[i];
      }
      const std::uint64_t length = i + 1 < intervals ? interval : cycles - (intervals - 1) * interval;
      CHECK(in_interval == length);
      CHECK(series_of(all, "matrix0.busy").values[i] <= length);
    }
  }
}

TEST_CASE("what happens in an interval is counted there") {
  Watched w;
  w.hub.emit(state_event(1, UnitId::matrix, State::busy));  // cycles 1 .. 100, over the border at 65
  w.hub.emit(burst(60, EventKind::burst_issued, false));
  w.hub.emit(burst(65, EventKind::burst_done, false));   // in the second interval
  w.hub.emit(burst(66, EventKind::burst_issued, true));  // under way at the end
  w.hub.emit(burst(67, EventKind::burst_issued, false));
  w.hub.emit(burst(70, EventKind::burst_done, false));
  w.hub.emit(state_event(101, UnitId::matrix, State::idle));
  const auto all = w.timeline.series(Cycle(1 + 3 * 64));
  CHECK(series_of(all, "matrix0.busy").values == std::vector<std::uint64_t>{64, 36, 0});
  CHECK(series_of(all, "dram.read_bytes").values == std::vector<std::uint64_t>{0, 2 * kBurst, 0});
  CHECK(series_of(all, "dram.write_bytes").values == std::vector<std::uint64_t>{0, 0, kBurst});
  CHECK(series_of(all, "cause.matrix").values == std::vector<std::uint64_t>{64, 36, 0});
  CHECK(w.timeline.series(Cycle(1 + 3 * 64)).size() == all.size());  // asking twice is the same
}
