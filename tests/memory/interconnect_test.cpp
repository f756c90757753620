// SPDX-License-Identifier: Apache-2.0
// The interconnect: the order of things within a cycle, and the same events however rarely it is advanced.
#include "memory/interconnect.h"

#include <catch2/catch.hpp>
#include <deque>
#include <random>

#include "observe/event_digest.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

config::Machine machine(std::uint32_t channels, double gb_per_s, double latency_ns, std::uint32_t in_flight) {
  config::Machine m;
  m.dram = {channels, 1u << 20, gb_per_s, latency_ns, 64, in_flight};
  return m;
}

struct Note {
  char what;  // issued, completed, bus
  Cycle cycle;
  std::uint64_t address;
  bool operator==(const Note&) const = default;
};

// Asks for a fixed list of bursts, each from a cycle on and a gap after the one before; writes down what
// happens.
class ListSource : public BurstSource {
 public:
  struct Wish {
    std::uint64_t from, gap;
    Burst burst;
  };
  explicit ListSource(std::deque<Wish> wishes) : wishes_(std::move(wishes)) {
    for (Wish& w : wishes_) w.burst.tag = tags_++;
    issued_.resize(tags_);
    step(0);
  }

  Cycle next_issue() const override { return wishes_.empty() ? kNever : next_; }
  const Burst& head() const override { return wishes_.front().burst; }
  void issued(Cycle now) override {
    notes.push_back({'i', now, head().address.value});
    issued_[head().tag] = now;
    const std::uint64_t gap = wishes_.front().gap;
    wishes_.pop_front();
    step(now.value + gap);
  }
  void completed(Cycle now, const Burst& burst) override {
    CHECK(now > issued_[burst.tag]);
    notes.push_back({'c', now, burst.address.value});
    if (lowers != nullptr) *lowers = std::min(*lowers, now);
  }
  void data_state_changed(Cycle now, observe::State state) override {
    notes.push_back({'b', now, static_cast<std::uint64_t>(state)});
  }

  std::vector<Note> notes;
  Cycle* lowers = nullptr;  // set to the cycle of each completion, as a unit does that asks for an edge

 private:
  void step(std::uint64_t now) {
    if (!wishes_.empty()) next_ = Cycle(std::max(now, wishes_.front().from));
  }
  std::deque<Wish> wishes_;
  std::vector<Cycle> issued_;  // by tag
  std::uint32_t tags_ = 0;
  Cycle next_;
};

Burst burst_of(Requester r, std::uint64_t address, bool write = false) {
  return {DramAddress(address), 64, write, r, 0};
}

using Wishes = std::array<std::deque<ListSource::Wish>, kRequesters>;

struct Outcome {
  std::array<std::vector<Note>, kRequesters> notes;
  std::string digest;
  bool operator==(const Outcome&) const = default;
};

// Advances at the given cycles.
Outcome run(const config::Machine& m, const Wishes& wishes, const std::vector<std::uint64_t>& cycles) {
  observe::EventHub hub;
  observe::EventDigest digest;
  hub.subscribe(digest);
  Interconnect interconnect(make_ideal_dram(m), m, hub);
  ListSource fetch(wishes[0]), store(wishes[1]), load(wishes[2]);
  interconnect.attach({&fetch, &store, &load});
  for (const std::uint64_t c : cycles) interconnect.advance(Cycle(c));
  return {{fetch.notes, store.notes, load.notes}, digest.hex()};
}

Wishes random_wishes(std::mt19937& random) {
  Wishes wishes;
  for (int r = 0; r < kRequesters; ++r) {
    std::uint64_t from = random() % 50;
    for (std::uint64_t n = random() % 40; n > 0; --n) {
      const auto requester = static_cast<Requester>(r);
      wishes[static_cast<std::size_t>(r)].push_back(
          {from, random() % 3, burst_of(requester, random() % 64 * 64, requester == Requester::store)});
      if (random() % 5 == 0) from += random() % 100;
    }
  }
  return wishes;
}

}  // namespace

TEST_CASE("within a cycle completions come first, then the units, then issues") {
  const config::Machine m = machine(1, 64, 10, 8);
  Wishes wishes;
  wishes[2] = {{5, 0, burst_of(Requester::load, 0)}, {15, 0, burst_of(Requester::load, 64)}};
  observe::EventHub hub;
  Interconnect interconnect(make_ideal_dram(m), m, hub);
  ListSource fetch({}), store({}), load(wishes[2]);
  interconnect.attach({&fetch, &store, &load});
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
  const config::Machine one = machine(1, 64, 10, 64), two = machine(2, 64, 10, 64);
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
  const Outcome single = run(one, wishes, {100});
  CHECK(issued(single.notes[0]) == std::vector<std::uint64_t>{3, 4});
  CHECK(issued(single.notes[1]) == std::vector<std::uint64_t>{5, 6});
  CHECK(issued(single.notes[2]) == std::vector<std::uint64_t>{7, 8});
  // Each asks for channel 0, then for channel 1: both channels accept in the same cycle.
  const Outcome both = run(two, wishes, {100});
  CHECK(issued(both.notes[0]) == std::vector<std::uint64_t>{3, 3});
  CHECK(issued(both.notes[1]) == std::vector<std::uint64_t>{4, 4});
  CHECK(issued(both.notes[2]) == std::vector<std::uint64_t>{5, 5});
}

TEST_CASE("a full memory accepts again in the cycle of a completion") {
  const config::Machine m = machine(1, 64, 10, 1);
  Wishes wishes;
  for (std::uint64_t n = 0; n < 3; ++n) wishes[2].push_back({0, 0, burst_of(Requester::load, n * 64)});
  const Outcome outcome = run(m, wishes, {100});
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

TEST_CASE("the events are the same whether it is advanced every cycle or once in a thousand") {
  std::mt19937 random(7);
  constexpr std::uint64_t kEnd = 20'000;
  std::vector<std::uint64_t> every(kEnd + 1);
  for (std::uint64_t c = 0; c <= kEnd; ++c) every[c] = c;
  for (int round = 0; round < 150; ++round) {
    const double speeds[] = {0.7, 5, 16, 100};
    const config::Machine m =
        machine(1u << random() % 3, speeds[random() % 4], static_cast<double>(random() % 60),
                1 + static_cast<std::uint32_t>(random() % 10));
    const Wishes wishes = random_wishes(random);
    std::vector<std::uint64_t> rare;
    for (std::uint64_t c = 0; c < kEnd; c += 1 + random() % 1000) rare.push_back(c);
    rare.push_back(kEnd);
    INFO("round " << round);
    const Outcome a = run(m, wishes, every), b = run(m, wishes, rare), c = run(m, wishes, {kEnd});
    CHECK(a == b);
    CHECK(a == c);
    std::size_t wished = 0, completed = 0;
    for (std::size_t r = 0; r < 3; ++r) {
      wished += wishes[r].size();
      completed += static_cast<std::size_t>(
          std::count_if(a.notes[r].begin(), a.notes[r].end(), [](const Note& n) { return n.what == 'c'; }));
    }
    CHECK(completed == wished);
  }
}

TEST_CASE("an advance ends where a source asks it to, and goes on from there") {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    const config::Machine m = machine(2, 16, static_cast<double>(random() % 60), 8);
    const Wishes wishes = random_wishes(random);
    observe::EventHub hub;
    observe::EventDigest digest;
    hub.subscribe(digest);
    Interconnect interconnect(make_ideal_dram(m), m, hub);
    ListSource fetch(wishes[0]), store(wishes[1]), load(wishes[2]);
    interconnect.attach({&fetch, &store, &load});
    constexpr Cycle kEnd(20'000);
    Cycle until;
    for (ListSource* s : {&fetch, &store, &load}) s->lowers = &until;
    for (Cycle now; now < kEnd; now = until) {
      until = now + 1;  // every unit may have an edge here
      interconnect.advance(until);
      until = kEnd;
      interconnect.advance(until);
    }
    INFO("round " << round);
    const Outcome stopped{{fetch.notes, store.notes, load.notes}, digest.hex()};
    CHECK(stopped == run(m, wishes, {kEnd.value}));
  }
}

TEST_CASE("traffic is counted by requester and direction, used and moved bytes apart") {
  const config::Machine m = machine(1, 64, 10, 8);
  observe::EventHub hub;
  Interconnect interconnect(make_ideal_dram(m), m, hub);
  Burst part = burst_of(Requester::store, 0, true);
  part.bytes = 5;
  ListSource fetch({{0, 0, burst_of(Requester::fetch, 0)}}), store({{0, 0, part}, {0, 0, part}}), load({});
  interconnect.attach({&fetch, &store, &load});
  interconnect.advance(Cycle(100));
  CHECK(interconnect.counters(Requester::fetch, false).bursts == 1);
  CHECK(interconnect.counters(Requester::store, true).bursts == 2);
  CHECK(interconnect.counters(Requester::store, true).used_bytes == 10);
  CHECK(interconnect.counters(Requester::store, true).moved_bytes == 128);
  CHECK(interconnect.counters(Requester::store, false).bursts == 0);
  CHECK(interconnect.counters(Requester::load, false).bursts == 0);
}
