// SPDX-License-Identifier: Apache-2.0
// A stream of requests through the controllers of a DRAM system, clock by clock: the rule of arrival in a
// plain loop, to hold memory::replay() against.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "memory/dram/replay.h"

namespace tokencycle::test {

using DramRequests = std::vector<memory::DramRequestAt>;

// Clock, channel, command, bank, row, column.
using DramCommandLine = std::tuple<memory::Clock, std::uint32_t, config::DramCommand, std::uint32_t,
                                   std::uint32_t, std::uint32_t>;
DramCommandLine command_line(std::uint32_t channel, const memory::DramCommandRecord& record);

struct DramSlowReplay {
  std::vector<DramCommandLine> commands;  // until the end, in order of clock, then channel
  std::vector<memory::Clock> read_latencies, write_latencies;  // sorted
  memory::Clock end = 0, stalled = 0;
};

// One request a clock arrives, in order, burst by burst as there is room; `bytes` of each.
DramSlowReplay slow_replay(const config::DramSystem& system, const DramRequests& requests,
                           std::uint32_t bytes);

}  // namespace tokencycle::test
