// SPDX-License-Identifier: Apache-2.0
// What the vector unit computes, row by row, as numerics/README.md defines it. Values only, no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "isa/vector/function.h"

namespace tokencycle::machine {

// The operands of one vector instruction: memory from its addresses a, b and dst on. `b` is empty where the
// opcode has none, `dst` where the result does not depend on it.
struct VectorOperands {
  std::span<const std::byte> a, b, dst = {};
};

// Executes all rows into `result`: rows one after the other, each isa::result_row_bytes() long. The caller
// puts them at their strides when the instruction finishes. Throws SimulationError for an index that is not
// below the extent.
void execute_vector(const isa::Instruction& instruction, const VectorOperands& operands,
                    std::vector<std::byte>& result);

// The rows of dst that the rows of a result belong to.
std::vector<std::uint32_t> rows_of_result(const isa::Instruction& instruction, std::span<const std::byte> b);

}  // namespace tokencycle::machine
