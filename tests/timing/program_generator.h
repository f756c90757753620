// SPDX-License-Identifier: Apache-2.0
// Random valid programs: DMA, matrix and vector instructions, loop nests, fences.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "config/machine.h"
#include "isa/program.h"
#include "timing/random_machine.h"

namespace tokencycle::timing {

// DRAM that programs read and write: [0, kDataBytes).
inline constexpr std::uint32_t kDataBytes = 0x10000;

// A part of a memory that holds units (numbers, or blocks) of one format one after the other. Programs
// read and write it as that format alone, so that no bit pattern is ever misread as a NaN.
struct Area {
  Format format = Format::f32;
  std::uint32_t base = 0, units = 0;  // base: bytes, of any alignment
  std::uint32_t bytes() const { return units * block_bytes(format); }
};

// Formats whose encoded units hold a block of values and its scale.
constexpr bool in_blocks(Format f) {
  return is_scaled(f);
}

// The areas of one memory, one of each format (of the accumulator memory: f32, and u32 for int32 sums).
using Areas = std::vector<Area>;

struct GeneratedProgram {
  isa::Program program;
  Areas dram_areas, scratchpad_areas, accumulator_areas;
};

// A program that runs to its halt on `machine`, with data in all DRAM areas. Deterministic.
GeneratedProgram generate_program(Random& random, const config::Machine& machine);
// The same of loops whose bodies are matrix instructions alone, with loads before and others behind them.
GeneratedProgram generate_matrix_loops(Random& random, const config::Machine& machine);

}  // namespace tokencycle::timing
