// SPDX-License-Identifier: Apache-2.0
// What the state of banks and buses forbids.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "memory/dram_checker.h"

namespace tokencycle::test {

using config::DramCommand;
using memory::Clock;
using memory::DramCommandRecord;

namespace {

// JESD209-5: the second part of an activation follows the first one within tAAD.
constexpr Clock kActivateParts = 8;

struct BankState {
  bool open = false, half = false;
  std::uint32_t row = 0;
  Clock first_part = 0;
  void close() { open = half = false; }
};

bool is_read(DramCommand c) {
  return c == DramCommand::read || c == DramCommand::read_auto;
}
bool is_write(DramCommand c) {
  return c == DramCommand::write || c == DramCommand::write_auto;
}

// Why the bank's state forbids the command; empty: it does not.
std::string forbids(const DramParameters& p, const BankState& b, const DramCommandRecord& c) {
  switch (c.command) {
    case DramCommand::activate_first:
      return b.open || b.half ? "activate of an open bank" : "";
    case DramCommand::activate:
      if (b.open) return "activate of an open bank";
      if (!p.two_part_activate) return "";
      if (!b.half || b.row != c.row) return "second part without the first one";
      return c.clock > b.first_part + kActivateParts ? "tAAD" : "";
    case DramCommand::precharge:
    case DramCommand::precharge_all:
      return b.half ? "precharge between the parts of an activation" : "";
    case DramCommand::refresh_all:
    case DramCommand::refresh_bank:
      return b.open || b.half ? "refresh of an open bank" : "";
    default:
      return !b.open || b.row != c.row ? "transfer of a row that is not open" : "";
  }
}

void change(BankState& b, const DramCommandRecord& c) {
  switch (c.command) {
    case DramCommand::activate_first:
      b = {false, true, c.row, c.clock};
      break;
    case DramCommand::activate:
      b = {true, false, c.row, 0};
      break;
    case DramCommand::precharge:
    case DramCommand::precharge_all:
    case DramCommand::read_auto:
    case DramCommand::write_auto:
      b.close();
      break;
    default:
      break;
  }
}

// The clock up to which a command keeps the data clock running.
Clock runs_until(const DramParameters& p, const DramCommandRecord& c) {
  if (is_read(c.command)) return c.clock + p.cl + p.bl;
  if (is_write(c.command)) return c.clock + p.cwl + p.bl;
  if (c.command == DramCommand::sync_read) return c.clock + p.cl + p.bl + 1;
  if (c.command == DramCommand::sync_write) return c.clock + p.cwl + p.bl + 1;
  return 0;
}

}  // namespace

std::vector<std::string> DramChecker::states(DramStream stream) const {
  std::vector<std::string> found;
  const std::uint32_t of_rank = p_.bank_groups * p_.banks;
  std::vector<BankState> banks(p_.ranks * of_rank);
  std::vector<Clock> data_clock(p_.ranks);
  for (const DramCommandRecord& c : stream) {
    const std::uint32_t rank = rank_of(c.bank);
    const bool whole = whole_rank(c.command);
    const std::uint32_t first = whole ? rank * of_rank : c.bank, count = whole ? of_rank : 1;
    for (std::uint32_t b = first; b < first + count; ++b) {
      const std::string why = forbids(p_, banks[b], c);
      if (!why.empty()) found.push_back(fmt::format("{}: {}", why, text(c)));
      change(banks[b], c);
    }
    if ((is_read(c.command) || is_write(c.command)) && p_.data_clock && c.clock > data_clock[rank]) {
      found.push_back(fmt::format("data clock stopped: {}", text(c)));
    }
    data_clock[rank] = std::max(data_clock[rank], runs_until(p_, c));
  }
  return found;
}

std::vector<std::string> DramChecker::buses(DramStream stream) const {
  std::vector<std::string> found;
  std::array<Clock, 2> command_free{};
  struct Data {
    Clock begin, end;
    std::uint32_t rank;
    bool write;
    const DramCommandRecord* command;
  };
  std::vector<Data> data;
  for (const DramCommandRecord& c : stream) {
    const bool transfer = is_read(c.command) || is_write(c.command);
    Clock& free = command_free[p_.row_and_column_bus && transfer ? 1 : 0];
    if (c.clock < free) found.push_back(fmt::format("command bus: {} while it is taken", text(c)));
    free = c.clock + (c.command == DramCommand::activate ? p_.activate_clocks : 1);
    if (!transfer) continue;
    const Clock begin = c.clock + (is_write(c.command) ? p_.cwl : p_.cl);
    data.push_back({begin, begin + p_.bl, rank_of(c.bank), is_write(c.command), &c});
  }
  std::stable_sort(data.begin(), data.end(), [](const Data& a, const Data& b) { return a.begin < b.begin; });
  std::vector<const Data*> last(p_.ranks, nullptr);
  for (const Data& d : data) {
    const Data*& before = last[p_.shared_data_bus ? 0 : d.rank];
    if (before != nullptr) {
      const bool changes = before->rank != d.rank || before->write != d.write;
      if (d.begin < before->end + (changes ? kBusTurnaround : 0)) {
        found.push_back(fmt::format("data bus: {} meets {}", text(*d.command), text(*before->command)));
      }
    }
    before = &d;
  }
  return found;
}

}  // namespace tokencycle::test
