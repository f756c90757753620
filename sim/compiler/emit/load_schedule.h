// SPDX-License-Identifier: Apache-2.0
// Where the loads of the ring go: as early as their bytes are free, without making decode wait.
#pragma once

#include "compiler/emit/builder.h"

namespace tokencycle::compiler {

struct ScheduleLimits {
  std::uint32_t ahead = 8;  // loads between a load and the chunk in use: the load queue's depth
  std::uint32_t lag = 12;   // instructions executed after the last reader of a chunk before it is loaded
                            // over, so that the reader has left the array when decode meets the load
};

ScheduleLimits schedule_limits(const config::Machine& machine);

// Merges the loads into the words and fills words, sections and taps of `step` (operators are left alone).
void schedule_loads(const Draft& draft, const ScheduleLimits& limits, CompiledStep& step);

}  // namespace tokencycle::compiler
