// SPDX-License-Identifier: Apache-2.0
// The area of a machine's chip, block by block, from a technology's figures: cells, registers, memories. Not
// in it: clock tree, power grid, empty places, pads but those of DRAM, test logic, host interface.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "config/machine.h"
#include "config/technology/technology.h"

namespace tokencycle::config {

enum class Block : std::uint8_t { matrix, accumulator, scratchpad, vector, control, dma, dram_interface };
inline constexpr int kBlocks = static_cast<int>(Block::dram_interface) + 1;
std::string_view name_of(Block block);

struct ChipArea {
  std::array<Range, kBlocks> um2{};  // of all cores
  std::uint64_t sram_bits = 0;

  const Range& operator[](Block block) const { return um2[static_cast<std::size_t>(block)]; }
  Range total_um2() const;
  Range sram_um2() const { return (*this)[Block::accumulator] + (*this)[Block::scratchpad]; }
};

ChipArea chip_area(const Machine& machine, const Technology& technology);

// An SRAM of one port, or of a read and a write port.
Range sram_um2(const Technology& technology, double bits, bool second_port);
// pJ of one access to a word of `width_bits` in an SRAM of `kib`: between the figures, both axes logarithmic,
// and beyond them with the slope of the nearest two.
Range sram_access_pj(const Technology& technology, double kib, double width_bits, bool second_port);

// Bits of one operand that a cell of the array holds for the type.
std::uint32_t operand_bits(MultiplyType type);
Quantity multiply_pj(MultiplyType type);
// The adder behind a multiplier: int32 sums of integers, fp32 sums of the others.
bool sums_integers(MultiplyType type);

}  // namespace tokencycle::config
