// SPDX-License-Identifier: Apache-2.0
// What the vector unit computes, row by row, as numerics/README.md defines it. Values only, no time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "isa/instruction.h"

namespace tokencycle::machine {

// The operands of one vector instruction: memory from its addresses a, b and dst on. `b` is empty where the
// opcode has none.
struct VectorOperands {
  std::span<const std::byte> a, b;
};

// Executes all rows into `result`: dst rows one after the other, each dst_row_bytes() long. The caller puts
// them at their strides when the instruction finishes.
void execute_vector(const isa::Instruction& instruction, const VectorOperands& operands,
                    std::vector<std::byte>& result);

// Bytes of one destination row, and the number of destination rows (transpose has one for each source
// column).
std::size_t dst_row_bytes(const isa::Instruction& instruction);
std::size_t dst_rows(const isa::Instruction& instruction);

}  // namespace tokencycle::machine
