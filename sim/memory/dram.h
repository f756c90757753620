// SPDX-License-Identifier: Apache-2.0
// The memory interface that every DRAM model fills, and what travels over it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/quantity.h"
#include "config/machine.h"
#include "observe/event.h"

namespace tokencycle::memory {

// Who asks; also the order of priority at the interconnect (smaller first).
enum class Requester : std::uint8_t { fetch = 0, store, load };
inline constexpr int kRequesters = 3;

// One burst: `dram.burst_bytes` aligned bytes, of which the requester uses `bytes` from `address` on.
struct Burst {
  DramAddress address;
  std::uint32_t bytes = 0;
  bool write = false;
  Requester requester = Requester::load;
  std::uint32_t tag = 0;  // the requester's own
};

struct Completion {
  Cycle cycle = kNever;
  Burst burst;
};

// A DRAM model with its channels. It holds no clock: the caller hands it bursts in order of time, and takes
// completions in order of time (order of acceptance within a cycle). All cycles are machine cycles.
class Dram {
 public:
  virtual ~Dram() = default;
  virtual std::uint32_t channel_of(DramAddress address) const = 0;
  // Whether a burst can be accepted now; if not, only a completion changes that.
  virtual bool has_room(const Burst& burst) const = 0;
  // Accepts a burst at `now`; returns a cycle before which it cannot complete.
  virtual Cycle accept(Cycle now, const Burst& burst) = 0;
  // A cycle before which no accepted burst completes, kNever when there is none. A model that needs to be
  // advanced to know more does so inside, up to the cycles that it can decide.
  virtual Cycle next_completion() const = 0;
  // The completion at next_completion(), removed.
  virtual Completion take_completion() = 0;
  // The earliest change of a channel's data bus between idle and carrying data, and its report.
  virtual Cycle next_bus_change() const = 0;
  virtual void report_bus_change(observe::EventHub& hub) = 0;
  virtual bool bus_active() const = 0;  // some channel carried data after the last reported change
  // The fewest cycles for `bursts` further bursts: a lower bound for sleeping, never used as timing.
  virtual std::uint64_t minimum_cycles(std::uint64_t bursts) const = 0;
};

// Fixed latency, bounded bandwidth, bounded requests in flight.
std::unique_ptr<Dram> make_ideal_dram(const config::Machine& machine);

}  // namespace tokencycle::memory
