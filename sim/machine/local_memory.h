// SPDX-License-Identifier: Apache-2.0
// The core's own memories as its units address them: the scratchpad and the accumulator memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/state.h"
#include "isa/instruction.h"
#include "memory/scratchpad.h"

namespace tokencycle::machine {

// Contents and, for the scratchpad, the arbiter. The accumulator memory has a port of its own for each of the
// array and the vector/store side, so its accesses meet no conflict. Ranges were checked at decode.
class LocalMemory {
 public:
  LocalMemory(memory::Scratchpad& scratchpad, std::uint32_t accumulator_bytes)
      : scratchpad_(scratchpad), accumulator_(accumulator_bytes) {}

  memory::Scratchpad& scratchpad() { return scratchpad_; }
  std::span<std::byte> at(isa::LocalAddress address, std::size_t bytes) {
    const std::span<std::byte> all = address.in_accumulator() ? std::span(accumulator_) : scratchpad_.bytes();
    return all.subspan(address.byte(), bytes);
  }
  template <class Archive>
  void serialize(Archive& state) {
    state(scratchpad_);
    serialize_bytes(state, accumulator_);
  }

 private:
  memory::Scratchpad& scratchpad_;
  std::vector<std::byte> accumulator_;
};

}  // namespace tokencycle::machine
