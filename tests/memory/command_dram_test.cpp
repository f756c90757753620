// SPDX-License-Identifier: Apache-2.0
// Channels of devices behind the machine's memory interface: whatever is asked for, is it told the same in
// the same cycles as by controllers that are advanced clock by clock, however rarely anybody looks?
#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "memory/plain_memory.h"
#include "support/random_memory.h"

using namespace tokencycle;
using namespace tokencycle::memory;
using observe::State;
using test::MemoryOutcome;
using test::MemoryWish;

namespace {

using Random = std::mt19937_64;

config::Machine machine_with(const config::Dram& dram, double clock_ghz) {
  config::Machine m;
  m.clock_ghz = clock_ghz;
  m.dram = dram;
  return m;
}

config::Machine random_machine(Random& random, const std::string& preset) {
  const test::RandomMemory memory = test::random_memory(random, preset, 4);
  const auto latency_ns = static_cast<double>(random() % 40);
  const auto in_flight = static_cast<std::uint32_t>(1 + random() % 40);
  return machine_with(test::command_memory(memory.system, memory.request_bytes, latency_ns, in_flight),
                      static_cast<double>(2 + random() % 24) / 10);
}

// The same few requests again and again, few rows, or anything; without a pause, with short ones, or with
// some of a few refresh intervals.
std::vector<MemoryWish> random_wishes(Random& random, const config::Machine& m, std::size_t count) {
  const std::uint64_t request = m.dram.burst_bytes, requests = m.dram.capacity_bytes / request;
  // Requests among which some are drawn; the others follow the one before them.
  const std::uint64_t drawn_from[] = {1, 24, 4096, requests};
  const std::uint64_t among = drawn_from[random() % 4], times = random() % 3, writes_of_8 = random() % 8;
  const auto interval = static_cast<std::uint64_t>(m.dram.system->device.refresh_interval * m.clock_ghz *
                                                   static_cast<double>(m.dram.system->device.tck_ps) / 1000);
  std::vector<MemoryWish> wishes;
  std::uint64_t from = random() % 2000, at = random() % requests;
  for (std::size_t n = 0; n < count; ++n) {
    if (times == 1) from += random() % 60;
    if (times == 2 && random() % 24 == 0) from += random() % (random() % 4 == 0 ? 3 * interval : 400);
    at = random() % 3 != 0 ? at + 1 : random() % among;
    const auto bytes = static_cast<std::uint32_t>(1 + random() % request);
    const std::uint64_t inside = random() % (request - bytes + 1);
    wishes.push_back({from,
                      {DramAddress(at % requests * request + inside), bytes, random() % 8 < writes_of_8,
                       Requester::load, static_cast<std::uint32_t>(n)}});
  }
  return wishes;
}

std::uint64_t cycles_in(State state, const std::vector<test::BusChange>& changes, std::uint64_t end) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::uint64_t next = i + 1 < changes.size() ? changes[i + 1].cycle : end;
    if (changes[i].state == state) sum += next - changes[i].cycle;
  }
  return sum;
}

void check_same(const MemoryOutcome& a, const MemoryOutcome& b) {
  CHECK(a.accepted == b.accepted);
  CHECK(a.completed == b.completed);
  CHECK(a.changes == b.changes);
}

// No burst comes back before its way there and back and a cycle, and no bus carries more than its peak.
void check_bounds(const config::Machine& m, const MemoryOutcome& outcome) {
  const config::DramDevice& d = m.dram.system->device;
  const auto way = static_cast<std::uint64_t>(std::ceil(m.dram.latency_ns * m.clock_ghz));
  for (std::size_t n = 0; n < outcome.completed.size(); ++n) {
    REQUIRE(outcome.completed[n] >= outcome.accepted[n] + 1 + way);
  }
  const double peak_bytes_a_cycle = d.peak_gb_per_s() / m.clock_ghz;
  for (std::size_t c = 0; c < outcome.changes.size(); ++c) {
    const auto busy = static_cast<double>(cycles_in(State::busy, outcome.changes[c], outcome.end));
    CHECK(busy * peak_bytes_a_cycle * 1.000001 >=
          static_cast<double>(outcome.bursts_moved[c] * d.burst_bytes));
  }
}

constexpr std::uint64_t kFar = std::numeric_limits<std::uint32_t>::max();

config::Machine small_machine(std::uint32_t read_queue, std::uint32_t in_flight) {
  config::DramSystem system = test::preset_system("ddr4-2400", 2, 64);
  system.read_queue = read_queue;
  return machine_with(test::command_memory(system, 64, 10, in_flight), 1.0);
}

Burst read_of(const config::Machine& m, std::uint64_t number) {
  return {DramAddress(number * m.dram.burst_bytes), 64, false, Requester::load,
          static_cast<std::uint32_t>(number)};
}

}  // namespace

TEST_CASE("every preset tells the same as controllers advanced clock by clock, however far time leaps") {
  const std::string preset = GENERATE(from_range(test::dram_presets()));
  std::array<std::uint64_t, observe::kStates> states{};
  for (std::uint64_t seed = 0; seed < 48; ++seed) {
    Random random(seed);
    const config::Machine m = random_machine(random, preset);
    const std::vector<MemoryWish> wishes = random_wishes(random, m, 150);
    CAPTURE(preset, seed, config::to_json(m));
    const MemoryOutcome plain = test::run_plain(m, wishes);
    check_same(test::run_dram(m, wishes, plain.end, [] { return 1; }), plain);
    check_same(test::run_dram(m, wishes, plain.end, [&] { return 1 + random() % 300; }), plain);
    check_same(test::run_dram(m, wishes, plain.end, [] { return kFar; }), plain);
    check_bounds(m, plain);
    for (const auto& changes : plain.changes) {
      for (const test::BusChange& c : changes) ++states[static_cast<std::size_t>(c.state)];
    }
  }
  for (const State s : observe::kDataStates) {
    if (s == State::burst_spacing) continue;  // only where bursts of a bank group have gaps
    CAPTURE(preset, observe::name_of(s));
    CHECK(states[static_cast<std::size_t>(s)] > 0);
  }
}

TEST_CASE("a full read queue refuses reads of its channel alone, until a row is opened for one of them") {
  const config::Machine m = small_machine(2, 64);
  const auto dram = make_dram(m);
  REQUIRE(dram->channel_of(DramAddress(0)) == 0);
  REQUIRE(dram->channel_of(DramAddress(64)) == 1);
  for (const std::uint64_t number : {0u, 2u}) {
    CHECK(dram->has_room(0, false));
    dram->accept(Cycle(10), read_of(m, number));
  }
  CHECK_FALSE(dram->has_room(0, false));
  CHECK(dram->has_room(0, true));
  CHECK(dram->has_room(1, false));
  CHECK(dram->advance(Cycle(10)).news == DramNews::nothing);
  // The first clock that begins after cycle 10 is number 14, at 11.662 ns, and it opens the row.
  const DramNotice notice = dram->advance(kNever);
  CHECK(notice.news == DramNews::room);
  CHECK(notice.cycle.value == 11);
  CHECK(dram->has_room(0, false));
}

TEST_CASE("asking where another address lies changes nothing") {
  const config::Machine m = small_machine(2, 64);
  const auto number = [](std::uint64_t n) { return n % 3 == 0 ? n : n * 977 % 5000; };
  std::vector<std::uint64_t> done[2];  // cycles
  for (const bool asks : {false, true}) {
    const auto dram = make_dram(m);
    observe::EventHub hub;
    for (std::uint64_t n = 0, cycle = 0; done[asks].size() < 200;) {
      const DramNotice notice = dram->advance(Cycle(cycle));
      if (notice.news == DramNews::completion) done[asks].push_back(dram->take_completion().cycle.value);
      if (notice.news == DramNews::data_bus) dram->report_bus_change(hub);
      if (notice.news != DramNews::nothing) continue;
      const auto channel = static_cast<std::uint32_t>(number(n) % 2);
      if (asks && n % 2 == 0) CHECK(dram->channel_of(DramAddress(number(n + 1) * 64)) == number(n + 1) % 2);
      if (dram->has_room(channel, false)) dram->accept(Cycle(cycle), read_of(m, number(n++)));
      cycle += 1 + n % 3;
    }
  }
  CHECK(done[0] == done[1]);
}

TEST_CASE("a full queue of reads of an open row knows when it has room") {
  const config::Machine m = small_machine(4, 64);
  const auto dram = make_dram(m);
  observe::EventHub hub;
  std::uint64_t known = 0;
  for (std::uint64_t n = 0, cycle = 0; n < 400; ++cycle) {
    for (;;) {
      const DramNotice notice = dram->advance(Cycle(cycle));
      if (notice.news == DramNews::nothing) break;
      if (notice.news == DramNews::completion) dram->take_completion();
      if (notice.news == DramNews::data_bus) dram->report_bus_change(hub);
    }
    const Cycle room = dram->room_from(0, false);
    if (room == kNever) {
      if (dram->has_room(0, false)) dram->accept(Cycle(cycle), read_of(m, 2 * n++));
      continue;
    }
    ++known;
    CHECK(dram->has_room(0, false) == (room.value <= cycle));
    if (room.value > cycle && n % 2 == 0) {  // it is told as well, in that cycle
      DramNotice notice = dram->advance(room);
      while (notice.news != DramNews::room) {
        REQUIRE(notice.news != DramNews::nothing);
        if (notice.news == DramNews::completion) dram->take_completion();
        if (notice.news == DramNews::data_bus) dram->report_bus_change(hub);
        notice = dram->advance(room);
      }
      CHECK(notice.cycle == room);
      cycle = room.value;
    }
    if (dram->has_room(0, false)) dram->accept(Cycle(cycle), read_of(m, 2 * n++));
  }
  CHECK(known > 100);
}

TEST_CASE("a write queue refuses writes alone") {
  config::DramSystem system = test::preset_system("lpddr4-3200", 1, 64);
  system.write_queue = 4;
  const config::Machine m = machine_with(test::command_memory(system, 64, 0, 64), 1.0);
  const auto dram = make_dram(m);
  for (std::uint64_t n = 0; n < 2; ++n) {  // a request takes two of its places
    CHECK(dram->has_room(0, true));
    Burst write = read_of(m, n);
    write.write = true;
    dram->accept(Cycle(0), write);
  }
  CHECK_FALSE(dram->has_room(0, true));
  CHECK(dram->has_room(0, false));
}

TEST_CASE("requests in flight are bounded over all channels, and a completion makes room") {
  const config::Machine m = small_machine(32, 3);
  const auto dram = make_dram(m);
  for (std::uint64_t n = 0; n < 3; ++n) {
    CHECK(dram->has_room(n % 2, false));
    dram->accept(Cycle(0), read_of(m, n));
  }
  for (const std::uint32_t channel : {0u, 1u}) {
    CHECK_FALSE(dram->has_room(channel, false));
    CHECK_FALSE(dram->has_room(channel, true));
  }
  DramNotice notice = dram->advance(kNever);
  for (observe::EventHub nobody; notice.news != DramNews::completion; notice = dram->advance(kNever)) {
    if (notice.news == DramNews::data_bus) dram->report_bus_change(nobody);
    CHECK_FALSE(dram->has_room(0, false));
  }
  dram->take_completion();
  CHECK(dram->has_room(0, false));
}

TEST_CASE("a completion and a change of a bus stand until they are taken") {
  const config::Machine m = small_machine(32, 64);
  const auto dram = make_dram(m);
  observe::EventHub nobody;
  dram->accept(Cycle(0), read_of(m, 0));
  int completions = 0;
  for (;;) {
    const DramNotice first = dram->advance(kNever), again = dram->advance(Cycle(0));
    if (first.news == DramNews::nothing) break;
    CHECK(again.news == first.news);
    CHECK(again.cycle == first.cycle);
    if (first.news == DramNews::data_bus) dram->report_bus_change(nobody);
    if (first.news == DramNews::completion) completions += dram->take_completion().burst.tag == 0;
  }
  CHECK(completions == 1);
}

TEST_CASE("an idle memory has nothing to tell, and its refreshes are caught up on") {
  const config::Machine m = small_machine(32, 64);
  const auto early = make_dram(m), late = make_dram(m);
  CHECK(late->advance(Cycle(1'000'000'000)).news == DramNews::nothing);
  CHECK(late->data_state() == State::idle);
  // Some time within a refresh interval, and the same a second of them later.
  const std::uint64_t interval_ps = m.dram.system->device.refresh_interval * m.dram.system->device.tck_ps;
  const std::uint64_t second = 1'000'000 / 1000 * interval_ps;  // cycles of 1000 ps: a million intervals
  early->accept(Cycle(3000), read_of(m, 0));
  late->accept(Cycle(3000 + second), read_of(m, 0));
  const auto completion = [](Dram& dram) {
    observe::EventHub nobody;
    for (;;) {
      const DramNotice notice = dram.advance(kNever);
      if (notice.news == DramNews::data_bus) dram.report_bus_change(nobody);
      if (notice.news == DramNews::completion) return dram.take_completion().cycle.value;
    }
  };
  CHECK(completion(*late) - second == completion(*early));
}
