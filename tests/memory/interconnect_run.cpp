// SPDX-License-Identifier: Apache-2.0
#include "memory/interconnect_run.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "observe/event_digest.h"

namespace tokencycle::test {

using memory::Interconnect;

ListSource::ListSource(std::deque<Wish> wishes) : wishes_(std::move(wishes)) {
  for (Wish& w : wishes_) w.burst.tag = tags_++;
  issued_.resize(tags_);
  step(0);
}

void ListSource::issued(Cycle now) {
  notes.push_back({'i', now, head().address.value});
  issued_[head().tag] = now;
  const std::uint64_t gap = wishes_.front().gap;
  wishes_.pop_front();
  step(now.value + gap);
}

void ListSource::completed(Cycle now, const Burst& burst) {
  CHECK(now > issued_[burst.tag]);
  notes.push_back({'c', now, burst.address.value});
  if (lowers != nullptr) *lowers = std::min(*lowers, now);
}

Burst burst_of(Requester requester, std::uint64_t address, bool write) {
  return {DramAddress(address), 64, write, requester, 0};
}

Wishes random_wishes(std::mt19937& random, std::uint32_t request_bytes) {
  Wishes wishes;
  for (int r = 0; r < memory::kRequesters; ++r) {
    std::uint64_t from = random() % 50;
    for (std::uint64_t n = random() % 40; n > 0; --n) {
      const auto requester = static_cast<Requester>(r);
      Burst burst = burst_of(requester, random() % 64 * 64, requester == Requester::store);
      burst.bytes = std::min(burst.bytes, request_bytes);
      wishes[static_cast<std::size_t>(r)].push_back({from, random() % 3, burst});
      if (random() % 5 == 0) from += random() % 100;
    }
  }
  return wishes;
}

namespace {

// Hears of what is reported on request alone.
struct Ear : observe::Observer {
  std::uint32_t interests() const override { return observe::kOnRequest; }
  void on_event(const observe::Event&) override {}
};

// An interconnect with its three requesters.
struct Bench {
  Bench(const config::Machine& m, const Wishes& wishes, bool heard = false)
      : machine(m),
        interconnect(memory::make_dram(m), m, hub),
        fetch(wishes[0]),
        store(wishes[1]),
        load(wishes[2]) {
    hub.subscribe(digest);
    if (heard) hub.subscribe(ear);
    interconnect.attach({{&fetch, Requester::fetch}, {&store, Requester::store}, {&load, Requester::load}});
  }
  std::uint64_t room_wait(Requester r) const {
    return interconnect.counters(r, false).room_wait_cycles + interconnect.counters(r, true).room_wait_cycles;
  }
  Outcome outcome(Cycle end) {
    return {{fetch.notes, store.notes, load.notes},
            digest.hex(),
            {room_wait(Requester::fetch), room_wait(Requester::store), room_wait(Requester::load)},
            counted(end)};
  }
  std::vector<std::uint64_t> counted(Cycle end) {
    std::vector<std::uint64_t> all;
    for (std::uint32_t c = 0; c < machine.dram.channels; ++c) {
      const std::optional<memory::DramUse> use = interconnect.dram_use(c, end);
      if (!use) continue;
      const memory::DramCounters& n = use->counters;
      all.insert(all.end(), {n.reads, n.writes, n.forwarded, n.coalesced, n.hits, n.misses, n.conflicts,
                             n.turnarounds, use->open_bank_clocks, use->refreshing_bank_clocks});
      all.insert(all.end(), n.commands.begin(), n.commands.end());
    }
    return all;
  }

  const config::Machine& machine;
  observe::EventHub hub;
  observe::EventDigest digest;
  Ear ear;
  Interconnect interconnect;
  ListSource fetch, store, load;
};

}  // namespace

Outcome run(const config::Machine& m, const Wishes& wishes, const std::vector<std::uint64_t>& cycles) {
  Bench bench(m, wishes);
  for (const std::uint64_t c : cycles) bench.interconnect.advance(Cycle(c));
  return bench.outcome(Cycle(cycles.back()));
}

Outcome run_heard(const config::Machine& m, const Wishes& wishes, const std::vector<std::uint64_t>& cycles) {
  Bench bench(m, wishes, true);
  for (const std::uint64_t c : cycles) bench.interconnect.advance(Cycle(c));
  return bench.outcome(Cycle(cycles.back()));
}

Outcome run_with_stops(const config::Machine& m, const Wishes& wishes, Cycle end) {
  Bench bench(m, wishes);
  Cycle until;
  for (ListSource* s : {&bench.fetch, &bench.store, &bench.load}) s->lowers = &until;
  for (Cycle now; now < end; now = until) {
    until = now + 1;  // every unit may have an edge here
    bench.interconnect.advance(until);
    until = end;
    bench.interconnect.advance(until);
  }
  return bench.outcome(end);
}

config::Machine ideal_machine(std::uint32_t channels, double gb_per_s, double latency_ns,
                              std::uint32_t in_flight) {
  config::Machine m;
  m.dram = {channels, 1u << 20, gb_per_s, latency_ns, 64, in_flight, config::DramModel::ideal, nullptr};
  return m;
}

}  // namespace tokencycle::test
