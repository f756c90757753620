// SPDX-License-Identifier: Apache-2.0
// The host's clock, for progress and reports; nothing that is simulated sees it.
#pragma once

#include <chrono>

namespace tokencycle {

// Seconds since some fixed moment of this process.
inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace tokencycle
