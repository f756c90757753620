// SPDX-License-Identifier: Apache-2.0
// What the three kinds of register models are driven with.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "proof/operands.h"
#include "proof/waves.h"
#include "support/array_registers_dot.h"
#include "support/array_registers_output.h"
#include "support/array_registers_systolic.h"

namespace tokencycle::proof {

// What enters in which cycle; cycles without inputs are left out.
template <class Registers>
using Stimulus = std::map<std::uint64_t, typename Registers::Inputs>;

// Instruction i starts in cycle starts[i]. Throws RegisterFault when two values want one wire.
Stimulus<test::SystolicRegisters> drive_systolic(const Trial& trial, const test::SystolicRegisters& array,
                                                 std::span<const std::uint64_t> starts);
Stimulus<test::OutputRegisters> drive_output(const Trial& trial, const test::OutputRegisters& array,
                                             std::span<const std::uint64_t> starts);
Stimulus<test::DotRegisters> drive_dot(const Trial& trial, std::span<const std::uint64_t> starts);

// In which cycles behind the start of its instruction moving row m of a wave, and line i of a tile, are
// there.
std::vector<std::uint64_t> row_arrivals(const Trial& trial, const Wave& wave);
std::vector<std::uint64_t> line_arrivals(const Trial& trial, const isa::Instruction& preload);

// The word of a preloaded tile for cell (k, c); zero outside the tile. The last row of a group's segment
// carries the scale of its group.
test::Operand tile_word(const Trial& trial, const isa::Instruction& preload, std::uint32_t k,
                        std::uint32_t c);
// The same of moving row m.
test::Operand moving_word(const Trial& trial, const Wave& wave, std::uint32_t m, std::uint32_t k);
// The control bits of moving row m of the pass'th multiply.
test::RowControl row_control(const Trial& trial, const Wave& wave, std::size_t pass, std::uint32_t m);

}  // namespace tokencycle::proof
