// SPDX-License-Identifier: Apache-2.0
// A DMA engine's way into the scratchpad.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/quantity.h"
#include "config/machine.h"

namespace tokencycle::machine {

// In a cycle up to `bursts_per_cycle` accesses, `port_bytes` together, in the order in which they were asked
// for.
class DmaPort {
 public:
  explicit DmaPort(const config::Dma& dma)
      : width_(dma.port_bytes), accesses_a_cycle_(dma.bursts_per_cycle) {}

  // The first cycle not before `earliest` that has room for an access of `bytes` (at most port_bytes).
  Cycle next(Cycle earliest, std::uint32_t bytes) const {
    if (earliest > cycle_) return earliest;
    return accesses_ < accesses_a_cycle_ && bytes_ + bytes <= width_ ? cycle_ : cycle_ + 1;
  }
  // The scratchpad's banks took it at `granted`, at next() or later.
  void took(Cycle granted, std::uint32_t bytes) {
    if (granted > cycle_) {
      cycle_ = granted;
      accesses_ = bytes_ = 0;
    }
    ++accesses_;
    bytes_ += bytes;
  }

  template <class Archive>
  void serialize(Archive& state) {
    state(cycle_, accesses_, bytes_);
  }

 private:
  std::uint32_t width_, accesses_a_cycle_;
  Cycle cycle_;                             // of the last access
  std::uint32_t accesses_ = 0, bytes_ = 0;  // in it
};

}  // namespace tokencycle::machine
