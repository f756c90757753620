// SPDX-License-Identifier: Apache-2.0
// What goes into a DRAM channel's controller and what it reports: requests, commands, completions, waits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "memory/dram/banks.h"

namespace tokencycle::memory {

// One burst for the controller.
struct DramRequest {
  std::uint64_t id = 0;  // the caller's; equal addresses are recognised by bank, row and column
  bool write = false;
  std::uint32_t bank = 0, row = 0, column = 0;  // bank of the channel; column: burst of the row

  template <class Archive>
  void serialize(Archive& state) {
    state(id, write, bank, row, column);
  }
};

// A command as given, by its first clock.
struct DramCommandRecord {
  Clock clock = 0;
  DramCommand command = DramCommand::activate;
  std::uint32_t bank = 0, row = 0, column = 0;
};

// A read as given.
struct DramTransfer {
  Clock at = 0;  // its command
  const DramRequest* request = nullptr;
};

// What the next transfer waits for. In a clock that gives a transfer: bandwidth, or nothing if that was the
// last request. In other clocks, if a request that is free to go has its row open, the one whose transfer
// can come first counts, by the constraint that puts it off longest; if none has, the command that comes
// first.
enum class DramWait : std::uint8_t {
  nothing = 0,   // no request waits
  bandwidth,     // transfers in the same direction and the command bus alone put it off, if anything does
  bank_busy,     // a closed row is being opened, or its bank or rank does not take the command for it yet
  row_conflict,  // the same for a request for which another row had to be closed, and that precharge itself
  turnaround,    // a transfer in the other direction puts it off longest
  refresh,       // the next command is one of a refresh, or an activation put off longest by a refresh
};
inline constexpr int kDramWaits = 6;
std::string_view name_of(DramWait wait);  // "nothing", "bandwidth", "bank_busy", ...

class DramListener {
 public:
  virtual ~DramListener() = default;
  // Reads: their last data; writes: their command, from which on the data is the memory's.
  virtual void completed(std::uint64_t id, Clock clock) = 0;
  virtual void commanded(const DramCommandRecord&) {}
  // True if commanded() must be called for every refresh, also when a long idle time is skipped.
  virtual bool wants_commands() const { return false; }
  // The data bus carries a burst in clocks [begin, end); reported when its command is given. With
  // pseudo-channels, whose buses are apart, intervals may overlap.
  virtual void transferring(Clock /*begin*/, Clock /*end*/, bool /*write*/) {}
  // Of several reads in order of their commands, what the three functions above say of each. Data begin
  // `latency` less `clocks` after the command and end `latency` after it.
  virtual void transferred(std::span<const DramTransfer> reads, Clock latency, Clock clocks) {
    for (const DramTransfer& t : reads) {
      const DramRequest& r = *t.request;
      commanded({t.at, DramCommand::read, r.bank, r.row, r.column});
      transferring(t.at + latency - clocks, t.at + latency, false);
      completed(r.id, t.at + latency);
    }
  }
  // Of one read the same.
  virtual void transferred(const DramTransfer& read, Clock latency, Clock clocks) {
    transferred(std::span(&read, 1), latency, clocks);
  }
  // From clock `from` on the controller waits for this; reported when it changes, in order of time. The first
  // clocks wait for nothing.
  virtual void waiting(Clock /*from*/, DramWait /*wait*/) {}
  // True if it needs waiting(); asked once, since deciding it takes time.
  virtual bool wants_waits() const { return true; }
};

struct DramCounters {
  std::uint64_t reads = 0, writes = 0, forwarded = 0, coalesced = 0;
  std::uint64_t hits = 0, misses = 0, conflicts = 0;  // of requests, by the first command given for them
  std::uint64_t turnarounds = 0;                      // transfers in the other direction than the one before
  std::array<std::uint64_t, config::kDramCommands> commands{};

  // Bursts that the data buses carry.
  std::uint64_t moved() const { return reads - forwarded + writes - coalesced; }
  template <class Archive>
  void serialize(Archive& state) {
    state(reads, writes, forwarded, coalesced, hits, misses, conflicts, turnarounds, commands);
  }
};
DramCounters& operator+=(DramCounters& sum, const DramCounters& more);

// Requests by their bank, as DramCounters has them for the channel.
struct DramBankCounters {
  std::uint64_t reads = 0, writes = 0, hits = 0, misses = 0, conflicts = 0, activations = 0;

  template <class Archive>
  void serialize(Archive& state) {
    state(reads, writes, hits, misses, conflicts, activations);
  }
};

}  // namespace tokencycle::memory
