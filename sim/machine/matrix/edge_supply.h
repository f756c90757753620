// SPDX-License-Identifier: Apache-2.0
// The operands of an output-stationary array: both are read while they stream through.
#pragma once

#include "config/machine.h"
#include "machine/matrix/dataflow.h"
#include "memory/scratchpad.h"

namespace tokencycle::machine {

// When the operands of one matmul enter.
struct EdgeTiming {
  Cycle entered;  // all operands have entered at the array's corner
  Cycle next;     // the next matmul may start
  Cycle nominal;  // `next`, had no bank conflict delayed a read
  Cycle plain;    // and had no decode stage
};

// k values that an edge buffer takes from a row at once: a row of every line of the array can be read, one
// line a cycle, while the array consumes so many.
std::uint32_t edge_chunk(const config::Matrix& matrix);

struct EdgePorts {
  memory::Port stationary = memory::Port::stationary, moving = memory::Port::moving;
};

// Reserves the reads of a matmul that starts at `now`. Each array row has an edge buffer for a chunk of its
// operand, two when double-buffered, and so has each column; a chunk is read row by row, which is also how
// the wave needs it.
EdgeTiming reserve_edges(memory::Scratchpad& scratchpad, const EdgePorts& ports, const config::Matrix& matrix,
                         Cycle now, const isa::Instruction& matmul, std::uint64_t step);

}  // namespace tokencycle::machine
