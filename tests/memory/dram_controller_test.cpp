// SPDX-License-Identifier: Apache-2.0
// Queues, schedulers and page policies of the controller, each by the commands that it gives.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <tuple>

#include "memory/dram_checker.h"
#include "memory/dram_reference.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramCommand;
using config::DramPagePolicy;
using config::DramRefresh;
using config::DramScheduler;
using memory::Clock;

namespace {

config::DramSystem ddr4(DramScheduler scheduler = DramScheduler::fr_fcfs,
                        DramPagePolicy page = DramPagePolicy::open) {
  config::DramSystem system = reference_system(ddr4_3200aa());
  system.refresh = DramRefresh::none;
  system.scheduler = scheduler;
  system.page_policy = page;
  return system;
}

DramArrival read_at(Clock at, std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {at, false, bank, row, column};
}
DramArrival write_at(Clock at, std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {at, true, bank, row, column};
}

std::uint64_t count(const DramReplay& r, DramCommand c) {
  return r.counters.commands[static_cast<std::size_t>(c)];
}

// Rows of the transfers, in order.
std::vector<std::uint32_t> rows_served(const DramReplay& r) {
  std::vector<std::uint32_t> rows;
  for (const memory::DramCommandRecord& c : r.commands) {
    if (c.command >= DramCommand::read && c.command <= DramCommand::write_auto) rows.push_back(c.row);
  }
  return rows;
}

std::vector<DramCommand> given(const DramReplay& r) {
  std::vector<DramCommand> commands;
  for (const memory::DramCommandRecord& c : r.commands) commands.push_back(c.command);
  return commands;
}

DramReplay run(const config::DramSystem& system, const std::vector<DramArrival>& arrivals) {
  return replay(system, arrivals);
}

}  // namespace

TEST_CASE("a read of a closed, an open and another row takes the clocks of the standard") {
  const DramParameters p = ddr4_3200aa();
  const DramReplay r = run(ddr4(), {read_at(0, 0, 1), read_at(200, 0, 1), read_at(400, 0, 2)});
  // The request of clock t is seen in t + 1.
  CHECK(r.completed[0] == 1 + p.rcd_read + p.cl + p.bl);
  CHECK(r.completed[1] == 200 + 1 + p.cl + p.bl);
  CHECK(r.completed[2] == 400 + 1 + p.rp + p.rcd_read + p.cl + p.bl);
  CHECK(r.counters.misses == 1);
  CHECK(r.counters.hits == 1);
  CHECK(r.counters.conflicts == 1);
}

TEST_CASE("a read takes its data from a write that waits, in the clock after it arrives") {
  const DramReplay r =
      run(ddr4(), {write_at(0, 0, 1, 5), read_at(1, 0, 1, 5), read_at(1, 0, 1, 6), read_at(1, 1, 1, 5)});
  CHECK(r.completed[1] == r.accepted[1] + 1);
  CHECK(r.counters.forwarded == 1);
  CHECK(r.counters.reads == 3);
  CHECK(count(r, DramCommand::read) == 2);
}

TEST_CASE("a write to a burst that waits to be written is not written twice") {
  const DramReplay r =
      run(ddr4(), {write_at(0, 0, 1, 5), write_at(1, 0, 1, 5), write_at(1, 0, 1, 6), write_at(1, 0, 2, 5)});
  CHECK(r.completed[1] == r.accepted[1] + 1);
  CHECK(r.counters.coalesced == 1);
  CHECK(r.counters.writes == 4);
  CHECK(count(r, DramCommand::write) == 3);
}

TEST_CASE("after it was written a burst is read from its bank") {
  const DramReplay r = run(ddr4(), {write_at(0, 0, 1, 5), read_at(200, 0, 1, 5)});
  CHECK(r.counters.forwarded == 0);
  CHECK(count(r, DramCommand::read) == 1);
}

TEST_CASE("first come, first served gives transfers in order of arrival, first-ready takes row hits first") {
  const std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 0, 2), read_at(0, 0, 1, 1),
                                             read_at(0, 0, 2, 1)};
  CHECK(rows_served(run(ddr4(DramScheduler::fcfs), arrivals)) == std::vector<std::uint32_t>{1, 2, 1, 2});
  CHECK(rows_served(run(ddr4(DramScheduler::fr_fcfs), arrivals)) == std::vector<std::uint32_t>{1, 1, 2, 2});
  const DramReplay in_order = run(ddr4(DramScheduler::fcfs), arrivals);
  CHECK(std::is_sorted(in_order.completed.begin(), in_order.completed.end()));
}

TEST_CASE("the cap bounds how many row hits of a bank overtake an older request to another row") {
  std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 0, 2)};
  for (std::uint32_t n = 1; n <= 12; ++n) arrivals.push_back(read_at(0, 0, 1, n));
  for (const std::uint32_t cap : {1u, 4u, 7u}) {
    config::DramSystem system = ddr4(DramScheduler::fr_fcfs_cap);
    system.row_hit_cap = cap;
    const auto rows = rows_served(run(system, arrivals));
    CAPTURE(cap);
    REQUIRE(rows.size() == arrivals.size());
    // The first one came before the other row's.
    CHECK(std::find(rows.begin(), rows.end(), 2u) - rows.begin() == 1 + cap);
  }
  const auto uncapped = rows_served(run(ddr4(DramScheduler::fr_fcfs), arrivals));
  CHECK(uncapped.back() == 2);
}

// Banks 0 and 1 of one group with row 1 open in both since long ago; tCCD_L keeps the hit of bank 0 waiting
// after the read of bank 1, and in that time a precharge of bank 0 is possible.
TEST_CASE("fr-fcfs closes a row whose hits are not ready, fr-fcfs-row-hit serves them first") {
  const DramParameters p = ddr4_3200aa();
  const std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 1, 1), read_at(200, 1, 1, 1),
                                             read_at(201, 0, 1, 1), read_at(202, 0, 2)};
  using Line = std::tuple<Clock, DramCommand, std::uint32_t, std::uint32_t>;  // clock, command, bank, row
  const auto after_200 = [&](DramScheduler scheduler) {
    std::vector<Line> lines;
    for (const memory::DramCommandRecord& c : run(ddr4(scheduler), arrivals).commands) {
      if (c.clock > 200) lines.emplace_back(c.clock, c.command, c.bank, c.row);
    }
    return lines;
  };
  using C = DramCommand;
  // PRE as soon as it is known of; then the oldest request reopens the row that was open.
  const Clock closed = 203, reopened = closed + p.rp, read = reopened + p.rcd_read;
  const Clock closed_again = std::max(read + p.rtp, reopened + p.ras);
  CHECK(after_200(DramScheduler::fr_fcfs) ==
        std::vector<Line>{{201, C::read, 1, 1},
                          {closed, C::precharge, 0, 2},
                          {reopened, C::activate, 0, 1},
                          {read, C::read, 0, 1},
                          {closed_again, C::precharge, 0, 2},
                          {closed_again + p.rp, C::activate, 0, 2},
                          {closed_again + p.rp + p.rcd_read, C::read, 0, 2}});
  const Clock hit = 201 + p.ccd_l, done = hit + p.rtp;
  CHECK(after_200(DramScheduler::fr_fcfs_row_hit) ==
        std::vector<Line>{{201, C::read, 1, 1},
                          {hit, C::read, 0, 1},
                          {done, C::precharge, 0, 2},
                          {done + p.rp, C::activate, 0, 2},
                          {done + p.rp + p.rcd_read, C::read, 0, 2}});
}

// Both arrive in one clock with row 1 open in banks 0 and 1, the one for another row of bank 0 first.
TEST_CASE("fr-fcfs-row-hit gives a transfer before the precharge of an older request") {
  const std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 1, 1), read_at(200, 0, 2),
                                             read_at(200, 1, 1, 1)};
  const auto clock_of = [&](DramScheduler scheduler, DramCommand command) {
    const auto r = replay(ddr4(scheduler), arrivals, {DramAdvance::leap, true, 2, 0});
    const auto found = std::find_if(r.commands.begin(), r.commands.end(),
                                    [&](const auto& c) { return c.clock > 200 && c.command == command; });
    return found == r.commands.end() ? 0 : found->clock;
  };
  CHECK(clock_of(DramScheduler::fr_fcfs, DramCommand::precharge) == 201);
  CHECK(clock_of(DramScheduler::fr_fcfs, DramCommand::read) == 202);
  CHECK(clock_of(DramScheduler::fr_fcfs_row_hit, DramCommand::read) == 201);
  CHECK(clock_of(DramScheduler::fr_fcfs_row_hit, DramCommand::precharge) == 202);
}

// Reads only, so that there is one queue and the clock of a request's transfer follows from its completion.
TEST_CASE("fr-fcfs-row-hit closes no row that a waiting read wants, fr-fcfs does") {
  const DramParameters p = ddr4_3200aa();
  std::mt19937_64 random(5);
  std::vector<DramArrival> arrivals;
  for (Clock at = 0; arrivals.size() < 3000; at += random() % 5) {
    const auto bank = static_cast<std::uint32_t>(random() % 6),
               row = static_cast<std::uint32_t>(random() % 3);
    arrivals.push_back(read_at(at, bank, row, static_cast<std::uint32_t>(random() % p.bursts)));
  }
  const auto closed_early = [&](DramScheduler scheduler) {
    const DramReplay r = run(ddr4(scheduler), arrivals);
    std::map<std::uint32_t, std::uint32_t> open;
    int early = 0;
    for (const memory::DramCommandRecord& c : r.commands) {
      if (c.command == DramCommand::activate) open[c.bank] = c.row;
      if (c.command != DramCommand::precharge) continue;
      for (std::size_t i = 0; i < arrivals.size(); ++i) {
        if (arrivals[i].bank != c.bank || arrivals[i].row != open[c.bank]) continue;
        early += r.accepted[i] < c.clock && r.completed[i] - p.cl - p.bl > c.clock;
      }
    }
    return early;
  };
  CHECK(closed_early(DramScheduler::fr_fcfs_row_hit) == 0);
  CHECK(closed_early(DramScheduler::fr_fcfs) > 10);
}

TEST_CASE("the closed page closes a row with the last waiting request for it") {
  using C = DramCommand;
  const DramReplay r =
      run(ddr4(DramScheduler::fr_fcfs, DramPagePolicy::closed), {read_at(0, 0, 1), read_at(0, 0, 1, 1)});
  CHECK(given(r) == std::vector<C>{C::activate, C::read, C::read_auto});
  const DramReplay again =
      run(ddr4(DramScheduler::fr_fcfs, DramPagePolicy::closed), {write_at(0, 0, 1), read_at(200, 0, 1, 1)});
  CHECK(given(again) == std::vector<C>{C::activate, C::write_auto, C::activate, C::read_auto});
}

TEST_CASE("the adaptive page closes a row with its last request if another row of the bank is waited for") {
  using C = DramCommand;
  const config::DramSystem system = ddr4(DramScheduler::fr_fcfs, DramPagePolicy::adaptive);
  CHECK(given(run(system, {read_at(0, 0, 1), read_at(0, 0, 1, 1)})) ==
        std::vector<C>{C::activate, C::read, C::read});
  CHECK(given(run(system, {read_at(0, 0, 1), read_at(0, 0, 2)})) ==
        std::vector<C>{C::activate, C::read_auto, C::activate, C::read});
  CHECK(given(run(system, {read_at(0, 0, 1), read_at(0, 1, 2)})) ==
        std::vector<C>{C::activate, C::activate, C::read, C::read});
}

TEST_CASE("writes are drained from above the high mark down to the low one while reads wait") {
  config::DramSystem system = ddr4();
  std::vector<DramArrival> arrivals;
  // Reads of one bank's rows keep reads waiting while writes of another bank's row come.
  for (std::uint32_t n = 0; n < 30; ++n) arrivals.push_back(read_at(0, 0, n));
  const auto high = static_cast<std::uint32_t>(system.write_high * system.write_queue);
  for (std::uint32_t n = 0; n < high; ++n) arrivals.push_back(write_at(0, 4, 7, n));
  const auto last_read_of = [](const DramReplay& r) {
    return *std::max_element(r.completed.begin(), r.completed.begin() + 30);
  };
  const DramReplay waiting = run(system, arrivals);
  CHECK(*std::min_element(waiting.completed.begin() + 30, waiting.completed.end()) >
        last_read_of(waiting) - ddr4_3200aa().cl - ddr4_3200aa().bl);
  CHECK(waiting.counters.turnarounds == 1);

  arrivals.push_back(write_at(0, 4, 7, high));
  const DramReplay drained = run(system, arrivals);
  CHECK(*std::min_element(drained.completed.begin() + 30, drained.completed.end()) < 1000);
  CHECK(drained.counters.turnarounds > 1);
  CHECK(run(system, {read_at(0, 0, 1), read_at(300, 0, 1), read_at(600, 0, 1)}).counters.turnarounds == 0);
  CHECK(run(system, {read_at(0, 0, 1), write_at(300, 0, 1), read_at(600, 0, 1)}).counters.turnarounds == 2);
}

TEST_CASE("where each bank has its own queue, a full one refuses requests to its bank alone") {
  config::DramSystem system = ddr4();
  system.read_queue = 2;
  const std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 0, 2), read_at(0, 4, 1),
                                             read_at(0, 0, 3)};
  const auto accepted = [&](config::DramQueueOf queue_of) {
    system.queue_of = queue_of;
    return replay(system, arrivals, {DramAdvance::leap, true, 4, 0}).accepted;
  };
  // The queue has room again when the first request's row is opened, in clock 1.
  CHECK(accepted(config::DramQueueOf::channel) == std::vector<Clock>{0, 0, 1, 4 + 1});
  CHECK(accepted(config::DramQueueOf::bank) == std::vector<Clock>{0, 0, 0, 1});
}

TEST_CASE("where each bank has its own queue, the fullest one decides when writes are drained") {
  config::DramSystem system = ddr4();
  system.queue_of = config::DramQueueOf::bank;
  system.write_queue = 4;
  system.write_high = 0.5;
  const auto first_write = [&](std::uint32_t banks) {
    std::vector<DramArrival> arrivals;
    for (std::uint32_t n = 0; n < 30; ++n) arrivals.push_back(read_at(0, 8, n));
    for (std::uint32_t n = 0; n < 3; ++n) arrivals.push_back(write_at(0, n % banks, 7, n));
    const DramReplay r = run(system, arrivals);
    return std::pair(*std::min_element(r.completed.begin() + 30, r.completed.end()),
                     *std::max_element(r.completed.begin(), r.completed.begin() + 30));
  };
  const auto [of_one, reads_with_one] = first_write(1);
  CHECK(of_one < reads_with_one / 2);
  const auto [of_three, reads_with_three] = first_write(3);
  CHECK(of_three > reads_with_three - ddr4_3200aa().cl - ddr4_3200aa().bl);
}

TEST_CASE("a low mark of zero drains the writes to the last one, then reads go on") {
  config::DramSystem system = ddr4();
  system.write_low = 0;
  std::vector<DramArrival> arrivals;
  for (std::uint32_t n = 0; n < system.write_queue; ++n) arrivals.push_back(write_at(0, 4, 7, n));
  for (std::uint32_t n = 0; n < 40; ++n) arrivals.push_back(read_at(0, n % 4, n));
  const DramReplay r = run(system, arrivals);
  CHECK(count(r, DramCommand::write) == system.write_queue);
  CHECK(count(r, DramCommand::read) == 40);
}

TEST_CASE("postponed refreshes wait for an idle queue, and no longer than they may be owed") {
  const DramParameters p = ddr4_3200aa();
  config::DramSystem system = reference_system(p);
  std::vector<DramArrival> arrivals;
  for (std::uint32_t n = 0; n < 14000; ++n) arrivals.push_back(read_at(0, n / 128 % 16, n / 2048, n % 128));
  const auto first_refresh = [&](std::uint32_t postpone) {
    system.postpone = postpone;
    const DramReplay r = run(system, arrivals);
    const auto found = std::find_if(r.commands.begin(), r.commands.end(),
                                    [](const auto& c) { return c.command == DramCommand::refresh_all; });
    return found == r.commands.end() ? memory::kNoClock : found->clock / p.refi;
  };
  CHECK(first_refresh(0) == 1);
  CHECK(first_refresh(1) == 2);
  CHECK(first_refresh(4) == 5);
}

TEST_CASE("LPDDR5 refreshes after precharging all banks when the chosen rule says") {
  for (const auto quirk : {PrechargeAllToRefresh::as_standard, PrechargeAllToRefresh::as_reference}) {
    const DramParameters p = lpddr5_6400(quirk);
    const DramReplay r = replay(reference_system(p), std::vector<DramArrival>{read_at(0, 0, 1)},
                                {DramAdvance::leap, true, 1, 4000});
    const auto all = std::find_if(r.commands.begin(), r.commands.end(),
                                  [](const auto& c) { return c.command == DramCommand::precharge_all; });
    REQUIRE(all != r.commands.end());
    REQUIRE(all + 1 != r.commands.end());
    CHECK((all + 1)->command == DramCommand::refresh_all);
    CHECK((all + 1)->clock - all->clock == (quirk == PrechargeAllToRefresh::as_standard ? p.rp_all : p.rp));
    const auto violations = DramChecker(lpddr5_6400()).distances(r.commands);
    CHECK(violations.empty() == (quirk == PrechargeAllToRefresh::as_standard));
  }
}
