// SPDX-License-Identifier: Apache-2.0
// What a channel's data bus did in every clock: it carried a burst, or it was idle for a reason.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

// Fed with what a DramListener hears. A clock is busy if a burst passes in it, on any of the buses where
// pseudo-channels have their own; any other clock is idle for what the controller waits for in that clock.
class DramBus {
 public:
  void transferring(Clock begin, Clock end);
  void waiting(Clock from, DramWait wait);
  // A command is given in `now`: no burst reported later begins before.
  void settle(Clock now);

  // Clocks counted so far, those before the last settle().
  Clock busy() const { return busy_; }
  const std::array<Clock, kDramWaits>& idle() const { return idle_; }
  // Sum over the buses of the clocks with a burst, of all bursts reported.
  Clock transfers() const { return transfers_; }

 private:
  void leave_idle(Clock until);

  struct Interval {
    Clock begin, end;
  };
  std::vector<Interval> coming_;  // bursts that have not ended, in order of their beginning
  std::size_t first_ = 0;         // of coming_
  Clock settled_ = 0;             // all clocks before are counted
  DramWait wait_ = DramWait::nothing;
  Clock busy_ = 0, transfers_ = 0;
  std::array<Clock, kDramWaits> idle_{};
};

}  // namespace tokencycle::memory
