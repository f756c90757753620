// SPDX-License-Identifier: Apache-2.0
// The memory interface that every DRAM model fills, and what travels over it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/quantity.h"
#include "base/state.h"
#include "config/machine.h"
#include "memory/dram/energy.h"
#include "observe/event.h"

namespace tokencycle::memory {

// Who asks, within a core: its fetch, its first engines, then pairs of further engines.
enum class Requester : std::uint8_t { fetch = 0, store, load };
inline constexpr int kRequesters =
    3;  // kinds; also the order of priority at the interconnect (smaller first)
// The n-th store or load engine of a core, from 0.
constexpr Requester nth(Requester engine, std::uint32_t n) {
  return static_cast<Requester>(static_cast<std::uint32_t>(engine) + 2 * n);
}
constexpr Requester kind_of(Requester requester) {
  if (requester == Requester::fetch) return requester;
  return static_cast<unsigned>(requester) % 2 == 1 ? Requester::store : Requester::load;
}

// One burst: `dram.burst_bytes` aligned bytes, of which the requester uses `bytes` from `address` on.
struct Burst {
  DramAddress address;
  std::uint32_t bytes = 0;
  bool write = false;
  Requester requester = Requester::load;
  std::uint32_t tag = 0;     // the requester's own
  std::uint16_t source = 0;  // at the interconnect, which sets it

  template <class Archive>
  void serialize(Archive& state) {
    state(address, bytes, write, requester, tag, source);
  }
};

struct Completion {
  Cycle cycle = kNever;
  Burst burst;
  std::uint32_t channel = 0;  // that it came from

  template <class Archive>
  void serialize(Archive& state) {
    state(cycle, burst, channel);
  }
};

// What a channel of devices did since time 0.
struct DramUse {
  DramCounters counters;
  std::uint64_t clocks = 0;  // of its command clock
  // Clocks in which a row was open, and in which a refresh kept a bank from being activated, summed over
  // banks.
  std::uint64_t open_bank_clocks = 0, refreshing_bank_clocks = 0;
  std::optional<DramEnergyUse> energy;  // nothing when the preset has no energies
};

// What waits in a channel: requests for their commands (a write also when it has been acknowledged), or
// bursts for their time in a model without commands.
struct DramQueues {
  std::uint32_t reads = 0, writes = 0;
  std::uint32_t activated = 0;  // of either kind, whose row was opened for them; not counted above
};

// What a DRAM model has to tell.
enum class DramNews : std::uint8_t {
  nothing,
  data_bus,    // the state of a channel's data bus changes: report_bus_change()
  completion,  // a burst is complete: take_completion()
  room,        // a channel that was full takes bursts again
};
struct DramNotice {
  Cycle cycle = kNever;  // of nothing: there is none before it, unless a burst is accepted
  DramNews news = DramNews::nothing;
};

// A DRAM model with its channels. It holds no clock: the caller hands it bursts and takes what it tells in
// order of time. All cycles are machine cycles.
class Dram {
 public:
  virtual ~Dram() = default;
  virtual std::uint32_t channel_of(DramAddress address) const = 0;
  // Whether the channel can accept a burst now, whatever its address; if not, a completion or room changes
  // that.
  virtual bool has_room(std::uint32_t channel, bool write) = 0;
  // The same for a burst to an address of the channel: its bank may have room when another has none.
  virtual bool has_room(std::uint32_t channel, DramAddress /*address*/, bool write) {
    return has_room(channel, write);
  }
  // The first cycle from which the channel has room for the burst if it accepts nothing before; kNever:
  // unknown, has_room() must be asked.
  virtual Cycle room_from(std::uint32_t /*channel*/, bool /*write*/) { return kNever; }
  // Whether what was refused a place since the last completion may have one behind the next.
  virtual bool completion_makes_room() const { return true; }
  // From now on commands and the queues' depths are reported to `hub` while it has subscribers to them, in
  // order of time; of a cycle they come first, a depth again after accept(). A model without commands has
  // neither.
  virtual void tell(observe::EventHub& /*hub*/) {}
  // Accepts a burst at `now`, which is not before anything that it told.
  virtual void accept(Cycle now, const Burst& burst) = 0;
  // Lets time go on up to the first cycle that has something to tell, at most to `until`; no burst may be
  // accepted before that any more. The notice stands until its function is called. Order within a cycle: data
  // buses, completions.
  virtual DramNotice advance(Cycle until) = 0;
  // What advance() told of, removed. Completions of a cycle come in order of channels.
  virtual Completion take_completion() = 0;
  virtual void report_bus_change(observe::EventHub& hub) = 0;
  // After the last reported change: busy when some channel carries data, otherwise what the first of them in
  // this order waits for (observe::kDataStates), idle when none has a burst to move.
  virtual observe::State data_state() const = 0;
  virtual DramQueues queues(std::uint32_t channel) = 0;
  virtual observe::State state(std::uint32_t channel) const = 0;  // of its data bus
  // Of a channel up to the end of `cycle`, up to which time has come; nothing from a model without commands.
  virtual std::optional<DramUse> use(std::uint32_t channel, Cycle cycle) = 0;
  // All that it holds, bursts under way included.
  virtual void serialize(StateWriter& state) = 0;
  virtual void serialize(StateReader& state) = 0;
};

// Fixed latency, bounded bandwidth, bounded requests in flight.
std::unique_ptr<Dram> make_ideal_dram(const config::Machine& machine);
// The devices of machine.dram.system, command by command.
std::unique_ptr<Dram> make_command_dram(const config::Machine& machine);
// The one that the machine has.
std::unique_ptr<Dram> make_dram(const config::Machine& machine);

}  // namespace tokencycle::memory
