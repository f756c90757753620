// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace tokencycle::test {

using config::DramCommand;
using config::DramRefresh;
using memory::Clock;
using memory::DramCommandRecord;
using Commands = std::vector<DramCommand>;

namespace {
constexpr auto kActivateFirst = DramCommand::activate_first, kActivate = DramCommand::activate;
constexpr auto kPrecharge = DramCommand::precharge, kPrechargeAll = DramCommand::precharge_all;
constexpr auto kReadAuto = DramCommand::read_auto, kWriteAuto = DramCommand::write_auto;
constexpr auto kRefreshAll = DramCommand::refresh_all, kRefreshBank = DramCommand::refresh_bank;
const Commands kReads = {DramCommand::read, DramCommand::read_auto};
const Commands kWrites = {DramCommand::write, DramCommand::write_auto};

std::size_t pair_of(DramCommand before, DramCommand after) {
  return static_cast<std::size_t>(before) * config::kDramCommands + static_cast<std::size_t>(after);
}
}  // namespace

DramChecker::DramChecker(const DramParameters& parameters) : p_(parameters) {
  transfer_rules();
  row_rules();
  refresh_rules();
  of_pair_.resize(config::kDramCommands * config::kDramCommands);
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    longest_ = std::max<Clock>(longest_, rules_[r].clocks);
    for (const DramCommand b : rules_[r].before) {
      for (const DramCommand a : rules_[r].after) of_pair_[pair_of(b, a)].push_back(r);
    }
  }
}

void DramChecker::transfer_rules() {
  const std::uint32_t write_to_read = p_.cwl + p_.bl;
  rules_.insert(rules_.end(), {{"tCCD_S read", kReads, kReads, DramPlace::same_rank, p_.ccd_s},
                               {"tCCD_L read", kReads, kReads, DramPlace::same_group, p_.ccd_l},
                               {"tCCD_S write", kWrites, kWrites, DramPlace::same_rank, p_.ccd_s},
                               {"tCCD_L write", kWrites, kWrites, DramPlace::same_group, p_.ccd_l},
                               {"read to write", kReads, kWrites, DramPlace::same_rank,
                                p_.cl + p_.bl + kBusTurnaround - p_.cwl},
                               {"tWTR_S", kWrites, kReads, DramPlace::same_rank, write_to_read + p_.wtr_s},
                               {"tWTR_L", kWrites, kReads, DramPlace::same_group, write_to_read + p_.wtr_l}});
  if (!p_.shared_data_bus) return;
  // Command distances by which one data bus is never used twice, with idle clocks where the driver changes.
  const auto gap = [](std::uint32_t first_latency, std::uint32_t bl, std::uint32_t second_latency) {
    const std::uint32_t free = first_latency + bl + kBusTurnaround;
    return free > second_latency ? free - second_latency : 1;
  };
  rules_.insert(
      rules_.end(),
      {{"burst read", kReads, kReads, DramPlace::channel, p_.bl},
       {"burst write", kWrites, kWrites, DramPlace::channel, p_.bl},
       {"other rank read", kReads, kReads, DramPlace::other_rank, gap(p_.cl, p_.bl, p_.cl)},
       {"other rank write", kWrites, kWrites, DramPlace::other_rank, gap(p_.cwl, p_.bl, p_.cwl)},
       {"other rank read to write", kReads, kWrites, DramPlace::other_rank, gap(p_.cl, p_.bl, p_.cwl)},
       {"other rank write to read", kWrites, kReads, DramPlace::other_rank, gap(p_.cwl, p_.bl, p_.cl)}});
}

void DramChecker::row_rules() {
  const Commands act = {p_.two_part_activate ? kActivateFirst : kActivate};
  const Commands precharges = {kPrecharge, kPrechargeAll};
  const std::uint32_t recovery = p_.cwl + p_.bl + p_.wr;
  rules_.insert(rules_.end(), {{"tRRD_S", act, act, DramPlace::same_rank, p_.rrd_s},
                               {"tRRD_L", act, act, DramPlace::same_group, p_.rrd_l},
                               {"tFAW", act, act, DramPlace::same_rank, p_.faw, 4},
                               {"tRC", act, act, DramPlace::same_bank, p_.rc},
                               {"tRCD read", act, kReads, DramPlace::same_bank, p_.rcd_read},
                               {"tRCD write", act, kWrites, DramPlace::same_bank, p_.rcd_write},
                               {"tRAS", act, precharges, DramPlace::same_bank, p_.ras},
                               {"tRP", {kPrecharge}, act, DramPlace::same_bank, p_.rp},
                               {"tRP all", {kPrechargeAll}, act, DramPlace::same_bank, p_.rp_all},
                               {"tRTP", kReads, precharges, DramPlace::same_bank, p_.rtp},
                               {"tWR", kWrites, precharges, DramPlace::same_bank, recovery},
                               {"tRTP + tRP", {kReadAuto}, act, DramPlace::same_bank, p_.rtp + p_.rp},
                               {"tWR + tRP", {kWriteAuto}, act, DramPlace::same_bank, recovery + p_.rp}});
  if (!p_.data_clock) return;
  rules_.push_back({"tRCD sync read", act, {DramCommand::sync_read}, DramPlace::same_bank, p_.rcd_read});
  rules_.push_back({"tRCD sync write", act, {DramCommand::sync_write}, DramPlace::same_bank, p_.rcd_write});
}

void DramChecker::refresh_rules() {
  const Commands act = {p_.two_part_activate ? kActivateFirst : kActivate};
  const Commands all = {kRefreshAll}, one = {kRefreshBank};
  const std::uint32_t recovery = p_.cwl + p_.bl + p_.wr;
  rules_.insert(rules_.end(),
                {{"tRC to refresh", act, all, DramPlace::same_rank, p_.rc},
                 {"tRP to refresh", {kPrecharge}, all, DramPlace::same_rank, p_.rp},
                 {"tRP all to refresh", {kPrechargeAll}, all, DramPlace::same_rank, p_.rp_all_to_refresh},
                 {"tRTP + tRP to refresh", {kReadAuto}, all, DramPlace::same_rank, p_.rtp + p_.rp},
                 {"tWR + tRP to refresh", {kWriteAuto}, all, DramPlace::same_rank, recovery + p_.rp},
                 {"tRFC to activate", all, act, DramPlace::same_rank, p_.rfc},
                 {"tRFC to refresh", all, all, DramPlace::same_rank, p_.rfc}});
  if (p_.refi_bank == 0) return;
  rules_.insert(rules_.end(),
                {{"tRC to bank refresh", act, one, DramPlace::same_bank, p_.rc},
                 {"tRRD to bank refresh", act, one, DramPlace::same_rank, p_.rrd_s},
                 {"tRP to bank refresh", {kPrecharge}, one, DramPlace::same_bank, p_.rp},
                 {"tRP all to bank refresh", {kPrechargeAll}, one, DramPlace::same_bank, p_.rp_all},
                 {"tRTP + tRP to bank refresh", {kReadAuto}, one, DramPlace::same_bank, p_.rtp + p_.rp},
                 {"tWR + tRP to bank refresh", {kWriteAuto}, one, DramPlace::same_bank, recovery + p_.rp},
                 {"tRRD from bank refresh", one, act, DramPlace::same_rank, p_.rrd_s},
                 {"tRFCpb to activate", one, act, DramPlace::same_bank, p_.rfc_bank},
                 {"tRFCpb to refresh", one, {kRefreshBank, kRefreshAll}, DramPlace::same_rank, p_.rfc_bank},
                 {"tRFC to bank refresh", all, one, DramPlace::same_rank, p_.rfc}});
}

bool DramChecker::whole_rank(DramCommand c) const {
  return c == kPrechargeAll || c == kRefreshAll;
}

bool DramChecker::in_place(DramPlace place, const DramCommandRecord& a, const DramCommandRecord& b) const {
  const bool same_rank = rank_of(a.bank) == rank_of(b.bank);
  const bool covers = whole_rank(a.command) || whole_rank(b.command);
  switch (place) {
    case DramPlace::same_bank:
      return same_rank && (covers || a.bank == b.bank);
    case DramPlace::same_group:
      return same_rank && (covers || a.bank / p_.banks == b.bank / p_.banks);
    case DramPlace::same_rank:
      return same_rank;
    case DramPlace::other_rank:
      return !same_rank;
    case DramPlace::channel:
      break;
  }
  return true;
}

Clock DramChecker::counted(const DramCommandRecord& c) const {
  return c.command == kActivate ? c.clock + p_.activate_clocks - 1 : c.clock;
}

std::string DramChecker::text(const DramCommandRecord& c) const {
  static const char* const names[] = {"ACT1", "ACT", "PRE",    "PREA",   "RD",    "RDA",
                                      "WR",   "WRA", "CAS_RD", "CAS_WR", "REFab", "REFpb"};
  return fmt::format("{} of bank {} row {} at {}", names[static_cast<std::size_t>(c.command)], c.bank, c.row,
                     c.clock);
}

std::vector<std::string> DramChecker::distances(DramStream stream) const {
  std::vector<std::string> found;
  std::vector<std::uint32_t> seen(rules_.size());
  for (std::size_t i = 0; i < stream.size(); ++i) {
    std::fill(seen.begin(), seen.end(), 0);
    const Clock now = counted(stream[i]);
    for (std::size_t j = i; j-- > 0;) {
      const Clock then = counted(stream[j]);
      if (then + longest_ + p_.activate_clocks < now) break;
      for (const std::size_t r : of_pair_[pair_of(stream[j].command, stream[i].command)]) {
        const DramRule& rule = rules_[r];
        if (!in_place(rule.place, stream[j], stream[i]) || ++seen[r] != rule.window) continue;
        if (now >= then + rule.clocks) continue;
        found.push_back(fmt::format("{}: {} after {}; at least {} clocks are needed", rule.name,
                                    text(stream[i]), text(stream[j]), rule.clocks));
      }
    }
  }
  return found;
}

std::vector<std::string> DramChecker::refreshes(DramStream stream, DramRefreshDuty duty, Clock end) const {
  std::vector<std::string> found;
  if (duty.kind == DramRefresh::none) return found;
  const bool all = duty.kind == DramRefresh::all_bank;
  const Clock interval = all ? p_.refi : p_.refi_bank;
  const std::uint32_t banks = all ? 1 : p_.bank_groups * p_.banks;
  for (std::uint32_t rank = 0; rank < p_.ranks; ++rank) {
    std::vector<Clock> times;
    std::vector<std::uint64_t> of_bank(banks);
    for (const DramCommandRecord& c : stream) {
      if (c.command != (all ? kRefreshAll : kRefreshBank) || rank_of(c.bank) != rank) continue;
      times.push_back(c.clock);
      ++of_bank[all ? 0 : c.bank % banks];
    }
    const auto [fewest, most] = std::minmax_element(of_bank.begin(), of_bank.end());
    if (*most - *fewest > 1) found.push_back(fmt::format("refresh turn: of rank {}, not in turn", rank));
    // The n-th refresh (from 0) comes due at (n + 1) intervals; it may be late by the postponed ones, and
    // by less than one interval more for the requests that are under way.
    for (std::size_t n = 0; (n + 2 + duty.postpone) * interval <= end || n < times.size(); ++n) {
      const Clock due = (n + 1) * interval, latest = due + (1 + Clock{duty.postpone}) * interval;
      if (n < times.size() && times[n] >= due && times[n] < latest) continue;
      if (n >= times.size() && latest > end) break;
      found.push_back(fmt::format("refresh interval: of rank {}, number {} is due in {} to {}, given at {}",
                                  rank, n, due, latest,
                                  n < times.size() ? std::to_string(times[n]) : "no time"));
      break;
    }
  }
  return found;
}

std::vector<std::string> DramChecker::all(DramStream stream, DramRefreshDuty duty, Clock end) const {
  std::vector<std::string> found = distances(stream);
  for (const auto& more : {states(stream), buses(stream), refreshes(stream, duty, end)}) {
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

}  // namespace tokencycle::test
