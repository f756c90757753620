// SPDX-License-Identifier: Apache-2.0
// What the vector unit computes, row by row, as numerics/README.md defines it. Values only, no time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "isa/vector/function.h"

namespace tokencycle::machine {

// The operands of one vector instruction: memory from its addresses a, b and dst on. `b` is empty where the
// opcode has none.
struct VectorOperands {
  std::span<const std::byte> a, b;
};

// Executes all rows into `result`: isa::result_rows() rows one after the other, each isa::result_row_bytes()
// long. The caller puts them at their strides when the instruction finishes.
void execute_vector(const isa::Instruction& instruction, const VectorOperands& operands,
                    std::vector<std::byte>& result);

}  // namespace tokencycle::machine
