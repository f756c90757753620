// SPDX-License-Identifier: Apache-2.0
// The interconnect advanced every cycle, now and then, or once: the same events, with ideal memory and with
// devices command by command.
#include <algorithm>
#include <catch2/catch.hpp>

#include "memory/interconnect_run.h"
#include "support/random_memory.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

// Presets in turn at random, with any policy.
config::Machine command_machine(std::mt19937& random) {
  const std::vector<std::string> presets = dram_presets();
  const RandomMemory memory = random_memory(random, presets[random() % presets.size()], 4);
  config::Machine m;
  m.clock_ghz = static_cast<double>(2 + random() % 20) / 10;
  m.dram = command_memory(memory.system, memory.request_bytes, static_cast<double>(random() % 30),
                          1 + static_cast<std::uint32_t>(random() % 20));
  return m;
}

constexpr std::uint64_t kEnd = 40'000;

// Every cycle, now and then, and once: the same, and every burst comes back.
Outcome check_any_advance(std::mt19937& random, const config::Machine& m, const Wishes& wishes) {
  std::vector<std::uint64_t> every(kEnd + 1), rare;
  for (std::uint64_t c = 0; c <= kEnd; ++c) every[c] = c;
  for (std::uint64_t c = 0; c < kEnd; c += 1 + random() % 1000) rare.push_back(c);
  rare.push_back(kEnd);
  const Outcome a = run(m, wishes, every), b = run(m, wishes, rare), c = run(m, wishes, {kEnd});
  CHECK(a == b);
  CHECK(a == c);
  CHECK(a == run_heard(m, wishes, {kEnd}));
  for (std::size_t r = 0; r < memory::kRequesters; ++r) {
    CHECK(static_cast<std::size_t>(std::count_if(a.notes[r].begin(), a.notes[r].end(), [](const Note& n) {
            return n.what == 'c';
          })) == wishes[r].size());
  }
  return a;
}

}  // namespace

TEST_CASE("the events are the same whether it is advanced every cycle or once in a thousand") {
  std::mt19937 random(7);
  for (int round = 0; round < 150; ++round) {
    const double speeds[] = {0.7, 5, 16, 100};
    const config::Machine m =
        ideal_machine(1u << random() % 3, speeds[random() % 4], static_cast<double>(random() % 60),
                      1 + static_cast<std::uint32_t>(random() % 10));
    INFO("round " << round);
    check_any_advance(random, m, random_wishes(random));
  }
}

TEST_CASE("the same with command-level memory of every preset, and its queues refuse bursts now and then") {
  std::mt19937 random(8);
  std::uint64_t refused = 0;
  for (int round = 0; round < 66; ++round) {
    const config::Machine m = command_machine(random);
    INFO("round " << round << "\n" << config::to_json(m));
    for (const std::uint64_t cycles :
         check_any_advance(random, m, random_wishes(random, m.dram.burst_bytes)).room_wait)
      refused += cycles;
  }
  CHECK(refused > 0);
}

TEST_CASE("a requester's wait for room is counted from the cycle in which its channel would have taken it") {
  std::mt19937 random(9);
  std::uint64_t counted = 0;
  for (int round = 0; round < 60; ++round) {
    const config::Machine m = round % 3 == 0 ? ideal_machine(2, 5, 40, 3) : command_machine(random);
    Wishes wishes = random_wishes(random, m.dram.burst_bytes);
    wishes[0].clear();
    wishes[1].clear();
    const auto dram = memory::make_dram(m);
    const Outcome outcome = run(m, wishes, {kEnd});
    // Alone: from when it is wanted, a cycle after the burst before it in the same channel.
    std::vector<std::uint64_t> channel_next(m.dram.channels);
    std::uint64_t expected = 0, ready = 0;
    std::size_t n = 0;
    for (const Note& note : outcome.notes[2]) {
      if (note.what != 'i') continue;
      const ListSource::Wish& wish = wishes[2].at(n++);
      std::uint64_t& next = channel_next[dram->channel_of(wish.burst.address)];
      expected += note.cycle.value - std::max({ready, wish.from, next});
      next = note.cycle.value + 1;
      ready = note.cycle.value + wish.gap;
    }
    INFO("round " << round << "\n" << config::to_json(m));
    CHECK(outcome.room_wait[2] == expected);
    CHECK(outcome.room_wait[0] + outcome.room_wait[1] == 0);
    counted += expected;
  }
  CHECK(counted > 0);
}

TEST_CASE("an advance ends where a source asks it to, and continues from there") {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    const config::Machine m = round % 2 == 0 ? command_machine(random)
                                             : ideal_machine(2, 16, static_cast<double>(random() % 60), 8);
    const Wishes wishes = random_wishes(random, m.dram.burst_bytes);
    INFO("round " << round << "\n" << config::to_json(m));
    CHECK(run_with_stops(m, wishes, Cycle(kEnd)) == run(m, wishes, {kEnd}));
  }
}
