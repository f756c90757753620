// SPDX-License-Identifier: Apache-2.0
// Over random streams: are waits, bus, open rows and refreshes what the commands say, however often the
// controller is asked?
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "memory/dram_watch.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramCommand;
using config::DramRefresh;
using memory::Clock;
using memory::DramWait;

namespace {

struct Stream {
  DramParameters parameters;
  config::DramSystem system;
  std::vector<DramArrival> arrivals;
  Clock until = 0;
  std::string text;
};

// Dense stretches with pauses between them, a few rows and a few banks, so that everything happens.
std::vector<DramArrival> random_arrivals(const config::DramDevice& d, std::mt19937_64& random) {
  std::vector<DramArrival> arrivals;
  const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random() % n); };
  const std::uint32_t writes_of_8 = below(8), rows = 1 + below(4), banks = 1 + below(d.banks_of_channel());
  Clock now = 0;
  for (int i = 0; i < 250; ++i) {
    if (below(12) == 0) now += below(3) == 0 ? below(2 * d.refresh_interval) : below(200);
    if (below(3) != 0) now += below(4);
    arrivals.push_back({now, below(8) < writes_of_8, below(banks), below(rows), below(d.bursts)});
  }
  return arrivals;
}

std::vector<DramParameters> presets() {
  std::vector<DramParameters> all = {ddr4_3200aa(), ddr4_3200aa(), lpddr5_6400(), lpddr5_6400(), hbm2_2000()};
  all[1].ranks = all[3].ranks = 2;
  return all;
}

std::vector<Stream> streams() {
  std::vector<Stream> all;
  std::mt19937_64 random(77);
  for (const DramParameters& p : presets()) {
    for (const auto scheduler : config::kEveryDramScheduler) {
      for (const auto page : config::kEveryDramPagePolicy) {
        for (const auto refresh : config::kEveryDramRefresh) {
          if (refresh == DramRefresh::per_bank && p.refi_bank == 0) continue;
          Stream s{p, reference_system(p), {}, 0, p.name};
          s.system.scheduler = scheduler;
          s.system.page_policy = page;
          s.system.refresh = refresh;
          s.system.postpone = random() % 3 == 0 ? static_cast<std::uint32_t>(random() % 9) : 0;
          s.arrivals = random_arrivals(s.system.device, random);
          s.until = s.arrivals.back().at + 2 * Clock{p.refi} + random() % (18 * Clock{p.refi});
          s.text += " stream " + std::to_string(all.size());
          all.push_back(s);
        }
      }
    }
  }
  return all;
}

bool is_write(DramCommand c) {
  return c == DramCommand::write || c == DramCommand::write_auto;
}

DramWait wait_at(const DramWatched& seen, Clock t) {
  const auto after = std::upper_bound(seen.waits.begin(), seen.waits.end(), t,
                                      [](Clock clock, const DramWaitChange& w) { return clock < w.from; });
  return after == seen.waits.begin() ? DramWait::nothing : (after - 1)->wait;
}

// Clocks before `until` in which a row was open, from the commands and the standard's parameters.
std::uint64_t open_clocks(const DramParameters& p, const DramWatched& seen, Clock until) {
  struct Row {
    bool open = false;
    Clock since = 0, activated = 0;  // from where tRAS counts
  };
  const std::uint32_t of_rank = p.bank_groups * p.banks;
  std::vector<Row> rows(p.ranks * of_rank);
  std::uint64_t sum = 0;
  const auto close = [&](Row& r, Clock at) {
    if (r.open) sum += std::min(at, until) - r.since;
    r.open = false;
  };
  for (const memory::DramCommandRecord& c : seen.commands) {
    Row& row = rows[c.bank];
    const Clock ras = row.activated + p.ras;
    if (c.command == DramCommand::activate_first) row.activated = c.clock;
    if (c.command == DramCommand::activate) {
      row.open = true;
      row.since = c.clock;
      if (!p.two_part_activate) row.activated = c.clock + p.activate_clocks - 1;
    }
    if (c.command == DramCommand::precharge) close(row, c.clock);
    if (c.command == DramCommand::read_auto) close(row, std::max(c.clock + p.rtp, ras));
    if (c.command == DramCommand::write_auto) close(row, std::max(c.clock + p.cwl + p.bl + p.wr, ras));
    if (c.command != DramCommand::precharge_all) continue;
    for (std::uint32_t b = 0; b < of_rank; ++b) close(rows[c.bank / of_rank * of_rank + b], c.clock);
  }
  for (Row& r : rows) close(r, until);
  return sum;
}

std::uint64_t refreshing_clocks(const DramParameters& p, const config::DramDevice& d, const DramWatched& seen,
                                Clock until) {
  // Up to the first clock of an activation, which may count from its second one.
  const std::uint32_t early = p.activate_clocks - 1;
  std::uint64_t sum = 0;
  for (const memory::DramCommandRecord& c : seen.commands) {
    const Clock left = until - c.clock;
    if (c.command == DramCommand::refresh_all)
      sum += std::min<Clock>(left, p.rfc - early) * d.banks_of_rank();
    if (c.command == DramCommand::refresh_bank)
      sum += std::min<Clock>(left, p.rfc_bank - early) * d.refresh_reach;
  }
  return sum;
}

}  // namespace

TEST_CASE("waits and bus are told the same whether the controller is advanced in leaps or in every clock") {
  for (const Stream& s : streams()) {
    CAPTURE(s.text);
    const DramWatched leap = watch(s.system, s.arrivals, s.until);
    const DramWatched every = watch(s.system, s.arrivals, s.until, DramAdvance::every_clock);
    CHECK(leap.waits == every.waits);
    CHECK(leap.bus == every.bus);
    CHECK(leap.completed == every.completed);
    CHECK(std::is_sorted(leap.waits.begin(), leap.waits.end(),
                         [](const auto& a, const auto& b) { return a.from <= b.from; }));
    // Each change is one.
    CHECK(std::adjacent_find(leap.waits.begin(), leap.waits.end(), [](const auto& a, const auto& b) {
            return a.wait == b.wait;
          }) == leap.waits.end());
  }
}

TEST_CASE("nothing is waited for in just the clocks in which no request waits") {
  for (const Stream& s : streams()) {
    CAPTURE(s.text);
    const DramWatched seen = watch(s.system, s.arrivals, s.until);
    // Requests seen less requests transferred, where it changes.
    std::map<Clock, int> changes;
    for (std::size_t i = 0; i < s.arrivals.size(); ++i) {
      if (seen.queued[i]) ++changes[seen.accepted[i] + 1];
    }
    for (const memory::DramCommandRecord& c : seen.commands) {
      if (memory::is_transfer(c.command)) --changes[c.clock];
    }
    int waiting = 0, before = 0;
    for (const auto& [clock, change] : changes) {
      before = waiting;
      waiting += change;
      CHECK((wait_at(seen, clock) == DramWait::nothing) == (waiting == 0));
      if (before == 0 && clock > 0) CHECK(wait_at(seen, clock - 1) == DramWait::nothing);
    }
    CHECK(waiting == 0);
  }
}

TEST_CASE("waits begin and end at the commands that they are about") {
  std::map<DramWait, int> met;
  int turnarounds = 0;
  for (const Stream& s : streams()) {
    const DramWatched seen = watch(s.system, s.arrivals, s.until);
    std::vector<memory::DramCommandRecord> transfers, refreshes;
    for (const memory::DramCommandRecord& c : seen.commands) {
      if (memory::is_transfer(c.command)) transfers.push_back(c);
      if (c.command == DramCommand::refresh_all || c.command == DramCommand::refresh_bank)
        refreshes.push_back(c);
    }
    for (std::size_t i = 0; i + 1 < seen.waits.size(); ++i) {
      const Clock from = seen.waits[i].from, to = seen.waits[i + 1].from;
      CAPTURE(s.text, seen.waits[i], to);
      const auto next =
          std::find_if(transfers.begin(), transfers.end(), [&](const auto& c) { return c.clock >= from; });
      ++met[seen.waits[i].wait];
      if (seen.waits[i].wait == DramWait::nothing) continue;
      REQUIRE(next != transfers.end());
      // In the clock of a transfer it is bandwidth (or nothing).
      if (seen.waits[i].wait != DramWait::bandwidth) CHECK(next->clock >= to);
      if (seen.waits[i].wait == DramWait::turnaround) {
        const Clock longest = s.parameters.cl + s.parameters.cwl + s.parameters.bl + s.parameters.wtr_l;
        // A wait that ends in a transfer was for it if neither a request nor a command came meanwhile that
        // lets another one go sooner, nor one of the other bus in the transfer's clock.
        const bool undisturbed =
            next->clock == to &&
            std::none_of(seen.accepted.begin(), seen.accepted.end(),
                         [&](Clock at) { return at + 1 >= from && at < to; }) &&
            std::none_of(seen.commands.begin(), seen.commands.end(), [&](const auto& c) {
              return c.clock >= from && c.clock <= to && (c.clock < to || !memory::is_transfer(c.command));
            });
        CHECK(std::any_of(transfers.begin(), next, [&](const auto& c) {
          return c.clock + longest > from && (!undisturbed || is_write(c.command) != is_write(next->command));
        }));
        turnarounds += undisturbed;
      }
      if (seen.waits[i].wait == DramWait::refresh) {
        CHECK(std::any_of(refreshes.begin(), refreshes.end(), [&](const auto& c) {
          return c.clock < to + 1 && c.clock + s.parameters.rfc > from;
        }));
      }
    }
  }
  CHECK(turnarounds > 20);
  for (int w = 0; w < memory::kDramWaits; ++w) {
    CAPTURE(name_of(static_cast<DramWait>(w)));
    CHECK(met[static_cast<DramWait>(w)] > 20);
  }
}

TEST_CASE("open rows and refreshes last as long as the commands say") {
  for (const Stream& s : streams()) {
    CAPTURE(s.text);
    // Also up to clocks in the middle of everything.
    for (const Clock until : {s.arrivals.back().at / 2, s.arrivals.back().at + 3, s.until}) {
      std::vector<DramArrival> arrivals;
      for (const DramArrival& a : s.arrivals) {
        if (a.at + 100 < until) arrivals.push_back(a);
      }
      const DramWatched seen = watch(s.system, arrivals, until);
      const Clock end = seen.accepted.empty() ? until : std::max(until, seen.accepted.back());
      CHECK(seen.open_bank_clocks == open_clocks(s.parameters, seen, end));
      CHECK(seen.refreshing_bank_clocks == refreshing_clocks(s.parameters, s.system.device, seen, end));
    }
  }
}

TEST_CASE("idle time skipped leaves rows open and refreshes under way as long as idle time stepped through") {
  for (const Stream& s : streams()) {
    CAPTURE(s.text);
    const Clock until = s.until + 30 * Clock{s.parameters.refi};
    const DramWatched stepped = watch(s.system, s.arrivals, until);
    const DramWatched skipped = watch(s.system, s.arrivals, until, DramAdvance::leap, false);
    CHECK(skipped.open_bank_clocks == stepped.open_bank_clocks);
    CHECK(skipped.refreshing_bank_clocks == stepped.refreshing_bank_clocks);
    CHECK(skipped.waits == stepped.waits);
    CHECK(skipped.bus == stepped.bus);
  }
}

TEST_CASE("the counts of the banks add up to those of the channel") {
  for (const Stream& s : streams()) {
    CAPTURE(s.text);
    const DramWatched seen = watch(s.system, s.arrivals, s.until);
    memory::DramBankCounters sum;
    for (std::size_t b = 0; b < seen.banks.size(); ++b) {
      const memory::DramBankCounters& c = seen.banks[b];
      const auto reads = std::count_if(s.arrivals.begin(), s.arrivals.end(),
                                       [&](const DramArrival& a) { return a.bank == b && !a.write; });
      CHECK(c.reads == static_cast<std::uint64_t>(reads));
      const auto activations = std::count_if(seen.commands.begin(), seen.commands.end(), [&](const auto& r) {
        return r.bank == b && r.command == DramCommand::activate;
      });
      CHECK(c.activations == static_cast<std::uint64_t>(activations));
      sum.reads += c.reads;
      sum.writes += c.writes;
      sum.hits += c.hits;
      sum.misses += c.misses;
      sum.conflicts += c.conflicts;
    }
    CHECK(seen.banks.size() == s.system.device.banks_of_channel());
    CHECK(sum.reads == seen.counters.reads);
    CHECK(sum.writes == seen.counters.writes);
    CHECK(sum.hits == seen.counters.hits);
    CHECK(sum.misses == seen.counters.misses);
    CHECK(sum.conflicts == seen.counters.conflicts);
    CHECK(sum.hits + sum.misses + sum.conflicts ==
          sum.reads + sum.writes - seen.counters.forwarded - seen.counters.coalesced);
  }
}
