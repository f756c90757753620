// SPDX-License-Identifier: Apache-2.0
// The banks of one DRAM channel: what is open, and from when each command may be given.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "config/dram/device.h"
#include "memory/dram/interval_sum.h"

namespace tokencycle::memory {

using config::DramCommand;
using config::DramLevel;
using Clock = std::uint64_t;  // of the DRAM's command clock
inline constexpr Clock kNoClock = std::numeric_limits<Clock>::max();
inline constexpr std::uint32_t kNoRow = ~0u;

constexpr bool is_read(DramCommand c) {
  return c == DramCommand::read || c == DramCommand::read_auto;
}
constexpr bool is_write(DramCommand c) {
  return c == DramCommand::write || c == DramCommand::write_auto;
}
constexpr bool is_transfer(DramCommand c) {
  return is_read(c) || is_write(c);
}

// Commands that may put off another one.
enum class DramCause : std::uint8_t {
  activation,  // of either part
  turnaround,  // transfers in the other direction
  refresh,
};
inline constexpr std::size_t kDramCauses = 3;

// Clocks [begin, end).
struct DramSpan {
  Clock begin = 0, end = 0;
};

// Banks are numbered rank by rank, stack by stack, bank group by bank group. A command's time is its
// first clock. The caller gives commands in order of time and never before earliest().
class DramBanks {
 public:
  // `auto_precharge`: whether RDA and WRA will be given at all.
  explicit DramBanks(const config::DramDevice& device, bool auto_precharge = true);

  std::uint32_t count() const { return static_cast<std::uint32_t>(banks_.size()); }
  std::uint32_t of_rank() const { return banks_of_rank_; }
  std::uint32_t rank_of(std::uint32_t bank) const { return bank / banks_of_rank_; }

  std::uint32_t open_row(std::uint32_t bank) const { return banks_[bank].row; }  // kNoRow: closed
  bool half_activated(std::uint32_t bank) const { return banks_[bank].half; }
  // Banks with an open row, a bit each: words of 64.
  std::uint64_t open_banks(std::size_t word) const { return open_banks_[word]; }
  std::uint32_t open_in_rank(std::uint32_t rank) const { return ranks_[rank].open; }
  // The last clock for which the rank's data clock runs.
  Clock synchronised_until(std::uint32_t rank) const { return ranks_[rank].synchronised; }

  // The first clock in which every constraint allows the command to this bank (its rank, for a command
  // to a whole rank).
  Clock earliest(DramCommand command, std::uint32_t bank) const {
    const Bank& b = banks_[bank];
    const auto c = static_cast<std::size_t>(command);
    const Clock outer = std::max(ready_[c], ready_[b.rank + c]);
    if (whole_rank(command)) return outer;
    if (command == DramCommand::refresh_bank) return std::max(outer, earliest_refresh(bank));
    return std::max({outer, ready_[b.group + c], ready_[b.bank + c]});
  }
  // The same for a command to one bank.
  Clock earliest_of_bank(DramCommand command, std::uint32_t bank) const {
    const Bank& b = banks_[bank];
    const Clock* ready = ready_.data() + static_cast<std::size_t>(command);
    return std::max(std::max(ready[0], ready[b.rank]), std::max(ready[b.group], ready[b.bank]));
  }
  // The first clock that a cause alone allows, constraints with a window aside; may be 0 if not after `now`.
  Clock earliest_after(DramCause cause, DramCommand command, std::uint32_t bank, Clock now) const;
  // Whether that can be after `now`, in any bank.
  bool may_put_off(DramCause cause, DramCommand command, Clock now) const {
    const auto c = static_cast<std::size_t>(command);
    const Clock given = cause == DramCause::turnaround ? last_transfer_[is_read(command)]
                                                       : last_given_[cause == DramCause::refresh];
    return given + longest_after_[static_cast<std::size_t>(cause)][c] > now;
  }
  bool share_rank(std::uint32_t a, std::uint32_t b) const { return banks_[a].rank == banks_[b].rank; }
  // Clocks from a read of one bank to a read of another or the same one, by what they share.
  std::uint32_t read_gap(std::uint32_t a, std::uint32_t b) const {
    const Bank &one = banks_[a], &other = banks_[b];
    if (one.rank != other.rank) return read_gaps_[static_cast<std::size_t>(DramLevel::channel)];
    if (one.group != other.group) return read_gaps_[static_cast<std::size_t>(DramLevel::rank)];
    return read_gaps_[static_cast<std::size_t>(a == b ? DramLevel::bank : DramLevel::bank_group)];
  }
  // The same by the narrowest level that they share.
  std::uint32_t read_gap(DramLevel shared) const { return read_gaps_[static_cast<std::size_t>(shared)]; }
  // True if read_gap() is all that keeps reads apart, and what a read asks for within its rank has no window.
  bool reads_follow_simply() const { return reads_follow_simply_; }
  // A read, given like the others. With `rank_follows` a later one to its rank is given before anything is
  // asked: then that one has the rank's constraints.
  void give_read(std::uint32_t bank, Clock now, bool rank_follows) {
    const Bank& b = banks_[bank];
    raise(b.group, DramLevel::bank_group, DramCommand::read, now);
    raise(b.bank, DramLevel::bank, DramCommand::read, now);
    if (rank_follows) return;
    if (updates_[static_cast<std::size_t>(DramCommand::read)].rare.empty()) {
      raise(0, DramLevel::channel, DramCommand::read, now);
      raise(b.rank, DramLevel::rank, DramCommand::read, now);
    } else {
      update(bank, Part::outer, DramCommand::read, now);
    }
    transferred_read(bank, now);
  }
  // `row`: of an activation.
  void give(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now);

  // How long the command given last, at `now`, changes the state of its banks: an activation until a transfer
  // may follow, a precharge (also the one that RDA or WRA bring, which begins later) or a refresh until an
  // activation may. Nothing for other commands, and for the first part of an activation, which its second
  // ends.
  DramSpan change_by(DramCommand command, std::uint32_t bank, Clock now) const;

  // The banks that a refresh of `bank` reaches, bank itself being the first; `bank` is one of the first
  // of_rank() / reach() of its rank.
  std::uint32_t reach() const { return reach_; }
  std::uint32_t reached(std::uint32_t bank, std::uint32_t i) const { return bank + i * reach_apart_; }

  // Clocks before `until` (not before the last command) in which a row was open, summed over the banks: from
  // its ACT to the precharge. An auto-precharge starts when a precharge could have been given: its transfer
  // asks for RDA to ACT less PRE to ACT, the row's activation for ACT to PRE.
  std::uint64_t open_clocks(Clock until) const { return open_.clocks(until); }
  // The same for clocks in which a refresh kept the bank from being activated.
  std::uint64_t refreshing_clocks(Clock until) const { return refreshing_.clocks(until); }
  // All-bank refreshes of every rank, given and over, that left no other trace.
  void skip_refreshes(std::uint64_t count) { refreshing_.add(count * refresh_clocks_[0] * banks_.size()); }

  template <class Archive>
  void serialize(Archive& state) {
    state(ready_, histories_, banks_, open_banks_, ranks_, last_transfer_, last_given_, last_, open_,
          refreshing_);
  }

  static bool whole_rank(DramCommand c) {
    return c == DramCommand::precharge_all || c == DramCommand::refresh_all;
  }

 private:
  static constexpr std::size_t kStride = 16;  // commands of a node, a power of two
  // A constraint as seen from its first command: without a window or another rank, and with one of them.
  struct Update {
    std::uint32_t clocks;
    std::uint8_t after;
  };
  struct RareUpdate {
    std::uint32_t clocks, window;
    std::uint8_t level, after;
    bool other;
  };
  struct Updates {  // by a command
    std::array<std::vector<Update>, config::kDramLevels> of_level;
    std::array<bool, config::kDramLevels> asked{};  // whether afters_ ask for its last time there
    std::vector<RareUpdate> rare;
    std::size_t window = 0;                           // the longest of them
    std::array<bool, config::kDramLevels> windows{};  // whether one of them has a window there
  };
  struct Bank {
    std::uint32_t rank = 0, group = 0, bank = 0;  // where their nodes begin in ready_
    std::uint32_t row = kNoRow;
    bool half = false;
    template <class Archive>
    void serialize(Archive& state) {
      state(row, half);
    }
  };
  struct Rank {
    std::uint32_t open = 0;
    Clock synchronised = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(open, synchronised);
    }
  };
  // A constraint as seen from its second command, for one of the causes.
  struct After {
    DramCommand before;
    DramLevel level;
    bool other;
    std::uint32_t clocks;
  };
  // The last times of a command at a node, as many as the longest window needs.
  struct History {
    std::vector<Clock> times;
    std::size_t next = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(times, next);
    }
    // The `window`-th last one; kNoClock when there were fewer.
    Clock past(std::uint32_t window) const;
    void add(Clock now, std::size_t longest);
  };
  using Nodes = std::array<std::uint32_t, config::kDramLevels>;  // where they begin in ready_
  // Without that of the stack, which few devices have: stack_node() is asked where it is needed.
  Nodes nodes_of(std::uint32_t bank) const {
    return {0, banks_[bank].rank, 0, banks_[bank].group, banks_[bank].bank};
  }
  std::uint32_t stack_node(std::uint32_t stack) const {  // of the channel; only where a rank has several
    return static_cast<std::uint32_t>((1 + rank_count_ + stack) * kStride);
  }
  void add_constraints(const config::DramDevice& device, bool auto_precharge);
  void add_cause(const config::DramConstraint& c);
  enum class Part : std::uint8_t { all, outer, inner };  // levels: outer are channel and rank
  // The constraints of one level, without those of Updates::rare.
  void raise(std::uint32_t node, DramLevel level, DramCommand command, Clock now) {
    const Updates& updates = updates_[static_cast<std::size_t>(command)];
    for (const Update& u : updates.of_level[static_cast<std::size_t>(level)]) {
      Clock& ready = ready_[node + u.after];
      ready = std::max(ready, now + u.clocks);
    }
    if (updates.asked[static_cast<std::size_t>(level)]) last_[node + static_cast<std::size_t>(command)] = now;
  }
  void update(std::uint32_t bank, Part part, DramCommand command, Clock now);
  void update_rarely(std::uint32_t bank, const Nodes& nodes, const RareUpdate& u, DramCommand command,
                     Clock now);
  void change_state(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now);
  void transferred_read(std::uint32_t bank, Clock now) {
    ranks_[rank_of(bank)].synchronised = now + synchronises_[0];
    last_transfer_[0] = now;
  }
  void close(std::uint32_t bank, Clock at);
  void derive_times(const config::DramDevice& device);
  void derive_read_gaps(const config::DramDevice& device);
  void refresh(std::uint32_t bank, Clock begin, Clock end);
  Clock precharge_of(DramCommand transfer, std::uint32_t bank, Clock now) const;
  Clock earliest_refresh(std::uint32_t bank) const;

  // Visits the stacks of the bank's rank, itself or all others.
  template <class Visit>
  void for_stacks(std::uint32_t bank, bool others, Visit visit) const {
    const std::uint32_t own = bank / banks_of_stack_, first = own / stacks_ * stacks_;
    for (std::uint32_t s = first; s < first + stacks_; ++s) {
      if ((s != own) == others) visit(s);
    }
  }

  std::uint32_t banks_of_rank_, rank_count_, stacks_, banks_of_stack_, groups_of_stack_, reach_, reach_apart_;
  std::array<Updates, config::kDramCommands> updates_;
  std::vector<Clock> ready_;  // [node][command]
  std::vector<History> histories_;
  std::vector<Bank> banks_;
  std::vector<std::uint64_t> open_banks_;
  std::vector<Rank> ranks_;
  std::array<std::uint32_t, 4> synchronises_{};  // clocks, by read, write, sync_read, sync_write
  std::array<std::array<std::vector<After>, config::kDramCommands>, kDramCauses> afters_;
  std::array<std::array<std::uint32_t, config::kDramCommands>, kDramCauses> longest_after_{};  // of afters_
  std::array<Clock, 2> last_given_{};     // to any bank: activation, refresh
  std::array<Clock, 2> last_transfer_{};  // read, write
  std::vector<Clock> last_;               // [node][command], kNoClock: never; only where it is asked for
  std::array<std::uint32_t, 2> closes_after_{}, refresh_clocks_{};  // RDA, WRA; of all banks, of one
  std::array<std::uint32_t, 2> precharge_clocks_{};                 // of one bank, of all
  std::uint32_t activate_clocks_ = 0;                               // to the first transfer
  std::array<std::uint32_t, config::kDramLevels> read_gaps_{};      // by the narrowest level that they share
  bool reads_follow_simply_ = true;
  DramIntervalSum open_, refreshing_;
};

}  // namespace tokencycle::memory
