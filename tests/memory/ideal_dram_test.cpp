// SPDX-License-Identifier: Apache-2.0
// Ideal memory: does each burst complete in the cycle that latency and bandwidth say, and the bus tell when
// it is used?
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "memory/dram/dram.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

config::Machine machine(std::uint32_t channels, double gb_per_s, double latency_ns, std::uint32_t burst_bytes,
                        double clock_ghz = 1.0) {
  config::Machine m;
  m.clock_ghz = clock_ghz;
  m.dram = {channels, 1u << 20, gb_per_s, latency_ns, burst_bytes, 64, config::DramModel::ideal, nullptr};
  return m;
}

Burst read_at(std::uint64_t address) {
  return {DramAddress(address), 32, false, Requester::load, 0};
}

// Takes the next completion, which has to be the announced one.
std::uint64_t completion(Dram& dram) {
  for (observe::EventHub nobody;;) {
    const DramNotice notice = dram.advance(kNever);
    if (notice.news == DramNews::data_bus) {
      dram.report_bus_change(nobody);
      continue;
    }
    REQUIRE(notice.news == DramNews::completion);
    const Completion c = dram.take_completion();
    CHECK(c.cycle.value == notice.cycle.value);
    return c.cycle.value;
  }
}

class StateRecorder : public observe::Observer {
 public:
  void on_event(const observe::Event& e) override { events.push_back(e); }
  std::vector<observe::Event> events;
};

}  // namespace

TEST_CASE("an unloaded burst takes the latency, rounded up to cycles") {
  const auto alone = [](double latency_ns, double clock_ghz) {
    const auto dram = make_ideal_dram(machine(1, 1000, latency_ns, 64, clock_ghz));
    CHECK(dram->advance(kNever).news == DramNews::nothing);
    dram->accept(Cycle(100), read_at(0));
    const std::uint64_t done = completion(*dram);
    CHECK(dram->advance(kNever).news == DramNews::nothing);
    return done - 100;
  };
  CHECK(alone(50, 1.0) == 50);
  CHECK(alone(50, 0.1) == 5);
  CHECK(alone(50.1, 1.0) == 51);
  CHECK(alone(10, 1.5) == 15);
  CHECK(alone(0, 1.0) == 1);  // the next cycle at the earliest
}

TEST_CASE("a burst that takes longer than the latency completes when its data has passed") {
  const auto dram = make_ideal_dram(machine(1, 1, 10, 64));  // 64 cycles a burst
  dram->accept(Cycle(7), read_at(0));
  dram->accept(Cycle(7), read_at(64));
  CHECK(completion(*dram) == 7 + 64);
  CHECK(completion(*dram) == 7 + 128);
}

TEST_CASE("a channel passes one burst after the other at its bandwidth, to 1/1024 of a cycle") {
  for (const double gb_per_s : {64.0, 16.0, 25.6, 0.7, 130.0}) {
    const auto dram = make_ideal_dram(machine(1, gb_per_s, 40, 64));
    const double per_burst = std::ceil(64 / gb_per_s * 1024) / 1024;  // cycles
    for (int n = 0; n < 60; ++n) dram->accept(Cycle(10), read_at(static_cast<std::uint64_t>(n) * 64));
    for (int n = 0; n < 60; ++n) {
      INFO(gb_per_s << " GB/s, burst " << n);
      CHECK(completion(*dram) == static_cast<std::uint64_t>(
                                     std::ceil(std::max(10 + n * per_burst + 40, 10 + (n + 1) * per_burst))));
    }
  }
}

TEST_CASE("channels interleave by bursts and work independently") {
  const auto dram = make_ideal_dram(machine(4, 16, 30, 64));
  for (std::uint64_t n = 0; n < 12; ++n) {
    CHECK(dram->channel_of(DramAddress(n * 64)) == n % 4);
    CHECK(dram->channel_of(DramAddress(n * 64 + 63)) == n % 4);
    CHECK(make_ideal_dram(machine(3, 16, 0, 64))->channel_of(DramAddress(n * 64)) == n % 3);
    dram->accept(Cycle(0), read_at(n * 64));
  }
  for (std::uint64_t n = 0; n < 12; ++n) CHECK(completion(*dram) == 30 + n / 4 * 4);
}

TEST_CASE("accepted bursts are bounded over all channels; a completion makes room") {
  config::Machine m = machine(2, 16, 30, 64);
  m.dram.requests_in_flight = 3;
  const auto dram = make_ideal_dram(m);
  for (std::uint64_t n = 0; n < 3; ++n) {
    CHECK(dram->has_room(n % 2, false));
    dram->accept(Cycle(0), read_at(n * 64));
  }
  CHECK_FALSE(dram->has_room(1, false));
  completion(*dram);
  CHECK(dram->has_room(1, false));
}

TEST_CASE("the data bus is busy in the cycles in which data passes, and its changes are announced") {
  const auto dram = make_ideal_dram(machine(2, 16, 30, 64));  // 4 cycles a burst, the last 4 of its latency
  StateRecorder recorder;
  observe::EventHub hub;
  hub.subscribe(recorder);
  dram->accept(Cycle(0), read_at(0));     // channel 0: 26 .. 30
  dram->accept(Cycle(1), read_at(64));    // channel 1: 27 .. 31
  dram->accept(Cycle(2), read_at(128));   // channel 0, its turn begins at 4: 30 .. 34, without a gap
  dram->accept(Cycle(12), read_at(256));  // channel 0: 38 .. 42
  struct Change {
    std::uint64_t cycle;
    std::uint32_t channel;
    bool busy, any;
  };
  for (const Change& c :
       {Change{26, 0, true, true}, Change{27, 1, true, true}, Change{31, 1, false, true},
        Change{34, 0, false, false}, Change{38, 0, true, true}, Change{42, 0, false, false}}) {
    INFO("cycle " << c.cycle);
    DramNotice notice = dram->advance(Cycle(c.cycle));
    for (; notice.news == DramNews::completion; notice = dram->advance(Cycle(c.cycle)))
      dram->take_completion();
    REQUIRE(notice.news == DramNews::data_bus);
    CHECK(notice.cycle.value == c.cycle);
    dram->report_bus_change(hub);
    const observe::Event& e = recorder.events.back();
    CHECK(e.cycle.value == c.cycle);
    CHECK(e.unit == observe::channel_id(c.channel));
    CHECK(e.detail == static_cast<std::uint8_t>(c.busy ? observe::State::busy : observe::State::idle));
    CHECK(dram->data_state() == (c.any ? observe::State::busy : observe::State::idle));
  }
  completion(*dram);
  CHECK(dram->advance(kNever).news == DramNews::nothing);
}
