// SPDX-License-Identifier: Apache-2.0
// Whatever arrives, under every policy: does the command stream pass the independent checker, and does it not
// depend on how often the controller is asked?
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "memory/dram_checker.h"
#include "memory/dram_reference.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramRefresh;
using memory::Clock;

namespace {

enum class Places : std::uint8_t { sequential, few_rows, anywhere, one_bank };
enum class Times : std::uint8_t { saturated, sparse, bursts };

// Longer than two refresh intervals now and then.
Clock pause(std::mt19937_64& random, Times times, const config::DramDevice& d) {
  switch (times) {
    case Times::saturated:
      return 0;
    case Times::sparse:
      return random() % 60;
    case Times::bursts:
      break;
  }
  if (random() % 24 != 0) return 0;
  return random() % 4 == 0 ? random() % (3 * Clock{d.refresh_interval}) : random() % 400;
}

std::vector<DramArrival> arrivals(const config::DramSystem& system, std::uint64_t seed, Places places,
                                  Times times, int count) {
  std::mt19937_64 random(seed);
  const config::DramDevice& d = system.device;
  const std::uint64_t writes_of_8 = random() % 8;
  std::vector<DramArrival> result;
  Clock now = 0;
  std::uint64_t address = random() % d.channel_bytes();
  for (int i = 0; i < count; ++i) {
    now += pause(random, times, d);
    if (random() % 40 == 0) address = random() % d.channel_bytes();
    DramArrival a =
        decode(system, address = (address + d.burst_bytes) % d.channel_bytes(), random() % 8 < writes_of_8);
    if (places != Places::sequential) {
      a.bank =
          places == Places::one_bank ? a.bank : static_cast<std::uint32_t>(random() % d.banks_of_channel());
      a.row = static_cast<std::uint32_t>(random() % (places == Places::anywhere ? d.rows : 3));
      a.column = static_cast<std::uint32_t>(random() % d.bursts);
    }
    a.at = now;
    result.push_back(a);
  }
  return result;
}

struct Trial {
  DramParameters parameters;
  config::DramSystem system;
  DramRefreshDuty duty;
  Places places;
  Times times;
  std::uint64_t seed;
  std::string text() const {
    return parameters.name + " ranks " + std::to_string(parameters.ranks) + " scheduler " +
           std::to_string(static_cast<int>(system.scheduler)) + " page " +
           std::to_string(static_cast<int>(system.page_policy)) + " refresh " +
           std::to_string(static_cast<int>(system.refresh)) + " postpone " + std::to_string(system.postpone) +
           " places " + std::to_string(static_cast<int>(places)) + " times " +
           std::to_string(static_cast<int>(times)) + " seed " + std::to_string(seed);
  }
};

std::vector<DramParameters> presets() {
  std::vector<DramParameters> all;
  for (const DramParameters& p : {ddr4_3200aa(), lpddr5_6400()}) {
    for (const std::uint32_t ranks : {1u, 2u}) {
      all.push_back(p);
      all.back().ranks = ranks;
    }
  }
  all.push_back(hbm2_2000());
  return all;
}

// Every preset with every scheduler, page policy and refresh; places and times alternate.
std::vector<Trial> trials() {
  std::vector<Trial> all;
  std::mt19937_64 random(20260601);
  for (const DramParameters& p : presets()) {
    for (const auto scheduler : config::kEveryDramScheduler) {
      for (const auto page : config::kEveryDramPagePolicy) {
        for (const auto refresh : config::kEveryDramRefresh) {
          if (refresh == DramRefresh::per_bank && p.refi_bank == 0) continue;
          Trial t{p,
                  reference_system(p),
                  {},
                  static_cast<Places>(random() % 4),
                  static_cast<Times>(random() % 3),
                  random() % 1000000};
          t.system.scheduler = scheduler;
          t.system.page_policy = page;
          t.system.refresh = refresh;
          if (random() % 4 == 0) t.system.queue_of = config::DramQueueOf::bank;
          t.system.postpone = random() % 3 == 0 ? static_cast<std::uint32_t>(random() % 9) : 0;
          t.duty = {refresh, t.system.postpone};
          all.push_back(t);
        }
      }
    }
  }
  return all;
}

constexpr int kRequests = 300;

DramReplay run(const Trial& t, const DramReplayOptions& options) {
  return replay(t.system, arrivals(t.system, t.seed, t.places, t.times, kRequests), options);
}

bool same_commands(const DramReplay& a, const DramReplay& b) {
  return std::equal(a.commands.begin(), a.commands.end(), b.commands.begin(), b.commands.end(),
                    [](const memory::DramCommandRecord& x, const memory::DramCommandRecord& y) {
                      return x.clock == y.clock && x.command == y.command && x.bank == y.bank &&
                             x.row == y.row && x.column == y.column;
                    });
}

}  // namespace

TEST_CASE("every command stream passes the independent checker") {
  for (const Trial& t : trials()) {
    CAPTURE(t.text());
    const Clock tail = 4 * Clock{t.parameters.refi};
    const DramReplay result = run(t, {DramAdvance::leap, true, 1, tail});
    CHECK(DramChecker(t.parameters).all(result.commands, t.duty, result.end + tail) ==
          std::vector<std::string>{});
    CHECK(std::count(result.completed.begin(), result.completed.end(), memory::kNoClock) == 0);
  }
}

TEST_CASE("one leap gives the commands of an advance in every clock") {
  for (const Trial& t : trials()) {
    CAPTURE(t.text());
    const DramReplay leap = run(t, {DramAdvance::leap, true, 1, 100}),
                     every = run(t, {DramAdvance::every_clock, true, 1, 100});
    CHECK(same_commands(leap, every));
    CHECK(leap.completed == every.completed);
    CHECK(leap.accepted == every.accepted);
  }
}

TEST_CASE("idle time skipped is idle time stepped through") {
  for (const Trial& t : trials()) {
    if (t.times == Times::saturated) continue;
    CAPTURE(t.text());
    const Clock tail = 50 * Clock{t.parameters.refi};
    const DramReplay skipped = run(t, {DramAdvance::leap, false, 1, tail});
    const DramReplay stepped = run(t, {DramAdvance::leap, true, 1, tail});
    CHECK(skipped.completed == stepped.completed);
    CHECK(skipped.accepted == stepped.accepted);
    CHECK(skipped.counters.commands == stepped.counters.commands);
    CHECK(skipped.counters.turnarounds == stepped.counters.turnarounds);
    CHECK(skipped.counters.hits == stepped.counters.hits);
  }
}

// Of every distance that a stream keeps to the clock, everything from its second command on is moved one
// clock sooner.
TEST_CASE(
    "the checker catches real streams that are moved one clock sooner where a distance is met exactly") {
  std::map<std::string, int> caught;
  for (const Trial& t : trials()) {
    const DramChecker checker(t.parameters);
    const DramReplay result = run(t, {});
    const auto& stream = result.commands;
    std::map<std::string, int> of_trial;
    for (std::size_t i = 1; i < stream.size(); ++i) {
      for (const DramRule& rule : checker.rules()) {
        if (of_trial[rule.name] == 2) continue;
        if (std::find(rule.after.begin(), rule.after.end(), stream[i].command) == rule.after.end()) continue;
        std::uint32_t seen = 0;
        for (std::size_t j = i; j-- > 0 && seen < rule.window;) {
          if (std::find(rule.before.begin(), rule.before.end(), stream[j].command) == rule.before.end())
            continue;
          if (!checker.in_place(rule.place, stream[j], stream[i]) || ++seen != rule.window) continue;
          if (checker.counted(stream[i]) != checker.counted(stream[j]) + rule.clocks) break;
          // The stretch from the first of the two commands to the second one suffices.
          std::vector<memory::DramCommandRecord> moved(stream.begin() + static_cast<std::ptrdiff_t>(j),
                                                       stream.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          --moved.back().clock;
          const auto violations = checker.distances(moved);
          CAPTURE(t.text(), rule.name, stream[i].clock);
          CHECK(std::any_of(violations.begin(), violations.end(),
                            [&](const std::string& v) { return v.starts_with(rule.name + ":"); }));
          ++of_trial[rule.name];
          ++caught[rule.name];
        }
      }
    }
  }
  // Constraints that a busy controller runs into; others are implied by stricter ones.
  for (const char* rule : {"tCCD_S read",
                           "tCCD_L read",
                           "tCCD_L write",
                           "read to write",
                           "tWTR_S",
                           "tWTR_L",
                           "tRRD_S",
                           "tRRD_L",
                           "tFAW",
                           "tRC",
                           "tRCD read",
                           "tRCD write",
                           "tRAS",
                           "tRP",
                           "tRTP",
                           "tWR",
                           "tRP all to refresh",
                           "tRFC to activate",
                           "other rank read",
                           "tRFCpb to activate"}) {
    CAPTURE(rule);
    CHECK(caught[rule] > 0);
  }
}
