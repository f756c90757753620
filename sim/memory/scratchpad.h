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

  template <class Archive>
  void serialize(Archive& state) {
    state(accesses, bytes, conflict_cycles);
  }
};

// Arbitration is by age: an access belongs to the burst of accesses (a DMA burst, a tile's preload, a pass of
// a vector operation) that its unit began in some cycle, and at each bank the burst that began earlier wins;
// within one cycle the machine's evaluation order decides. An older burst is never delayed by a younger one,
// so the cycles of its accesses are final when it begins: it reserves them, and a younger burst takes the
// first cycles in which all banks that it needs are free. This is what a per-cycle oldest-first arbiter does.
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

  std::span<std::byte> bytes() { return bytes_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  const PortCounters& counters(Port port) const { return counters_[static_cast<std::size_t>(port)]; }
  template <class Archive>
  void serialize(Archive& state) {
    serialize_bytes(state, bytes_);
    state(slots_, base_, counters_);
  }

 private:
  struct Slot {
    std::uint64_t reads = 0, writes = 0;  // banks taken; one mask for both when the banks have one port
    template <class Archive>
    void serialize(Archive& state) {
      state(reads, writes);
    }
  };
  std::uint64_t bank_mask(std::uint32_t first_word, std::uint32_t words) const;
  Cycle take(Cycle earliest, std::uint64_t mask, bool write);
  void forget_before(Cycle now);
  void grow(std::uint64_t slots);

  std::vector<std::byte> bytes_;
  std::uint32_t banks_, bank_shift_, read_latency_;
  bool separate_write_port_;
  std::uint64_t all_banks_;             // mask
  std::vector<Slot> slots_;             // ring over future cycles, power of two long
  Cycle base_;                          // slots before it are free again
  std::vector<PortCounters> counters_;  // by Port
};

}  // namespace tokencycle::memory
