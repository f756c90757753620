// SPDX-License-Identifier: Apache-2.0
// The banks of one DRAM channel: what is open, and from when each command may be given.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "config/dram_device.h"

namespace tokencycle::memory {

using config::DramCommand;
using config::DramLevel;
using Clock = std::uint64_t;  // of the DRAM's command clock
inline constexpr Clock kNoClock = std::numeric_limits<Clock>::max();
inline constexpr std::uint32_t kNoRow = ~0u;

// Banks are numbered rank by rank, bank group by bank group. A command's time is its
// first clock. The caller gives commands in order of time and never before earliest().
class DramBanks {
 public:
  explicit DramBanks(const config::DramDevice& device);

  std::uint32_t count() const { return static_cast<std::uint32_t>(banks_.size()); }
  std::uint32_t of_rank() const { return banks_of_rank_; }
  std::uint32_t rank_of(std::uint32_t bank) const { return bank / banks_of_rank_; }

  std::uint32_t open_row(std::uint32_t bank) const { return banks_[bank].row; }  // kNoRow: closed
  bool half_activated(std::uint32_t bank) const { return banks_[bank].half; }
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
  // `row`: of an activation.
  void give(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now);

  // The banks that a refresh of `bank` reaches, bank itself being the first; `bank` is one of the first
  // of_rank() / reach() of its rank.
  std::uint32_t reach() const { return reach_; }
  std::uint32_t reached(std::uint32_t bank, std::uint32_t i) const { return bank + i * reach_apart_; }

  static bool whole_rank(DramCommand c) {
    return c == DramCommand::precharge_all || c == DramCommand::refresh_all;
  }

 private:
  static constexpr std::size_t kStride = 16;  // commands of a node, a power of two
  struct Update {
    std::uint32_t clocks, window;
    std::uint8_t after;
    bool other;
  };
  struct Bank {
    std::uint32_t rank, group, bank;  // where their nodes begin in ready_
    std::uint32_t row = kNoRow;
    bool half = false;
  };
  struct Rank {
    std::uint32_t open = 0;
    Clock synchronised = 0;
  };
  // The last times of a command at a node, as many as the longest window needs.
  struct History {
    std::vector<Clock> times;
    std::size_t next = 0;
  };
  void update(DramLevel level, std::uint32_t node, DramCommand command, Clock now);
  void change_state(DramCommand command, std::uint32_t bank, std::uint32_t row, Clock now);
  void close(std::uint32_t bank);
  Clock earliest_refresh(std::uint32_t bank) const;
  Clock past(History& history, std::uint32_t window) const;

  std::uint32_t banks_of_rank_, rank_count_, reach_, reach_apart_;
  std::array<std::array<std::vector<Update>, config::kDramCommands>, config::kDramLevels> updates_;
  std::array<std::array<std::uint32_t, config::kDramCommands>, config::kDramLevels> longest_{};
  std::vector<Clock> ready_;  // [node][command]
  std::vector<History> histories_;
  std::vector<Bank> banks_;
  std::vector<Rank> ranks_;
  std::array<std::uint32_t, 4> synchronises_{};  // clocks, by read, write, sync_read, sync_write
};

}  // namespace tokencycle::memory
