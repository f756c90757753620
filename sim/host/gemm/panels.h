// SPDX-License-Identifier: Apache-2.0
// Operands of a product rearranged into the panels that a plan expects in DRAM.
#pragma once

#include <cstddef>
#include <vector>

#include "host/gemm/values.h"

namespace tokencycle::host {

// [unit][row][depth of the unit]
std::vector<std::byte> moving_panels(const compiler::GemmMapping& map, const GemmOperand& operand);
// [tile][unit][depth][columns], in order nk [tile][unit][columns][depth]
std::vector<std::byte> held_panels(const compiler::GemmMapping& map, const GemmOperand& operand);

}  // namespace tokencycle::host
