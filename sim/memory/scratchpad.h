// SPDX-License-Identifier: Apache-2.0
// The scratchpad: banks, ports and the arbiter. A plain class; time comes in with every call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/quantity.h"
#include "base/state.h"
#include "config/machine.h"

namespace tokencycle::memory {

// Who is charged for what; index of the counters. The ports of further units of a core follow.
enum class Port : std::uint8_t { load = 0, store, stationary, moving, vector, decode };
inline constexpr int kPorts = 6;  // kinds
// That of the n-th unit of its kind, from 0.
constexpr Port nth(Port port, std::uint32_t n) {
  return static_cast<Port>(static_cast<std::uint32_t>(port) + kPorts * n);
}

struct PortCounters {
  std::uint64_t accesses = 0, bytes = 0, conflict_cycles = 0;

  void add(const PortCounters& more) {
    accesses += more.accesses;
    bytes += more.bytes;
    conflict_cycles += more.conflict_cycles;
  }
  PortCounters since(const PortCounters& before) const {
    return {accesses - before.accesses, bytes - before.bytes, conflict_cycles - before.conflict_cycles};
  }
  template <class Archive>
  void serialize(Archive& state) {
    state(accesses, bytes, conflict_cycles);
  }
};

// Accesses at equal distances in time and in memory: number i wants [address + i * stride, + bytes) in the
// cycle first + i * interval.
struct AccessRun {
  Cycle first;
  std::uint32_t count = 0, interval = 1;  // cycles, at least 1
  std::uint32_t address = 0, stride = 0, bytes = 0;

  Cycle last() const { return first + std::uint64_t{count - 1} * interval; }
  // Without its first accesses.
  void skip(std::uint32_t accesses) {
    first = first + std::uint64_t{accesses} * interval;
    address += accesses * stride;
    count -= accesses;
  }
  template <class Archive>
  void serialize(Archive& state) {
    state(first, count, interval, address, stride, bytes);
  }
};

// Arbitration is by age: an access belongs to the burst of accesses (a DMA burst, a tile's preload, a pass of
// a vector operation) that its unit began in some cycle, and at each bank the burst that began earlier wins;
// within one cycle the machine's evaluation order decides. An older burst is never delayed by a younger one,
// so the cycles of its accesses are final when it begins: it reserves them, and a younger burst takes the
// first cycles in which all banks that it needs are free. This is what a per-cycle oldest-first arbiter does.
//
// The calendar of what is taken has two parts: single cycles, and whole runs of reads, which cost as much as
// one access however long they are.
class Scratchpad {
 public:
  // For `units` units of each kind at most.
  explicit Scratchpad(const config::Scratchpad& description, std::uint32_t units = 1);

  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  std::uint32_t read_latency() const { return read_latency_; }

  // Reserves the banks of [address, address + bytes) at the first cycle not before `earliest`. An access that
  // needs a bank twice takes a further cycle. Returns the cycle of the (last) grant. `now` is the
  // current cycle: no later call may ask for an earlier one.
  Cycle reserve(Port port, Cycle now, Cycle earliest, std::uint32_t address, std::uint32_t bytes, bool write);
  // Reserves as many of the reads, from the first on, as get the very cycles that they want, and returns how
  // many; the next one, if any is left, finds a bank taken, or it has to be asked for alone. Same as that
  // many calls of reserve().
  std::uint32_t reserve_run(Port port, Cycle now, const AccessRun& run);

  std::span<std::byte> bytes() { return bytes_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  // Addresses that differ by a multiple of this many bytes lie in the same places of the same banks.
  std::uint32_t bytes_around() const { return banks_ << bank_shift_; }
  // The calendar of what is taken after cycle `now`, which is over; runs with addresses in the first
  // bytes_around().
  template <class Archive>
  void serialize_calendar(Archive& state, Cycle now) {
    if constexpr (Archive::is_loading::value) {
      for (Cycle c = now + 1; c <= last_slot_; c += Cycle(1)) slot(c).cycle = kNever;
      runs_.clear();
      base_ = now;
    } else {
      forget_past(now);
    }
    std::uint64_t runs = runs_.size();  // NOLINT(misc-const-correctness): a loader changes it
    state(last_slot_, runs);
    runs_.resize(runs);
    for (TakenRun& r : runs_) state(r.run, r.last);
    for (Cycle at = now;;) {
      if constexpr (!Archive::is_loading::value) at = next_taken(at);
      state(at);
      if (at == kNever) break;
      Slot& s = claim(at);
      state(s.reads, s.writes);
    }
  }
  // What others did through a port, as this one would have counted it.
  void add(Port port, const PortCounters& more) { counters_[static_cast<std::size_t>(port)].add(more); }
  const PortCounters& counters(Port port) const { return counters_[static_cast<std::size_t>(port)]; }
  // Between two programs: no access is under way, so nothing of the calendar is left.
  template <class Archive>
  void serialize(Archive& state) {
    serialize_bytes(state, bytes_);
    state(base_, counters_);
    if constexpr (Archive::is_loading::value) clear();
  }

 private:
  struct Slot {
    Cycle cycle = kNever;                 // that it is about: a slot of another cycle is free
    std::uint64_t reads = 0, writes = 0;  // banks taken; one mask for both when the banks have one port
  };
  struct TakenRun {
    AccessRun run;
    Cycle last;
  };
  Slot& slot(Cycle c) { return slots_[c.value & (slots_.size() - 1)]; }
  std::uint64_t bank_mask(std::uint32_t first_word, std::uint32_t words) const;
  std::uint64_t mask_of(const AccessRun& run, std::uint32_t index) const;
  std::uint64_t period_of(const AccessRun& run) const;
  bool in_runs(Cycle c, std::uint64_t mask) const;
  std::uint32_t free_of(const AccessRun& run, const AccessRun& other) const;
  bool try_take(Cycle c, std::uint64_t mask, bool write);
  Cycle take(Cycle earliest, std::uint64_t mask, bool write);
  void grow();
  void clear();
  void forget_past(Cycle now);
  Cycle next_taken(Cycle after);  // kNever: there is none
  // The slot of a cycle to come, free if it was another's.
  Slot& claim(Cycle c) {
    Slot& s = slot(c);
    if (s.cycle != c) s = {c, 0, 0};
    return s;
  }

  std::vector<std::byte> bytes_;
  std::uint32_t banks_, bank_shift_, read_latency_;
  bool separate_write_port_;
  std::uint64_t all_banks_;             // mask
  std::vector<Slot> slots_;             // ring over future cycles, power of two long
  Cycle last_slot_;                     // no slot after it is taken
  std::vector<TakenRun> runs_;          // some of them may be over
  Cycle base_;                          // the current cycle: what was before it matters no more
  std::vector<PortCounters> counters_;  // by Port
};

}  // namespace tokencycle::memory
