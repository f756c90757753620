// SPDX-License-Identifier: Apache-2.0
// The signals of DRAM that is simulated command by command: commands, queues and banks of each channel.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "config/dram/system.h"
#include "observe/event.h"
#include "observe/waves/values.h"

namespace tokencycle::observe {

// Of a channel: command (none in a cycle without one), bank, row and column that it addresses (else the
// last ones addressed), commands (how many so far, modulo 2^32), read_queue, write_queue, activated_queue; of
// each bank rankR.groupG.bankB.state and .row (of the last activation). The last command of a cycle shows;
// the counter and the banks have all of them.
class WaveDram {
 public:
  static constexpr std::uint32_t kInterests = kOnRequest;

  // Names refer to it, so it stays where it is. `values` is asked for signals by add_channel().
  WaveDram(const config::DramSystem& system, WaveValues& values);
  WaveDram(const WaveDram&) = delete;
  WaveDram& operator=(const WaveDram&) = delete;

  // The signals of the next channel.
  void add_channel(const std::string& scope);
  void on_event(const Event& event);

  // What an event began ends later: the next cycle in which a signal changes without an event, kNever if none
  // does.
  Cycle next() const { return pending_.empty() ? kNever : pending_.top().cycle; }
  // Applies these changes up to and including `cycle`. All of a cycle come before its events.
  void apply(Cycle cycle);

 private:
  using Index = WaveValues::Index;
  enum class BankState : std::uint8_t { closed = 0, opening, open, closing, refreshing };
  struct Bank {
    Index state = 0, row = 0;
    std::uint32_t turn = 0;  // counts what sets its state
    bool active = false;     // a row is activated, and no precharge was ordered
  };
  struct Channel {
    Index command = 0, bank = 0, row = 0, column = 0;
    Index commands = 0, read_queue = 0, write_queue = 0, activated_queue = 0;
    std::vector<Bank> banks;
    std::uint32_t turn = 0;  // counts commands
  };
  // Holds unless what it belongs to has had another turn.
  struct Pending {
    Cycle cycle;
    std::uint64_t order = 0;
    const std::uint32_t* turns = nullptr;
    std::uint32_t turn = 0;
    Index signal = 0;
    std::uint64_t value = 0;
    bool operator>(const Pending& p) const { return cycle != p.cycle ? cycle > p.cycle : order > p.order; }
  };
  void on_command(Channel& channel, const Event& event);
  void change_banks(Channel& channel, const Event& event);
  // The bank goes into state `during` at `begin` and from there to `after` at `end`.
  void change(Bank& bank, Cycle now, Cycle begin, Cycle end, BankState during, BankState after);
  void set_later(Cycle now, Cycle cycle, const std::uint32_t& turns, Index signal, std::uint64_t value);

  const config::DramSystem& system_;
  WaveValues& values_;
  const WaveNames commands_, states_;
  std::vector<Channel> channels_;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  std::uint64_t ordered_ = 0;
};

}  // namespace tokencycle::observe
