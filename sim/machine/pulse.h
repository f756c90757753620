// SPDX-License-Identifier: Apache-2.0
// What is called now and then while the machine runs: to look at the wall clock, or whether to continue.
#pragma once

#include <functional>

#include "base/quantity.h"

namespace tokencycle::machine {

// `now`: the cycle that is over. What it throws ends the run there.
using Pulse = std::function<void(Cycle now)>;
inline constexpr std::uint64_t kPulseEdges = 256;  // delivered edges from one call to the next: about 0.1 ms

}  // namespace tokencycle::machine
