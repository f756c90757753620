// SPDX-License-Identifier: Apache-2.0
// Operators whose state has rows of its own: it is read from DRAM and written back once a step.
#pragma once

#include "compiler/lower/step.h"

namespace tokencycle::compiler {

// Of a convolution, tap after tap for all tokens at once, block by block of the columns. `room`: as
// passes/plan.h says.
void emit_convolution(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room);

// Of a delta rule, head by head and block by block of the state's rows, which stay in the ring for all
// tokens.
void emit_delta_rule(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room);

// Of an LSTM or GRU cell, token after token: each reads the weight again and waits for the row before it.
void emit_cell(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room);

}  // namespace tokencycle::compiler
