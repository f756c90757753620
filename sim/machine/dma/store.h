// SPDX-License-Identifier: Apache-2.0
// The store DMA: strided blocks from the scratchpad or the accumulator memory to DRAM, with conversion.
#pragma once

#include <span>
#include <vector>

#include "machine/dma/engine.h"

namespace tokencycle::machine {

class StoreDma : public DmaEngine {
 public:
  // The index-th of its core.
  StoreDma(const DmaContext& context, std::uint32_t index);

 private:
  BurstWalk walk_of(const isa::Instruction& instruction) const override;
  // Reads and converts the piece's elements; it can be issued when they have been read.
  Cycle prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t tag) override;
  // The write is acknowledged: the bytes are in DRAM, unless there are no values.
  Cycle land(Cycle now, const InFlight& entry, std::uint64_t offset, const memory::Burst& burst) override;
  // Appends bytes [skip, skip + bytes) of the encoded elements in the instruction's DRAM format.
  static void convert(const isa::Instruction& instruction, std::span<const std::byte> encoded,
                      std::uint64_t skip, std::uint64_t bytes, std::vector<std::byte>& out);

  std::vector<std::vector<std::byte>> data_;  // by burst tag
};

}  // namespace tokencycle::machine
