// SPDX-License-Identifier: Apache-2.0
// The interconnect: the order of things within a cycle, who goes first, what is counted.
#include <algorithm>
#include <catch2/catch.hpp>

#include "memory/interconnect_run.h"

using namespace tokencycle;
using namespace tokencycle::memory;
using test::burst_of;
using test::ideal_machine;
using test::ListSource;
using test::Note;
using test::Outcome;
using test::Wishes;

TEST_CASE("within a cycle completions come first, then the units, then issues") {
  const config::Machine m = ideal_machine(1, 64, 10, 8);
  Wishes wishes;
  wishes[2] = {{5, 0, burst_of(Requester::load, 0)}, {15, 0, burst_of(Requester::load, 64)}};
  observe::EventHub hub;
  Interconnect interconnect(make_ideal_dram(m), m, hub);
  ListSource fetch({}), store({}), load(wishes[2]);
  interconnect.attach({{&fetch, Requester::fetch}, {&store, Requester::store}, {&load, Requester::load}});
  const auto count = [&](char what) {
    return std::count_if(load.notes.begin(), load.notes.end(), [&](const Note& n) { return n.what == what; });
  };
  interconnect.advance(Cycle(5));
  CHECK(count('i') == 0);  // cycle 5's issues follow what the units do in cycle 5
  interconnect.advance(Cycle(6));
  CHECK(count('i') == 1);
  interconnect.advance(Cycle(14));
  CHECK(count('c') == 0);
  interconnect.advance(Cycle(15));
  CHECK(count('c') == 1);  // arrived for the units of cycle 15
  CHECK(count('i') == 1);
  interconnect.advance(Cycle(16));
  CHECK(count('i') == 2);
}

TEST_CASE("a channel accepts one burst a cycle: fetch before store before load") {
  const config::Machine one = ideal_machine(1, 64, 10, 64), two = ideal_machine(2, 64, 10, 64);
  Wishes wishes;
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::uint64_t n = 0; n < 2; ++n) {
      wishes[r].push_back({3, 0, burst_of(static_cast<Requester>(r), r * 256 + n * 64)});
    }
  }
  const auto issued = [](const std::vector<Note>& notes) {
    std::vector<std::uint64_t> cycles;
    for (const Note& n : notes) {
      if (n.what == 'i') cycles.push_back(n.cycle.value);
    }
    return cycles;
  };
  const Outcome single = test::run(one, wishes, {100});
  CHECK(issued(single.notes[0]) == std::vector<std::uint64_t>{3, 4});
  CHECK(issued(single.notes[1]) == std::vector<std::uint64_t>{5, 6});
  CHECK(issued(single.notes[2]) == std::vector<std::uint64_t>{7, 8});
  // Each asks for channel 0, then for channel 1: both channels accept in the same cycle.
  const Outcome both = test::run(two, wishes, {100});
  CHECK(issued(both.notes[0]) == std::vector<std::uint64_t>{3, 3});
  CHECK(issued(both.notes[1]) == std::vector<std::uint64_t>{4, 4});
  CHECK(issued(both.notes[2]) == std::vector<std::uint64_t>{5, 5});
}

TEST_CASE("a full memory accepts again in the cycle of a completion") {
  const config::Machine m = ideal_machine(1, 64, 10, 1);
  Wishes wishes;
  for (std::uint64_t n = 0; n < 3; ++n) wishes[2].push_back({0, 0, burst_of(Requester::load, n * 64)});
  const Outcome outcome = test::run(m, wishes, {100});
  std::vector<Note> expected;
  for (const Note& n : outcome.notes[2]) {
    if (n.what != 'b') expected.push_back(n);
  }
  CHECK(expected == std::vector<Note>{{'i', Cycle(0), 0},
                                      {'c', Cycle(10), 0},
                                      {'i', Cycle(10), 64},
                                      {'c', Cycle(20), 64},
                                      {'i', Cycle(20), 128},
                                      {'c', Cycle(30), 128}});
}

TEST_CASE("traffic is counted by requester and direction, used and moved bytes apart") {
  const config::Machine m = ideal_machine(1, 64, 10, 8);
  observe::EventHub hub;
  Interconnect interconnect(make_ideal_dram(m), m, hub);
  Burst part = burst_of(Requester::store, 0, true);
  part.bytes = 5;
  ListSource fetch({{0, 0, burst_of(Requester::fetch, 0)}}), store({{0, 0, part}, {0, 0, part}}), load({});
  interconnect.attach({{&fetch, Requester::fetch}, {&store, Requester::store}, {&load, Requester::load}});
  interconnect.advance(Cycle(100));
  CHECK(interconnect.counters(Requester::fetch, false).bursts == 1);
  CHECK(interconnect.counters(Requester::store, true).bursts == 2);
  CHECK(interconnect.counters(Requester::store, true).used_bytes == 10);
  CHECK(interconnect.counters(Requester::store, true).moved_bytes == 128);
  CHECK(interconnect.counters(Requester::store, false).bursts == 0);
  CHECK(interconnect.counters(Requester::load, false).bursts == 0);
}
