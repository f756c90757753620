// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_banks.h"

namespace tokencycle::memory {

namespace {
constexpr std::size_t index(DramCommand c) {
  return static_cast<std::size_t>(c);
}
constexpr std::size_t index(DramLevel l) {
  return static_cast<std::size_t>(l);
}
}  // namespace

DramBanks::DramBanks(const config::DramDevice& d)
    : banks_of_rank_(d.banks_of_rank()),
      rank_count_(d.ranks),
      reach_(d.refresh_reach),
      reach_apart_(d.bank_groups / d.refresh_reach * d.banks),
      synchronises_{d.sync_by_read, d.sync_by_write, d.sync_by_sync_read, d.sync_by_sync_write} {
  // Nodes: the channel, then ranks, bank groups, banks.
  const std::uint32_t groups = d.ranks * d.bank_groups, first_group = 1 + d.ranks;
  const std::uint32_t first_bank = first_group + groups, nodes = first_bank + d.banks_of_channel();
  for (std::uint32_t b = 0; b < d.banks_of_channel(); ++b) {
    banks_.push_back({static_cast<std::uint32_t>((1 + b / banks_of_rank_) * kStride),
                      static_cast<std::uint32_t>((first_group + b / d.banks) * kStride),
                      static_cast<std::uint32_t>((first_bank + b) * kStride)});
  }
  ranks_.resize(d.ranks);
  ready_.resize(nodes * kStride);
  for (const config::DramConstraint& c : d.constraints) {
    updates_[index(c.level)][index(c.before)].push_back(
        {c.clocks, c.window, static_cast<std::uint8_t>(c.after), c.other});
    std::uint32_t& longest = longest_[index(c.level)][index(c.before)];
    longest = std::max(longest, c.window);
  }
  histories_.resize(nodes * kStride);
}

// The `window`-th last time, the one just noted being the first; kNoClock when there were fewer.
Clock DramBanks::past(History& h, std::uint32_t window) const {
  if (h.times.size() < window) return kNoClock;
  return h.times[(h.next + h.times.size() - window) % h.times.size()];
}

void DramBanks::update(DramLevel level, std::uint32_t node, DramCommand command, Clock now) {
  const std::vector<Update>& updates = updates_[index(level)][index(command)];
  if (updates.empty()) return;
  const std::uint32_t longest = longest_[index(level)][index(command)];
  History& history = histories_[node + index(command)];
  if (longest > 1) {
    if (history.times.size() < longest) {
      history.times.push_back(now);
      history.next = history.times.size() % longest;
    } else {
      history.times[history.next] = now;
      history.next = (history.next + 1) % longest;
    }
  }
  for (const Update& u : updates) {
    const Clock from = u.window == 1 ? now : past(history, u.window);
    if (from == kNoClock) continue;
    const auto raise = [&](std::uint32_t at) {
      Clock& ready = ready_[at + u.after];
      ready = std::max(ready, from + u.clocks);
    };
    if (!u.other) {
      raise(node);
      continue;
    }
    for (std::uint32_t r = 0; r < rank_count_; ++r) {
      const auto rank = static_cast<std::uint32_t>((1 + r) * kStride);
      if (rank != node) raise(rank);
    }
  }
}

void DramBanks::give(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now) {
  const Bank& b = banks_[bank];
  update(DramLevel::channel, 0, command, now);
  update(DramLevel::rank, b.rank, command, now);
  const std::uint32_t banks = whole_rank(command) ? 0 : command == DramCommand::refresh_bank ? reach_ : 1;
  for (std::uint32_t i = 0; i < banks; ++i) {
    const Bank& reached_bank = banks_[reached(bank, i)];
    update(DramLevel::bank_group, reached_bank.group, command, now);
    update(DramLevel::bank, reached_bank.bank, command, now);
  }
  change_state(command, bank, row, now);
}

Clock DramBanks::earliest_refresh(std::uint32_t bank) const {
  const std::size_t c = index(DramCommand::refresh_bank);
  Clock earliest = 0;
  for (std::uint32_t i = 0; i < reach_; ++i) {
    const Bank& b = banks_[reached(bank, i)];
    earliest = std::max({earliest, ready_[b.group + c], ready_[b.bank + c]});
  }
  return earliest;
}

void DramBanks::close(std::uint32_t bank) {
  Bank& b = banks_[bank];
  if (b.row != kNoRow) --ranks_[rank_of(bank)].open;
  b.row = kNoRow;
  b.half = false;
}

void DramBanks::change_state(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now) {
  Bank& b = banks_[bank];
  Rank& rank = ranks_[rank_of(bank)];
  switch (command) {
    case DramCommand::activate_first:
      b.half = true;
      break;
    case DramCommand::activate:
      b.half = false;
      b.row = row;
      ++rank.open;
      break;
    case DramCommand::precharge:
      close(bank);
      break;
    case DramCommand::precharge_all:
      for (std::uint32_t i = rank_of(bank) * banks_of_rank_, n = 0; n < banks_of_rank_; ++n) close(i + n);
      break;
    case DramCommand::read:
    case DramCommand::read_auto:
      rank.synchronised = now + synchronises_[0];
      if (command == DramCommand::read_auto) close(bank);
      break;
    case DramCommand::write:
    case DramCommand::write_auto:
      rank.synchronised = now + synchronises_[1];
      if (command == DramCommand::write_auto) close(bank);
      break;
    case DramCommand::sync_read:
      rank.synchronised = now + synchronises_[2];
      break;
    case DramCommand::sync_write:
      rank.synchronised = now + synchronises_[3];
      break;
    case DramCommand::refresh_all:
    case DramCommand::refresh_bank:
      break;
  }
}

}  // namespace tokencycle::memory
