// SPDX-License-Identifier: Apache-2.0
// A whole product as a program: loads that run ahead, tiles in hardware loops, stores behind the next block.
#pragma once

#include <vector>

#include "compiler/gemm_plan.h"
#include "isa/encoding.h"

namespace tokencycle::compiler {

// The words; they go to plan.dram.program. Throws ConfigurationError when they do not fit the DRAM, or would
// be more than the host should hold.
std::vector<isa::Word> compile_gemm(const config::Machine& machine, const GemmPlan& plan);

}  // namespace tokencycle::compiler
