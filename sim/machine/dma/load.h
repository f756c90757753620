// SPDX-License-Identifier: Apache-2.0
// The load DMA: strided and gathered blocks from DRAM to the scratchpad.
#pragma once

#include "machine/dma/engine.h"

namespace tokencycle::machine {

class LoadDma : public DmaEngine {
 public:
  // The index-th of its core.
  LoadDma(const DmaContext& context, std::uint32_t index);

 private:
  BurstWalk walk_of(const isa::Instruction& instruction) const override;
  // A gathered row needs its index from the scratchpad before its first burst.
  Cycle prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t tag) override;
  // Writes the burst's bytes through the engine's scratchpad port. Without values, bytes that the host never
  // wrote take their time and stay where they are.
  Cycle land(Cycle now, const InFlight& entry, std::uint64_t offset, const memory::Burst& burst) override;
};

}  // namespace tokencycle::machine
