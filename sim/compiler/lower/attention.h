// SPDX-License-Identifier: Apache-2.0
// Attention over the KV cache: append, scores, softmax, weighted sum of values.
#pragma once

#include "compiler/lower/step.h"

namespace tokencycle::compiler {

// Emits a stage of the kind attention. When it has the appends of its keys and values, it reads this step's
// new rows from the scratchpad, so that it does not wait for their stores; else it reads all rows from DRAM.
void emit_attention(Builder& builder, const StepContext& context, std::uint32_t stage);

}  // namespace tokencycle::compiler
