// SPDX-License-Identifier: Apache-2.0
// The passes that each vector opcode makes over a row.
#pragma once

#include <initializer_list>
#include <span>

#include "config/machine.h"
#include "isa/instruction.h"

namespace tokencycle::machine {

struct VectorPass {
  std::span<const config::VectorFunction> chain;  // what each beat goes through
  bool reads_b = false;
  bool writes = false;  // else the pass ends in a value for the row, which the next pass waits for
};

// In order of execution; a convert into a block format needs the block's largest value first.
std::span<const VectorPass> passes_of(const isa::Instruction& instruction);

}  // namespace tokencycle::machine
