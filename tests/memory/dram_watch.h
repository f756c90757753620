// SPDX-License-Identifier: Apache-2.0
// A DRAM controller driven with requests at given clocks, and everything that it tells.
#pragma once

#include <ostream>
#include <span>
#include <vector>

#include "memory/dram_reference.h"

namespace tokencycle::test {

struct DramWaitChange {
  memory::Clock from = 0;
  memory::DramWait wait = memory::DramWait::nothing;
  bool operator==(const DramWaitChange&) const = default;
};
std::ostream& operator<<(std::ostream& out, const DramWaitChange& change);

struct DramBusUse {
  memory::Clock begin = 0, end = 0;
  bool write = false;
  bool operator==(const DramBusUse&) const = default;
};
std::ostream& operator<<(std::ostream& out, const DramBusUse& use);

struct DramWatched {
  std::vector<memory::DramCommandRecord> commands;
  std::vector<DramWaitChange> waits;
  std::vector<DramBusUse> bus;
  std::vector<memory::Clock> accepted, completed;  // of each arrival
  std::vector<bool> queued;                        // neither forwarded nor coalesced
  memory::DramCounters counters;
  std::vector<memory::DramBankCounters> banks;
  std::uint64_t open_bank_clocks = 0, refreshing_bank_clocks = 0;  // up to `until`
};

// Arrivals are accepted in order, any number in a clock, each as soon as its queue has room. Then the
// controller is advanced to `until`. `record_commands`: otherwise long idle times are skipped.
DramWatched watch(const config::DramSystem& system, std::span<const DramArrival> arrivals,
                  memory::Clock until, DramAdvance how = DramAdvance::leap, bool record_commands = true);

}  // namespace tokencycle::test
