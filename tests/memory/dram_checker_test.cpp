// SPDX-License-Identifier: Apache-2.0
// Does the independent checker catch every constraint, and do the banks answer what its table says: refused
// at N - 1, accepted at N?
#include <algorithm>
#include <catch2/catch.hpp>

#include "memory/dram_checker.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramCommand;
using memory::Clock;
using memory::DramCommandRecord;

namespace {

std::vector<DramParameters> presets() {
  std::vector<DramParameters> all = {ddr4_3200aa(), lpddr5_6400(), hbm2_2000(),
                                     lpddr5_6400(PrechargeAllToRefresh::as_reference)};
  for (const DramParameters& single : {ddr4_3200aa(), lpddr5_6400()}) {
    all.push_back(single);
    all.back().ranks = 2;
  }
  return all;
}

bool reports(const std::vector<std::string>& violations, const std::string& name) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const std::string& v) { return v.starts_with(name + ":"); });
}

// Banks to pair with bank 0: itself, another of its group, of its rank, of another rank.
std::vector<std::uint32_t> partners(const DramParameters& p) {
  std::vector<std::uint32_t> banks = {0, 1, p.banks};
  if (p.ranks > 1) banks.push_back(p.bank_groups * p.banks);
  return banks;
}

// Where the checker lets `after` come first, if `before` alone was given `windows` times in `at`.
Clock least(const DramChecker& checker, const std::vector<DramCommandRecord>& given,
            DramCommandRecord after) {
  Clock first = 0;
  const Clock lag = checker.counted(after) - after.clock;
  for (const DramRule& rule : checker.rules()) {
    if (std::find(rule.after.begin(), rule.after.end(), after.command) == rule.after.end()) continue;
    std::uint32_t seen = 0;
    for (std::size_t g = given.size(); g-- > 0;) {
      const auto& b = given[g];
      if (std::find(rule.before.begin(), rule.before.end(), b.command) == rule.before.end()) continue;
      if (!checker.in_place(rule.place, b, after) || ++seen != rule.window) continue;
      const Clock counts = checker.counted(b) + rule.clocks;
      first = std::max(first, counts > lag ? counts - lag : 0);
    }
  }
  return first;
}

}  // namespace

TEST_CASE("the checker catches each distance that is one clock short, and only then") {
  for (const DramParameters& p : presets()) {
    const DramChecker checker(p);
    for (const DramRule& rule : checker.rules()) {
      for (const DramCommand before : rule.before) {
        for (const DramCommand after : rule.after) {
          for (const std::uint32_t bank : partners(p)) {
            std::vector<DramCommandRecord> stream(rule.window, {1000, before, 0, 0, 0});
            DramCommandRecord last = {2000, after, bank, 0, 0};
            if (!checker.in_place(rule.place, stream[0], last)) continue;
            const Clock at = checker.counted(stream[0]) + rule.clocks - (checker.counted(last) - last.clock);
            CAPTURE(p.name, rule.name, bank);
            stream.push_back(last);
            stream.back().clock = at;
            CHECK_FALSE(reports(checker.distances(stream), rule.name));
            stream.back().clock = at - 1;
            CHECK(reports(checker.distances(stream), rule.name));
          }
        }
      }
    }
  }
}

TEST_CASE("banks allow each command from the clock that the independent table says") {
  for (const DramParameters& p : presets()) {
    const DramChecker checker(p);
    const config::DramSystem system = reference_system(p);
    for (int b = 0; b < config::kDramCommands; ++b) {
      for (int a = 0; a < config::kDramCommands; ++a) {
        const auto before = static_cast<DramCommand>(b), after = static_cast<DramCommand>(a);
        if (!system.device.exists(before) || !system.device.exists(after)) continue;
        for (const std::uint32_t bank : partners(p)) {
          memory::DramBanks banks(system.device);
          const DramCommandRecord given{1000, before, 0, 0, 0};
          banks.give(before, 0, 0, given.clock);
          const Clock expected = least(checker, {given}, {2000, after, bank, 0, 0});
          CAPTURE(p.name, p.ranks, b, a, bank);
          CHECK(banks.earliest(after, bank) == expected);
        }
      }
    }
  }
}

TEST_CASE("the fifth activation waits for the window of four") {
  for (const DramParameters& p : presets()) {
    const DramChecker checker(p);
    const config::DramSystem system = reference_system(p);
    const DramCommand act = p.two_part_activate ? DramCommand::activate_first : DramCommand::activate;
    memory::DramBanks banks(system.device);
    std::vector<DramCommandRecord> given;
    for (std::uint32_t n = 0; n < 9; ++n) {
      const std::uint32_t bank = n % p.bank_groups * p.banks + n / p.bank_groups;
      const Clock at = std::max<Clock>(banks.earliest(act, bank), 1000);
      CHECK(at == std::max<Clock>(least(checker, given, {2000, act, bank, 0, 0}), 1000));
      if (n % 4 == 0) CHECK(at == 1000 + Clock{n / 4} * std::max(p.faw, 4 * p.rrd_s));
      banks.give(act, bank, 0, at);
      given.push_back({at, act, bank, 0, 0});
    }
    CHECK(checker.distances(given).empty());
  }
}

TEST_CASE("the checker catches what a bank's state forbids") {
  const auto states = [](std::vector<DramCommandRecord> stream, const DramParameters& p) {
    return DramChecker(p).states(stream);
  };
  using C = DramCommand;
  const DramParameters d = ddr4_3200aa(), l = lpddr5_6400();
  CHECK(states({{0, C::activate, 0, 5, 0}, {30, C::read, 0, 5, 0}, {100, C::precharge, 0, 0, 0}}, d).empty());
  CHECK(reports(states({{0, C::read, 0, 5, 0}}, d), "transfer of a row that is not open"));
  CHECK(reports(states({{0, C::activate, 0, 5, 0}, {30, C::write, 0, 6, 0}}, d),
                "transfer of a row that is not open"));
  CHECK(reports(states({{0, C::activate, 0, 5, 0}, {30, C::read_auto, 0, 5, 0}, {40, C::read, 0, 5, 0}}, d),
                "transfer of a row that is not open"));
  CHECK(reports(states({{0, C::activate, 0, 5, 0}, {100, C::activate, 0, 5, 0}}, d),
                "activate of an open bank"));
  CHECK(reports(states({{0, C::activate, 3, 5, 0}, {100, C::refresh_all, 0, 0, 0}}, d),
                "refresh of an open bank"));
  CHECK(
      states({{0, C::activate, 3, 5, 0}, {100, C::precharge_all, 0, 0, 0}, {150, C::refresh_all, 0, 0, 0}}, d)
          .empty());

  CHECK(states({{0, C::activate_first, 0, 5, 0}, {8, C::activate, 0, 5, 0}}, l).empty());
  CHECK(reports(states({{0, C::activate_first, 0, 5, 0}, {9, C::activate, 0, 5, 0}}, l), "tAAD"));
  CHECK(reports(states({{0, C::activate_first, 0, 5, 0}, {8, C::activate, 0, 6, 0}}, l),
                "second part without the first one"));
  CHECK(reports(states({{0, C::activate_first, 0, 5, 0}, {60, C::refresh_all, 0, 0, 0}}, l),
                "refresh of an open bank"));
  const Clock runs = l.cl + l.bl;
  const std::vector<DramCommandRecord> started = {{0, C::activate_first, 0, 5, 0},
                                                  {1, C::activate, 0, 5, 0},
                                                  {15, C::sync_read, 0, 5, 0},
                                                  {16, C::read, 0, 5, 0}};
  const auto with_read_at = [&](Clock at) {
    auto stream = started;
    stream.push_back({at, C::read, 0, 5, 1});
    return states(stream, l);
  };
  CHECK(with_read_at(16 + runs).empty());
  CHECK(reports(with_read_at(16 + runs + 1), "data clock stopped"));
}

TEST_CASE("the checker catches a bus that is used twice") {
  using C = DramCommand;
  const auto buses = [](std::vector<DramCommandRecord> stream, const DramParameters& p) {
    return DramChecker(p).buses(stream);
  };
  const DramParameters h = hbm2_2000();
  DramParameters d = ddr4_3200aa();
  d.ranks = 2;
  CHECK(buses({{0, C::precharge, 0, 0, 0}, {1, C::precharge, 4, 0, 0}}, d).empty());
  CHECK(reports(buses({{0, C::precharge, 0, 0, 0}, {0, C::precharge, 4, 0, 0}}, d), "command bus"));
  CHECK(buses({{0, C::activate, 0, 0, 0}, {0, C::read, 4, 0, 0}, {2, C::precharge, 8, 0, 0}}, h).empty());
  CHECK(reports(buses({{0, C::activate, 0, 0, 0}, {1, C::precharge, 8, 0, 0}}, h), "command bus"));

  CHECK(buses({{0, C::read, 0, 0, 0}, {4, C::read, 4, 0, 0}}, d).empty());
  CHECK(reports(buses({{0, C::read, 0, 0, 0}, {3, C::read, 4, 0, 0}}, d), "data bus"));
  CHECK(buses({{0, C::read, 0, 0, 0}, {6, C::read, 16, 0, 0}}, d).empty());
  CHECK(reports(buses({{0, C::read, 0, 0, 0}, {5, C::read, 16, 0, 0}}, d), "data bus"));
  const Clock to_write = d.cl + d.bl + kBusTurnaround - d.cwl;
  CHECK(buses({{0, C::read, 0, 0, 0}, {to_write, C::write, 4, 0, 0}}, d).empty());
  CHECK(reports(buses({{0, C::read, 0, 0, 0}, {to_write - 1, C::write, 4, 0, 0}}, d), "data bus"));
  CHECK(
      buses({{0, C::read, 0, 0, 0}, {1, C::read, 16, 0, 0}}, h).empty());  // each pseudo-channel has its own
}

TEST_CASE("the checker catches a refresh that is early, late, missing or out of turn") {
  const DramParameters p = ddr4_3200aa();
  const DramChecker checker(p);
  const Clock interval = p.refi;
  const auto with = [&](std::vector<Clock> times, std::uint32_t postpone, Clock end) {
    std::vector<DramCommandRecord> stream;
    for (const Clock t : times) stream.push_back({t, DramCommand::refresh_all, 0, 0, 0});
    return checker.refreshes(stream, {config::DramRefresh::all_bank, postpone}, end);
  };
  CHECK(with({interval, 2 * interval + 50}, 0, 3 * interval).empty());
  CHECK_FALSE(with({interval - 1, 2 * interval}, 0, 3 * interval).empty());
  CHECK(with({2 * interval - 1, 2 * interval}, 0, 3 * interval).empty());
  CHECK_FALSE(with({2 * interval, 2 * interval + 600}, 0, 3 * interval).empty());
  CHECK_FALSE(with({interval}, 0, 3 * interval).empty());
  CHECK(with({4 * interval - 1}, 2, 4 * interval).empty());
  CHECK_FALSE(with({4 * interval}, 2, 5 * interval - 1).empty());

  const DramParameters l = lpddr5_6400();
  const auto turns = [&](std::vector<std::uint32_t> banks) {
    std::vector<DramCommandRecord> stream;
    for (const std::uint32_t b : banks) {
      stream.push_back({(stream.size() + 1) * Clock{l.refi_bank}, DramCommand::refresh_bank, b, 0, 0});
    }
    return DramChecker(l).refreshes(stream, {config::DramRefresh::per_bank, 0}, stream.back().clock);
  };
  CHECK(turns({0, 1, 2, 3}).empty());
  CHECK_FALSE(turns({0, 1, 0, 3}).empty());
}
