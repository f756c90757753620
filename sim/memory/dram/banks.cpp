// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/banks.h"

namespace tokencycle::memory {

namespace {
constexpr std::size_t index(DramCommand c) {
  return static_cast<std::size_t>(c);
}
constexpr std::size_t index(DramLevel l) {
  return static_cast<std::size_t>(l);
}

// A read or a write, whichever may come sooner.
std::uint32_t first_transfer_after_activation(const config::DramDevice& d) {
  std::uint32_t read = 0, write = 0;
  for (const config::DramConstraint& c : d.constraints) {
    if (c.before != DramCommand::activate || c.level != DramLevel::bank || c.window != 1) continue;
    if (c.after == DramCommand::read) read = std::max(read, c.clocks);
    if (c.after == DramCommand::write) write = std::max(write, c.clocks);
  }
  return std::min(read, write);
}
}  // namespace

DramBanks::DramBanks(const config::DramDevice& d, bool auto_precharge)
    : banks_of_rank_(d.banks_of_rank()),
      rank_count_(d.ranks),
      stacks_(d.stacks),
      banks_of_stack_(d.bank_groups * d.banks),
      groups_of_stack_(d.bank_groups),
      reach_(d.refresh_reach),
      reach_apart_(d.bank_groups / d.refresh_reach * d.banks),
      synchronises_{d.sync_by_read, d.sync_by_write, d.sync_by_sync_read, d.sync_by_sync_write},
      open_(d.banks_of_channel()),
      refreshing_(d.banks_of_channel()) {
  // Nodes: the channel, then ranks, stacks if a rank has several, bank groups, banks.
  const std::uint32_t groups = d.ranks * d.groups_of_rank(),
                      first_group = 1 + d.ranks + (d.stacks > 1 ? d.ranks * d.stacks : 0);
  const std::uint32_t first_bank = first_group + groups, nodes = first_bank + d.banks_of_channel();
  for (std::uint32_t b = 0; b < d.banks_of_channel(); ++b) {
    banks_.push_back({static_cast<std::uint32_t>((1 + b / banks_of_rank_) * kStride),
                      static_cast<std::uint32_t>((first_group + b / d.banks) * kStride),
                      static_cast<std::uint32_t>((first_bank + b) * kStride)});
  }
  open_banks_.resize((banks_.size() + 63) / 64);
  ranks_.resize(d.ranks);
  ready_.resize(nodes * kStride);
  histories_.resize(nodes * kStride);
  last_.assign(nodes * kStride, kNoClock);
  add_constraints(d, auto_precharge);
  derive_times(d);
}

void DramBanks::add_constraints(const config::DramDevice& d, bool auto_precharge) {
  const auto given = [&](DramCommand c) {
    return d.exists(c) && (auto_precharge || (c != DramCommand::read_auto && c != DramCommand::write_auto));
  };
  const auto plain = [](const config::DramConstraint& c) { return c.window == 1 && !c.other; };
  // A wider level asks for as much: commands that meet at a bank meet at its rank.
  const auto implied = [&](const config::DramConstraint& c) {
    return std::any_of(d.constraints.begin(), d.constraints.end(), [&](const config::DramConstraint& wide) {
      return plain(wide) && wide.before == c.before && wide.after == c.after && wide.level < c.level &&
             wide.clocks >= c.clocks;
    });
  };
  for (config::DramConstraint c : d.constraints) {
    if (c.level == DramLevel::stack && stacks_ == 1) {
      if (c.other) continue;
      c.level = DramLevel::rank;
    }
    add_cause(c);
    if (!given(c.before) || !given(c.after)) continue;
    const auto level = static_cast<std::uint8_t>(c.level), after = static_cast<std::uint8_t>(c.after);
    Updates& updates = updates_[index(c.before)];
    if (!plain(c) || c.level == DramLevel::stack) {
      if (c.other && c.level == DramLevel::rank && rank_count_ == 1) continue;
      updates.rare.push_back({c.clocks, c.window, level, after, c.other});
      updates.window = std::max<std::size_t>(updates.window, c.window);
      updates.windows[level] = updates.windows[level] || c.window > 1;
    } else if (!implied(c)) {
      updates.of_level[level].push_back({c.clocks, after});
    }
  }
}

void DramBanks::add_cause(const config::DramConstraint& c) {
  if (c.window != 1) return;
  const auto add = [&](DramCause cause) {
    updates_[index(c.before)].asked[index(c.level)] = true;
    afters_[static_cast<std::size_t>(cause)][index(c.after)].push_back(
        {c.before, c.level, c.other, c.clocks});
    std::uint32_t& longest = longest_after_[static_cast<std::size_t>(cause)][index(c.after)];
    longest = std::max(longest, c.clocks);
  };
  if (c.before == DramCommand::activate_first || c.before == DramCommand::activate)
    add(DramCause::activation);
  if (c.before == DramCommand::refresh_all || c.before == DramCommand::refresh_bank) add(DramCause::refresh);
  if ((is_read(c.before) && is_write(c.after)) || (is_write(c.before) && is_read(c.after))) {
    add(DramCause::turnaround);
  }
}

// Times that follow from the constraints; without those they are 0.
void DramBanks::derive_times(const config::DramDevice& d) {
  const DramCommand activation =
      d.exists(DramCommand::activate_first) ? DramCommand::activate_first : DramCommand::activate;
  // Levels from `widest` on.
  const auto to_activation = [&](DramCommand before, DramLevel widest) {
    std::uint32_t clocks = 0;
    for (const config::DramConstraint& c : d.constraints) {
      if (c.before == before && c.after == activation && !c.other && c.level >= widest)
        clocks = std::max(clocks, c.clocks);
    }
    return clocks;
  };
  const std::uint32_t precharge = to_activation(DramCommand::precharge, DramLevel::bank);
  const auto less_precharge = [&](DramCommand transfer) {
    const std::uint32_t clocks = to_activation(transfer, DramLevel::bank);
    return clocks - std::min(clocks, precharge);
  };
  closes_after_ = {less_precharge(DramCommand::read_auto), less_precharge(DramCommand::write_auto)};
  precharge_clocks_ = {precharge, to_activation(DramCommand::precharge_all, DramLevel::channel)};
  activate_clocks_ = first_transfer_after_activation(d);
  derive_read_gaps(d);
  // Other banks of the rank may be activated sooner after a refresh of one bank.
  refresh_clocks_ = {to_activation(DramCommand::refresh_all, DramLevel::channel),
                     to_activation(DramCommand::refresh_bank, DramLevel::bank)};
}

void DramBanks::derive_read_gaps(const config::DramDevice& d) {
  reads_follow_simply_ = stacks_ == 1;
  for (const config::DramConstraint& c : d.constraints) {
    if (c.before != DramCommand::read || (c.other && c.level == DramLevel::stack)) continue;
    reads_follow_simply_ = reads_follow_simply_ && c.window == 1 && (!c.other || c.level == DramLevel::rank);
    if (c.after != DramCommand::read) continue;
    // Of another rank: what the two share is the channel. Otherwise narrower levels have it as well; the only
    // stack is the rank.
    const std::size_t first = c.other                       ? 0
                              : c.level == DramLevel::stack ? index(DramLevel::rank)
                                                            : index(c.level);
    const std::size_t last = c.other ? 0 : index(DramLevel::bank);
    for (std::size_t l = first; l <= last; ++l) read_gaps_[l] = std::max(read_gaps_[l], c.clocks);
  }
}

DramSpan DramBanks::change_by(DramCommand command, std::uint32_t bank, Clock now) const {
  switch (command) {
    case DramCommand::activate:
      return {now, now + activate_clocks_};
    case DramCommand::precharge:
      return {now, now + precharge_clocks_[0]};
    case DramCommand::precharge_all:
      return {now, now + precharge_clocks_[1]};
    case DramCommand::read_auto:
    case DramCommand::write_auto: {
      const Clock begin = precharge_of(command, bank, now);
      return {begin, begin + precharge_clocks_[0]};
    }
    case DramCommand::refresh_all:
    case DramCommand::refresh_bank:
      return {now, now + refresh_clocks_[command == DramCommand::refresh_bank]};
    default:
      return {now, now};
  }
}

Clock DramBanks::earliest_after(DramCause cause, DramCommand command, std::uint32_t bank, Clock now) const {
  if (!may_put_off(cause, command, now)) return 0;
  const Nodes nodes = nodes_of(bank);
  Clock earliest = 0;
  for (const After& a : afters_[static_cast<std::size_t>(cause)][index(command)]) {
    const auto raise = [&](std::uint32_t node) {
      const Clock last = last_[node + index(a.before)];
      if (last != kNoClock) earliest = std::max(earliest, last + a.clocks);
    };
    if (a.level == DramLevel::stack) {
      for_stacks(bank, a.other, [&](std::uint32_t s) { raise(stack_node(s)); });
      continue;
    }
    if (!a.other) {
      raise(nodes[index(a.level)]);
      continue;
    }
    for (std::uint32_t r = 0; r < rank_count_; ++r) {
      const auto rank = static_cast<std::uint32_t>((1 + r) * kStride);
      if (rank != nodes[index(DramLevel::rank)]) raise(rank);
    }
  }
  return earliest;
}

Clock DramBanks::History::past(std::uint32_t window) const {
  if (times.size() < window) return kNoClock;
  return times[(next + times.size() - window) % times.size()];
}

void DramBanks::History::add(Clock now, std::size_t longest) {
  if (times.size() < longest) {
    times.push_back(now);
    next = times.size() % longest;
  } else {
    times[next] = now;
    next = (next + 1) % longest;
  }
}

void DramBanks::update(std::uint32_t bank, Part part, DramCommand command, Clock now) {
  const std::size_t c = index(command);
  const Updates& updates = updates_[c];
  const Bank& b = banks_[bank];
  const auto for_levels = [&](auto visit) {
    if (part != Part::inner) {
      visit(std::uint32_t{0}, DramLevel::channel);
      visit(b.rank, DramLevel::rank);
    }
    if (stacks_ > 1 && part == Part::all) visit(stack_node(bank / banks_of_stack_), DramLevel::stack);
    if (part != Part::outer) {
      visit(b.group, DramLevel::bank_group);
      visit(b.bank, DramLevel::bank);
    }
  };
  for_levels([&](std::uint32_t node, DramLevel level) { raise(node, level, command, now); });
  if (updates.rare.empty()) return;
  if (updates.window > 1) {
    for_levels([&](std::uint32_t node, DramLevel level) {
      if (updates.windows[index(level)]) histories_[node + c].add(now, updates.window);
    });
  }
  const std::size_t first = part == Part::inner ? index(DramLevel::bank_group) : 0;
  const std::size_t last = part == Part::outer ? index(DramLevel::rank) : index(DramLevel::bank);
  const Nodes nodes = nodes_of(bank);
  for (const RareUpdate& u : updates.rare) {
    if (u.level >= first && u.level <= last) update_rarely(bank, nodes, u, command, now);
  }
}

void DramBanks::update_rarely(std::uint32_t bank, const Nodes& nodes, const RareUpdate& u,
                              DramCommand command, Clock now) {
  const std::uint32_t node = nodes[u.level];
  const Clock from = u.window == 1 ? now : histories_[node + index(command)].past(u.window);
  if (from == kNoClock) return;
  const auto raise = [&](std::uint32_t at) {
    Clock& ready = ready_[at + u.after];
    ready = std::max(ready, from + u.clocks);
  };
  if (u.level == index(DramLevel::stack)) {
    // earliest() does not ask the stacks, which few devices have: their bank groups hold it instead.
    return for_stacks(bank, u.other, [&](std::uint32_t s) {
      for (std::uint32_t g = 0; g < groups_of_stack_; ++g)
        raise(banks_[s * banks_of_stack_ + g * (banks_of_stack_ / groups_of_stack_)].group);
    });
  }
  if (!u.other) return raise(node);
  for (std::uint32_t r = 0; r < rank_count_; ++r) {
    const auto rank = static_cast<std::uint32_t>((1 + r) * kStride);
    if (rank != node) raise(rank);
  }
}

void DramBanks::give(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now) {
  update(bank, whole_rank(command) ? Part::outer : Part::all, command, now);
  if (command == DramCommand::refresh_bank) {
    for (std::uint32_t i = 1; i < reach_; ++i) update(reached(bank, i), Part::inner, command, now);
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

// `at`: where the precharge starts.
void DramBanks::close(std::uint32_t bank, Clock at) {
  Bank& b = banks_[bank];
  if (b.row != kNoRow) {
    --ranks_[rank_of(bank)].open;
    open_.end(bank, at);
    open_banks_[bank / 64] &= ~(std::uint64_t{1} << (bank % 64));
  }
  b.row = kNoRow;
  b.half = false;
}

void DramBanks::refresh(std::uint32_t bank, Clock begin, Clock end) {
  refreshing_.begin(bank, begin);
  refreshing_.end(bank, end);
}

// Where the precharge starts that a transfer of `now` brings with it.
Clock DramBanks::precharge_of(DramCommand transfer, std::uint32_t bank, Clock now) const {
  return std::max(now + closes_after_[transfer == DramCommand::write_auto],
                  earliest_after(DramCause::activation, DramCommand::precharge, bank, now));
}

void DramBanks::change_state(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now) {
  Bank& b = banks_[bank];
  Rank& rank = ranks_[rank_of(bank)];
  switch (command) {
    case DramCommand::activate_first:
      last_given_[0] = now;
      b.half = true;
      break;
    case DramCommand::activate:
      last_given_[0] = now;
      b.half = false;
      b.row = row;
      ++rank.open;
      open_.begin(bank, now);
      open_banks_[bank / 64] |= std::uint64_t{1} << (bank % 64);
      break;
    case DramCommand::precharge:
      close(bank, now);
      break;
    case DramCommand::precharge_all:
      for (std::uint32_t n = 0; n < banks_of_rank_; ++n) close(rank_of(bank) * banks_of_rank_ + n, now);
      break;
    case DramCommand::read:
    case DramCommand::read_auto:
      transferred_read(bank, now);
      if (command == DramCommand::read_auto) close(bank, precharge_of(command, bank, now));
      break;
    case DramCommand::write:
    case DramCommand::write_auto:
      rank.synchronised = now + synchronises_[1];
      last_transfer_[1] = now;
      if (command == DramCommand::write_auto) close(bank, precharge_of(command, bank, now));
      break;
    case DramCommand::sync_read:
      rank.synchronised = now + synchronises_[2];
      break;
    case DramCommand::sync_write:
      rank.synchronised = now + synchronises_[3];
      break;
    case DramCommand::refresh_all:
      last_given_[1] = now;
      for (std::uint32_t n = 0; n < banks_of_rank_; ++n)
        refresh(rank_of(bank) * banks_of_rank_ + n, now, now + refresh_clocks_[0]);
      break;
    case DramCommand::refresh_bank:
      last_given_[1] = now;
      for (std::uint32_t i = 0; i < reach_; ++i) refresh(reached(bank, i), now, now + refresh_clocks_[1]);
      break;
  }
}

}  // namespace tokencycle::memory
