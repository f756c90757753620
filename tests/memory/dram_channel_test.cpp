// SPDX-License-Identifier: Apache-2.0
// A channel in the machine's cycles: does each answer come in the cycle that the device's clocks say, and
// does the data bus tell what it waits for?
#include "memory/dram/channel.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "support/command_memory.h"

using namespace tokencycle;
using namespace tokencycle::memory;
using observe::State;

namespace {

// Clocks between commands, as the device's standard counts them: from first clock to first clock.
struct Distances {
  const char* preset;
  std::uint64_t (*read)(const config::DramDevice&);      // activation to read
  std::uint64_t (*write)(const config::DramDevice&);     // activation to write
  std::uint64_t (*activate)(const config::DramDevice&);  // precharge to activation
  std::uint64_t (*data)(const config::DramDevice&);      // read to the end of its data
};
std::uint64_t of(const config::DramDevice& d, const char* name) {
  return d.clocks.at(name);
}
using Device = config::DramDevice;
const Distances kDevices[] = {
    {"ddr4-2400", [](const Device& d) { return of(d, "nRCD"); },
     [](const Device& d) { return of(d, "nRCD"); }, [](const Device& d) { return of(d, "nRP"); },
     [](const Device& d) { return of(d, "nCL") + of(d, "nBL"); }},
    // Two clocks a command: the address is there with the second.
    {"ddr5-4800", [](const Device& d) { return of(d, "nRCD"); },
     [](const Device& d) { return of(d, "nRCD"); }, [](const Device& d) { return of(d, "nRP") - 1; },
     [](const Device& d) { return of(d, "nCL") + of(d, "nBL") + 1; }},
    // An activation takes two clocks, everything else one.
    {"hbm2-2000", [](const Device& d) { return of(d, "nRCDRD") + 1; },
     [](const Device& d) { return of(d, "nRCDWR") + 1; }, [](const Device& d) { return of(d, "nRP") - 1; },
     [](const Device& d) { return of(d, "nCL") + of(d, "nBL"); }}};

// The two clocks in femtoseconds, and the way to the controller and back.
struct Time {
  std::uint64_t clock, cycle, answer;
  Time(const Device& device, std::uint32_t ghz_percent, std::uint32_t latency_ns)
      : clock(device.tck_ps * 1000),
        cycle(100'000'000 / ghz_percent),
        answer((latency_ns * ghz_percent + 99) / 100) {}
  // The first clock that begins after the cycle.
  Clock seen(std::uint64_t accepted) const { return ceil_div((accepted + 1) * cycle, clock); }
  std::uint64_t in(Clock k) const { return k * clock / cycle; }
  std::uint64_t from(Clock k) const { return ceil_div(k * clock, cycle); }
};

struct Change {
  std::uint64_t cycle;
  State state;
  bool operator==(const Change&) const = default;
};
[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const Change& c) {
  return out << c.cycle << " " << observe::name_of(c.state);
}

// A channel of a preset, and everything that it tells.
class Bench {
 public:
  Bench(const std::string& preset, double ghz, std::uint64_t answer = 0)
      : system(test::preset_system(preset, 1, 64)),
        channel_(system, ClockRatio(system.device.tck_ps, ghz), answer, open_) {}

  // Runs up to the cycle, so that a burst may be accepted in it. The answers of those before are in answers.
  void accept(std::uint64_t cycle, bool write, const DramPlace& place) {
    run(cycle);
    open_.push_back(1);
    channel_.accept(Cycle(cycle), static_cast<std::uint32_t>(answers.size()), write, std::span(&place, 1));
    answers.push_back(0);
  }
  void run(std::uint64_t until) {
    for (std::uint64_t key; (key = channel_.next()) / DramChannel::kSteps <= until;) {
      const Cycle cycle(key / DramChannel::kSteps);
      switch (static_cast<DramChannel::Step>(key % DramChannel::kSteps)) {
        case DramChannel::Step::commands:
          channel_.give_commands(cycle);
          break;
        case DramChannel::Step::bus:
          if (channel_.change_bus(cycle)) changes.push_back({cycle.value, channel_.state()});
          break;
        case DramChannel::Step::answer:
          answers.at(channel_.take_answer()) = cycle.value;
          break;
      }
    }
  }
  // Cycles in the state up to `end`.
  std::uint64_t cycles(State state, std::uint64_t end) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const std::uint64_t next = i + 1 < changes.size() ? changes[i + 1].cycle : end;
      if (changes[i].state == state) sum += next - changes[i].cycle;
    }
    return sum;
  }

  const config::DramSystem system;
  std::vector<std::uint64_t> answers;  // by burst
  std::vector<Change> changes;

 private:
  std::vector<std::uint32_t> open_;  // bursts of each request
  DramChannel channel_;
};

constexpr DramPlace place(std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {0, bank, row, column};
}

}  // namespace

TEST_CASE("a cold read, a row hit, a row conflict and a write take the device's clocks") {
  const Distances& device = kDevices[static_cast<std::size_t>(GENERATE(0, 1, 2))];
  const std::uint32_t ghz_percent = GENERATE(80, 100, 125), latency_ns = GENERATE(0, 13, 20);
  CAPTURE(device.preset, ghz_percent, latency_ns);
  for (std::uint64_t shift = 0; shift < 12; ++shift) {  // the clocks' edges lie differently each time
    CAPTURE(shift);
    const double ghz = ghz_percent / 100.0;
    const auto answer = static_cast<std::uint64_t>(std::ceil(latency_ns * ghz));
    Bench b(device.preset, ghz, answer);
    const Device& d = b.system.device;
    const Time time(d, ghz_percent, latency_ns);
    const std::uint64_t at[] = {30 + shift, 700 + shift, 1400 + 2 * shift, 2100 + 3 * shift, 2800 + shift};
    REQUIRE(time.seen(at[4] + 200) < d.refresh_interval);
    b.accept(at[0], false, place(1, 7));
    b.accept(at[1], false, place(1, 7, 5));
    b.accept(at[2], false, place(1, 8));
    b.accept(at[3], true, place(2, 7));
    b.accept(at[4], true, place(2, 7, 9));
    b.run(3500);
    const auto read_at = [&](Clock read) { return time.from(read + device.data(d)) + time.answer; };
    CHECK(b.answers[0] == read_at(time.seen(at[0]) + device.read(d)));
    CHECK(b.answers[1] == read_at(time.seen(at[1])));
    CHECK(b.answers[2] == read_at(time.seen(at[2]) + device.activate(d) + device.read(d)));
    // A write is answered as soon as the controller sees it.
    CHECK(b.answers[3] == time.from(time.seen(at[3])) + time.answer);
    CHECK(b.answers[4] == time.from(time.seen(at[4])) + time.answer);
  }
}

TEST_CASE("what waits for a write's data is answered like a write") {
  Bench b("ddr4-2400", 1.0);
  const Time time(b.system.device, 100, 0);
  b.accept(100, true, place(0, 3));
  b.accept(100, true, place(0, 3));   // joins it
  b.accept(101, false, place(0, 3));  // reads it
  b.run(300);
  CHECK(b.answers[0] == time.from(time.seen(100)));
  CHECK(b.answers[1] == time.from(time.seen(100)));
  CHECK(b.answers[2] == time.from(time.seen(101)));
}

TEST_CASE("an answer comes in the next cycle at the earliest, on a machine slower than its memory") {
  for (const std::uint64_t answer : {0u, 3u}) {
    Bench b("hbm3-6400", 0.01, answer);  // 160 clocks a cycle
    b.accept(5, false, place(0, 1));
    b.accept(5, true, place(3, 1));
    b.run(50);
    CHECK(b.answers[0] == 7 + answer);  // seen in cycle 6
    CHECK(b.answers[1] == 6 + answer);  // a write
  }
}

TEST_CASE("a bus tells that a row is opened, that another one is closed first, and that it carries data") {
  const std::uint32_t ghz_percent = GENERATE(80, 100, 500);
  Bench b("ddr4-2400", ghz_percent / 100.0);
  const Device& d = b.system.device;
  const Time time(d, ghz_percent, 0);
  b.accept(40, false, place(1, 7));
  b.accept(1000, false, place(1, 8));
  b.run(1500);
  // A state stands where the command's data would have passed, a read latency later.
  const Clock first = time.seen(40) + of(d, "nCL"), second = time.seen(1000) + of(d, "nCL");
  const Clock opened = first + of(d, "nRCD"), exchanged = second + of(d, "nRP") + of(d, "nRCD");
  CHECK(b.changes == std::vector<Change>{{time.in(first), State::bank_busy},
                                         {time.in(opened), State::busy},
                                         {time.from(opened + of(d, "nBL")), State::idle},
                                         {time.in(second), State::row_conflict},
                                         {time.in(exchanged), State::busy},
                                         {time.from(exchanged + of(d, "nBL")), State::idle}});
}

TEST_CASE("a bus tells that a refresh keeps a row from being opened") {
  Bench b("ddr4-2400", 1.0);
  const Device& d = b.system.device;
  const Time time(d, 100, 0);
  const std::uint64_t due = time.in(d.refresh_interval);
  b.accept(due, false, place(1, 7));
  b.run(due + 1000);
  const Clock seen = time.seen(due) + of(d, "nCL"), over = d.refresh_interval + of(d, "nRFC") + of(d, "nCL"),
              opened = over + of(d, "nRCD");
  CHECK(b.changes == std::vector<Change>{{time.in(seen), State::refresh},
                                         {time.in(over), State::bank_busy},
                                         {time.in(opened), State::busy},
                                         {time.from(opened + of(d, "nBL")), State::idle}});
}

TEST_CASE("a bus tells that it changes from writing to reading") {
  Bench b("ddr4-2400", 1.0);
  const Device& d = b.system.device;
  const Time time(d, 100, 0);
  b.accept(40, true, place(1, 7));
  const Clock write = time.seen(40) + of(d, "nRCD");
  const std::uint64_t later = time.in(write) + 3;
  b.accept(later, false, place(1, 7, 1));
  b.run(500);
  const Clock data = write + of(d, "nCWL"), seen = time.seen(later) + of(d, "nCL");
  const Clock read = write + of(d, "nCWL") + of(d, "nBL") + of(d, "nWTR_L") + of(d, "nCL");
  CHECK(b.changes == std::vector<Change>{{time.in(time.seen(40) + of(d, "nCL")), State::bank_busy},
                                         {time.in(data), State::busy},
                                         {time.from(data + of(d, "nBL")), State::idle},
                                         {time.in(seen), State::bus_turnaround},
                                         {time.in(read), State::busy},
                                         {time.from(read + of(d, "nBL")), State::idle}});
}

TEST_CASE("hits of one bank group leave gaps on the bus, those of different ones none") {
  // Cycles of 200 ps, so that a gap of a clock of 833 ps shows.
  const bool same_group = GENERATE(false, true);
  Bench b("ddr4-2400", 5.0);
  const Device& d = b.system.device;
  const Time time(d, 500, 0);
  const std::uint32_t other = same_group ? 0 : d.banks;  // its first bank
  b.accept(0, false, place(0, 7));
  b.accept(0, false, place(other, 7));
  b.run(2000);
  b.changes.clear();
  for (std::uint32_t i = 1; i <= 8; ++i) b.accept(2000, false, place(i % 2 == 0 ? 0 : other, 7, i));
  constexpr std::uint64_t kEnd = 4000;
  b.run(kEnd);
  const std::uint64_t apart = of(d, same_group ? "nCCD_L" : "nCCD_S");
  const Clock first = time.seen(2000) + of(d, "nCL");
  std::vector<Change> expected;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const Clock begin = first + i * apart, end = begin + of(d, "nBL");
    if (i == 0 || same_group) expected.push_back({time.in(begin), State::busy});
    if (i == 7) expected.push_back({time.from(end), State::idle});
    if (i < 7 && same_group) expected.push_back({time.from(end), State::burst_spacing});
  }
  CHECK(b.changes == expected);
  CHECK(b.cycles(State::busy, kEnd) * time.cycle >= 8 * of(d, "nBL") * d.tck_ps * 1000);
  CHECK((b.cycles(State::burst_spacing, kEnd) > 0) == same_group);
}

TEST_CASE("bursts of two pseudo-channels overlap, and the bus is busy until both have passed") {
  Bench b("hbm2-2000", 4.0);
  const Device& d = b.system.device;
  REQUIRE(d.pseudo_channels);
  const Time time(d, 400, 0);
  b.accept(0, false, place(0, 7));
  b.accept(0, false, place(d.banks_of_rank(), 7));
  b.run(1000);
  // Both rows are opened over one command bus; each read follows on the other.
  const auto activation = d.commands[static_cast<std::size_t>(config::DramCommand::activate)].clocks;
  const Clock first = time.seen(0) + of(d, "nRCDRD") + 1 + of(d, "nCL"), second = first + activation;
  REQUIRE(activation == of(d, "nBL"));  // so that the second burst begins where the first ends
  REQUIRE(b.changes.size() == 3);
  CHECK(b.changes[1] == Change{time.in(first), State::busy});
  CHECK(b.changes[2] == Change{time.from(second + of(d, "nBL")), State::idle});
}

TEST_CASE("each wait of the controller is a state of its own") {
  std::set<State> states;
  for (int wait = 0; wait < kDramWaits; ++wait) states.insert(state_of(static_cast<DramWait>(wait)));
  CHECK(states.size() == kDramWaits);
  CHECK(state_of(DramWait::nothing) == State::idle);
  CHECK(states.count(State::busy) == 0);
}
