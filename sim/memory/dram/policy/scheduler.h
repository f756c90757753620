// SPDX-License-Identifier: Apache-2.0
// Which of the waiting requests may be served next.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/state.h"
#include "config/dram/system.h"
#include "memory/dram/queue.h"

namespace tokencycle::memory::policy {

// Of each bank the oldest request whose row is open and the oldest of the others stand for all of their kind:
// these are ready at the same time. A scheduler says which banks' may be served. Of those the controller
// gives the command that can come first, of equals the one for the older request.
class Scheduler {
 public:
  // Banks in words of 64, a bit each: with a request whose row is open (hits) and with another one (others:
  // its next command is ACT if the bank is closed, otherwise PRE).
  struct Banks {
    std::uint64_t hits = 0, others = 0;
  };

  virtual ~Scheduler() = default;
  // Takes away what must wait; `banks` come as all that have a request in `queue`. The answer may depend on
  // the first requests of the banks (DramQueue::List's head, hit and other) and on what the functions below
  // report, not on the time: the controller asks again when one of these changes, and leaps until then.
  virtual void select(const DramQueue& queue, std::span<Banks> banks) const = 0;
  // True if select() takes nothing away while all requests of the queue are hits.
  virtual bool serves_all_hits() const { return false; }
  // True if in one clock a transfer comes before an older request's ACT or PRE.
  virtual bool transfers_first() const { return false; }
  // A request was served; `past_older`: an older one of its bank and queue waits.
  virtual void served(std::uint32_t /*bank*/, bool /*past_older*/) {}
  // The bank's open row has changed.
  virtual void row_changed(std::uint32_t /*bank*/) {}
  // State of its own, for checkpoints.
  virtual void serialize(StateWriter& /*state*/) {}
  virtual void serialize(StateReader& /*state*/) {}
};

// `banks`: of the channel.
std::unique_ptr<Scheduler> make_scheduler(const config::DramSystem& system, std::uint32_t banks);

}  // namespace tokencycle::memory::policy
