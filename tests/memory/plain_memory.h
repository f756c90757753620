// SPDX-License-Identifier: Apache-2.0
// A machine's command-level memory done the plain way: every controller is advanced clock by clock, every
// cycle in turn. And the same requests through the Dram interface.
#pragma once

#include <functional>
#include <vector>

#include "memory/dram/dram.h"

namespace tokencycle::test {

// A burst that is asked for from a cycle on, behind all those before it in their list.
struct MemoryWish {
  std::uint64_t from = 0;
  memory::Burst burst;  // tag: its number in the list
};

struct BusChange {
  std::uint64_t cycle = 0;
  observe::State state = observe::State::idle;
  bool operator==(const BusChange&) const = default;
};

struct MemoryOutcome {
  std::vector<std::uint64_t> accepted, completed;  // by number, cycles
  std::vector<std::vector<BusChange>> changes;     // by channel, in order of time
  std::vector<std::uint64_t> bursts_moved;         // by channel, over the data bus; plain memory alone
  std::uint64_t end = 0;                           // a cycle in which nothing is left to be done
};

// Any number of bursts is accepted in a cycle, the first as soon as there is room.
MemoryOutcome run_plain(const config::Machine& machine, const std::vector<MemoryWish>& wishes);

// Through make_command_dram(), up to `end`. `leap` says by how many cycles time is let go on at most. Checks
// that notices come in order of time, completions of a cycle in order of channels, and that the state of the
// whole memory follows from those of the channels.
MemoryOutcome run_dram(const config::Machine& machine, const std::vector<MemoryWish>& wishes,
                       std::uint64_t end, const std::function<std::uint64_t()>& leap);

}  // namespace tokencycle::test
