// SPDX-License-Identifier: Apache-2.0
// Numbered counters that programs signal and wait on. Cores that share one object order each other by them.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "base/quantity.h"
#include "isa/instruction.h"
#include "machine/unit.h"

namespace tokencycle::machine {

class Semaphores {
 public:
  // A core whose decode is to look again after a signal.
  void listen(const ClockLine& clock) { listeners_.push_back(clock); }
  // All counts are zero.
  void clear() { signals_ = {}; }
  // One more from the next cycle on, so that the order of the cores within a cycle does not matter.
  void signal(Cycle now, std::uint8_t number) {
    signals_[number].push_back(now);
    for (const ClockLine& clock : listeners_) clock.wake(now + 1);
  }
  bool available(Cycle now, std::uint8_t number) const {
    return !signals_[number].empty() && signals_[number].front() < now;
  }
  void take(std::uint8_t number) { signals_[number].pop_front(); }

 private:
  std::array<std::deque<Cycle>, isa::kSemaphores> signals_;  // not taken yet, by the cycle of the signal
  std::vector<ClockLine> listeners_;
};

}  // namespace tokencycle::machine
