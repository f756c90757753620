// SPDX-License-Identifier: Apache-2.0
// What a channel tells on request: are its commands those of its controller alone, each in its cycle and with
// the device's times, and do the depths of its queues account for every request?
#include <catch2/catch.hpp>
#include <random>

#include "memory/dram/channel.h"
#include "memory/dram_watch.h"
#include "support/command_memory.h"

using namespace tokencycle;
using namespace tokencycle::memory;
using observe::Event;
using observe::EventKind;

namespace {

using config::DramPagePolicy;
using config::DramRefresh;
using Device = config::DramDevice;

// How long commands change a bank, from first clock to first clock, as the standards count it.
struct Times {
  const char* preset;
  DramRefresh refresh;
  std::uint64_t (*activate)(const Device&);   // to a transfer
  std::uint64_t (*precharge)(const Device&);  // to an activation
  std::uint64_t (*row)(const Device&);        // activation to precharge
  std::uint64_t (*read_auto)(const Device&);  // to the precharge that it brings
  std::uint64_t (*write_auto)(const Device&);
  std::uint64_t (*refresh_over)(const Device&);  // refresh to an activation
};
std::uint64_t of(const Device& d, const char* name) {
  return d.clocks.at(name);
}
std::uint64_t write_recovered(const Device& d) {
  return of(d, "nCWL") + of(d, "nBL") + of(d, "nWR");
}
const Times kDevices[] = {
    {"ddr4-2400", DramRefresh::all_bank, [](const Device& d) { return of(d, "nRCD"); },
     [](const Device& d) { return of(d, "nRP"); }, [](const Device& d) { return of(d, "nRAS"); },
     [](const Device& d) { return of(d, "nRTP"); }, write_recovered,
     [](const Device& d) { return of(d, "nRFC"); }},
    // A command takes two clocks, but a precharge one: times count from the last one of them.
    {"ddr5-4800", DramRefresh::all_bank, [](const Device& d) { return of(d, "nRCD"); },
     [](const Device& d) { return of(d, "nRP") - 1; }, [](const Device& d) { return of(d, "nRAS") + 1; },
     [](const Device& d) { return of(d, "nRTP") + 1; },
     [](const Device& d) { return write_recovered(d) + 1; },
     [](const Device& d) { return of(d, "nRFC") - 1; }},
    {"hbm2-2000", DramRefresh::per_bank,
     [](const Device& d) { return std::min(of(d, "nRCDRD"), of(d, "nRCDWR")) + 1; },
     [](const Device& d) { return of(d, "nRP") - 1; }, [](const Device& d) { return of(d, "nRAS") + 1; },
     [](const Device& d) { return of(d, "nRTP"); }, write_recovered,
     [](const Device& d) { return of(d, "nRFCpb") - 1; }},
};

class Recorder : public observe::Observer {
 public:
  std::uint32_t interests() const override { return observe::kOnRequest; }
  void on_event(const Event& e) override {
    REQUIRE((events.empty() || events.back().cycle <= e.cycle));
    events.push_back(e);
  }
  std::vector<Event> events;
};

// Requests at random, in bunches with long pauses: some rows are hit, some bring refreshes to an idle
// channel.
struct Request {
  Cycle cycle;
  bool write;
  DramPlace place;
};
std::vector<Request> random_requests(std::uint32_t seed, const Device& d) {
  std::mt19937 random(seed);
  std::vector<Request> requests;
  std::uint64_t cycle = 3;
  for (int i = 0; i < 600; ++i) {
    cycle += i % 60 == 59 ? 40'000 : random() % 12;
    requests.push_back(
        {Cycle(cycle),
         random() % 3 == 0,
         {0, static_cast<std::uint32_t>(random() % d.banks_of_channel()),
          static_cast<std::uint32_t>(random() % 3), static_cast<std::uint32_t>(random() % 4)}});
  }
  return requests;
}

constexpr std::uint64_t kEnd = 600'000;

struct Told {
  std::vector<Event> events;
  std::vector<Cycle> accepted;
};

// The channel by itself, always up to date before a request; those that find no room come later.
Told run(const config::DramSystem& system, const ClockRatio& ratio, std::vector<Request>& requests) {
  std::vector<std::uint32_t> open(requests.size(), 1);
  DramChannel channel(system, ratio, 0, open);
  observe::EventHub hub;
  Recorder recorder;
  hub.subscribe(recorder);
  channel.tell(hub, observe::channel_id(0));
  Told told;
  const auto step = [&] {
    const Cycle cycle(channel.next() / DramChannel::kSteps);
    switch (static_cast<DramChannel::Step>(channel.next() % DramChannel::kSteps)) {
      case DramChannel::Step::commands:
        return channel.give_commands(cycle);
      case DramChannel::Step::bus:
        return void(channel.change_bus(cycle));
      case DramChannel::Step::answer:
        return void(channel.take_answer());
    }
  };
  const auto go_to = [&](Cycle cycle) {
    while (channel.next() / DramChannel::kSteps <= cycle.value) step();
  };
  Cycle now;
  for (const Request& r : requests) {
    now = std::max(now, r.cycle);
    for (go_to(now); channel.room(r.write, r.place.bank) == 0; go_to(now)) now = now + 1;
    channel.accept(now, static_cast<std::uint32_t>(told.accepted.size()), r.write, std::span(&r.place, 1));
    channel.tell_queues(now);
    told.accepted.push_back(now);
  }
  go_to(Cycle(kEnd));
  told.events = std::move(recorder.events);
  return told;
}

// The same requests, in the same clocks, for a controller without a channel around it.
test::DramWatched watch_alone(const config::DramSystem& system, const ClockRatio& ratio,
                              const std::vector<Request>& requests, const Told& told) {
  std::vector<test::DramArrival> arrivals;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request& r = requests[i];
    arrivals.push_back(
        {ratio.last_clock(told.accepted[i]), r.write, r.place.bank, r.place.row, r.place.column});
  }
  return test::watch(system, arrivals, ratio.last_clock(Cycle(kEnd)));
}

DramSpan expected_change(const Times& times, const Device& d, const DramCommandRecord& c, Clock activated) {
  const auto closing = [&](std::uint64_t after) {
    const Clock begin = std::max(c.clock + after, activated + times.row(d));
    return DramSpan{begin, begin + times.precharge(d)};
  };
  switch (c.command) {
    case DramCommand::activate:
      return {c.clock, c.clock + times.activate(d)};
    case DramCommand::precharge:
    case DramCommand::precharge_all:
      return {c.clock, c.clock + times.precharge(d)};
    case DramCommand::read_auto:
      return closing(times.read_auto(d));
    case DramCommand::write_auto:
      return closing(times.write_auto(d));
    case DramCommand::refresh_all:
    case DramCommand::refresh_bank:
      return {c.clock, c.clock + times.refresh_over(d)};
    default:
      return {c.clock, c.clock};
  }
}

}  // namespace

TEST_CASE("a channel tells its controller's commands in their cycles, and how long they change their banks") {
  const Times& times = kDevices[static_cast<std::size_t>(GENERATE(0, 1, 2))];
  const double ghz = GENERATE(0.25, 1.0, 3.0);  // several clocks a cycle, several cycles a clock
  const DramPagePolicy pages = GENERATE(DramPagePolicy::open, DramPagePolicy::closed);
  CAPTURE(times.preset, ghz, config::name_of(pages));
  config::DramSystem system = test::preset_system(times.preset, 1, 64);
  system.page_policy = pages;
  system.refresh = times.refresh;
  const Device& d = system.device;
  const ClockRatio ratio(d.tck_ps, ghz);
  std::vector<Request> requests = random_requests(7, d);
  const Told told = run(system, ratio, requests);

  const test::DramWatched alone = watch_alone(system, ratio, requests, told);
  std::vector<Clock> activated(d.banks_of_channel(), 0);
  std::size_t i = 0, autos = 0;
  for (const Event& e : told.events) {
    if (e.kind != EventKind::dram_command) continue;
    REQUIRE(i < alone.commands.size());
    const DramCommandRecord& c = alone.commands[i++];
    CAPTURE(i, config::name_of(c.command), c.clock);
    REQUIRE(e.cycle == ratio.cycle_of(c.clock));
    REQUIRE(e.unit == observe::channel_id(0));
    REQUIRE(e.detail == static_cast<std::uint8_t>(c.command));
    REQUIRE(e.pc == c.bank);
    REQUIRE(e.number == c.row + (std::uint64_t{c.column} << 32));
    const DramSpan change = expected_change(times, d, c, activated[c.bank]);
    REQUIRE(e.cycle + (e.value >> 32) == ratio.cycle_of(change.begin));
    REQUIRE(e.cycle + (e.value & 0xffff'ffff) == ratio.cycle_of(change.end));
    if (c.command == DramCommand::activate) activated[c.bank] = c.clock;
    autos += c.command == DramCommand::read_auto || c.command == DramCommand::write_auto;
  }
  CHECK(i == alone.commands.size());
  CHECK(i > requests.size());
  CHECK((autos > 100) == (pages == DramPagePolicy::closed));
}

TEST_CASE("the depths that a channel tells are the requests accepted and not yet transferred") {
  config::DramSystem system = test::preset_system(GENERATE("ddr4-2400", "hbm2-2000"), 1, 64);
  system.activated_queue = GENERATE(0u, 4u);
  system.read_queue = 8;
  const ClockRatio ratio(system.device.tck_ps, 1.0);
  std::vector<Request> requests = random_requests(8, system.device);
  const Told told = run(system, ratio, requests);
  const test::DramWatched alone = watch_alone(system, ratio, requests, told);
  std::uint64_t deepest = 0, activated = 0, seen = 0;
  for (const Event& e : told.events) {
    if (e.kind != EventKind::dram_queues) continue;
    ++seen;
    std::uint64_t waiting = 0;
    for (std::size_t i = 0; i < requests.size(); ++i)
      waiting += alone.queued[i] && told.accepted[i] <= e.cycle;
    for (const DramCommandRecord& c : alone.commands)
      waiting -= is_transfer(c.command) && ratio.cycle_of(c.clock) <= e.cycle;
    const std::uint64_t reads = e.number & 0xffff'ffff, writes = e.number >> 32;
    // Told again in the cycle when another request comes in it; the last time counts.
    const Event* next = &e + 1;
    const bool last = next == told.events.data() + told.events.size() || next->cycle != e.cycle;
    if (last) REQUIRE(reads + writes + e.value == waiting);
    REQUIRE(reads <= system.read_queue);
    REQUIRE(writes <= system.write_queue);
    deepest = std::max(deepest, reads);
    activated = std::max(activated, e.value);
  }
  CHECK(seen > requests.size());
  CHECK(deepest == system.read_queue);
  CHECK((activated > 0) == (system.activated_queue > 0));
}
