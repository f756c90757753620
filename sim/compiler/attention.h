// SPDX-License-Identifier: Apache-2.0
// Attention over the KV cache: append, scores, softmax, weighted sum of values.
#pragma once

#include "compiler/lowering.h"

namespace tokencycle::compiler {

// fp32 rows of a step: q and k rotated, o the result (it may take q's place).
struct AttentionRows {
  Rows q, k, v, o;
};

// Emits the operator `index` of the graph. Appends k and v to the layer's cache in DRAM; this step reads its
// new rows from the scratchpad, so that it does not wait for the stores.
void emit_attention(Builder& builder, const StepContext& context, const AttentionRows& rows,
                    std::uint32_t index);

}  // namespace tokencycle::compiler
