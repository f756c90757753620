// SPDX-License-Identifier: Apache-2.0
// A stream of requests through the controllers of a DRAM system, and what is counted on the way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "memory/dram/controller.h"
#include "memory/dram/energy.h"
#include "memory/dram/latency.h"

namespace tokencycle::memory {

inline constexpr std::uint32_t kLargestDramRequest = 1 << 20;  // bytes
inline constexpr Clock kLastArrival = (Clock{1} << 42) - 1;    // the latest clock a request may name

// `at`: the clock of the memory's command clock at which the request arrives at the earliest.
struct DramRequestAt {
  std::uint64_t address = 0;  // a byte of it
  Clock at = 0;
  bool write = false;
  std::uint32_t bytes =
      0;  // from the address on; 0: the aligned block of the replay's request_bytes around it
};

class DramRequestSource {
 public:
  virtual ~DramRequestSource() = default;
  // The next request, in order of arrival; false after the last.
  virtual bool next(DramRequestAt& request) = 0;
};

class DramCommandSink {
 public:
  virtual ~DramCommandSink() = default;
  // In order of clock, then channel.
  virtual void commanded(std::uint32_t channel, const DramCommandRecord& record) = 0;
};

struct DramChannelResult {
  DramCounters counters;
  std::vector<DramBankCounters> banks;  // rank by rank, bank group by bank group
  // Clocks in which a data bus carries a burst; with pseudo-channels in which at least one of theirs does.
  Clock busy = 0;
  std::array<Clock, kDramWaits> idle{};  // all other clocks, by what the controller waits for
  Clock transfers = 0;                   // bursts times their clocks on the bus
  std::uint64_t open_bank_clocks = 0;    // sum over the banks
  std::uint64_t refreshing_clocks = 0;   // in which a refresh keeps a bank from use, sum over the banks
  std::optional<DramEnergyUse> energy;   // nothing when the preset has none
};

struct DramReplayResult {
  // Until the last data of a read or the last command of a write, whichever is later. All that follows is
  // counted in these clocks.
  Clock clocks = 0;
  std::uint64_t requests = 0, bursts = 0;
  std::uint64_t request_bytes = 0;
  Clock stalled = 0;  // clocks that requests waited for room in a queue, each holding those behind it
  // Of requests, from arrival in the queue to the last data of a read, the last command of a write.
  DramLatencies reads, writes;
  std::vector<DramChannelResult> channels;

  std::uint64_t sized = 0;         // requests with bytes of their own
  std::uint64_t useful_bytes = 0;  // of the requests, each with its own bytes
  std::uint32_t burst_bytes = 0;

  // In whole bursts, also those that a queue served: forwarded reads, coalesced writes.
  std::uint64_t requested_bytes() const { return bursts * burst_bytes; }
  // In bursts that crossed the data buses; what is set against their peak.
  std::uint64_t moved_bytes() const { return counters().moved() * burst_bytes; }
  // Sums over the channels.
  DramCounters counters() const;
  std::optional<DramEnergyUse> energy() const;
};

struct DramReplayOptions {
  // A power of two, at least a burst. A request is the block of so many bytes, aligned to their number, that
  // holds its address.
  std::uint32_t request_bytes = 64;
};

// One request a clock arrives at most, not before its own clock, and when the queue has room for its first
// burst; its further bursts arrive in the same clock, or as there is room for them. It holds those behind it.
// Throws UsageError for a size that is not allowed, and what the source throws.
DramReplayResult replay(const config::DramSystem& system, DramRequestSource& source,
                        const DramReplayOptions& options = {}, DramCommandSink* commands = nullptr);

}  // namespace tokencycle::memory
