// SPDX-License-Identifier: Apache-2.0
// How long a compiled step will take, counted from its words: what batches are compared by. The simulation
// counts.
#pragma once

#include "config/machine.h"
#include "isa/program.h"

namespace tokencycle::compiler {

// Cycles: for each operator the longer of what its units do one after the other (matrix and vector work waits
// for each other's results) and of what its transfers take at DRAM's peak.
double estimated_cycles(const isa::Program& program, const config::Machine& machine);

}  // namespace tokencycle::compiler
