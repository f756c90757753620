// SPDX-License-Identifier: Apache-2.0
// Addresses in the scratchpad for everything that lives there at some moment: intervals of time and of bytes.
#pragma once

#include <cstdint>

#include "compiler/passes/liveness.h"
#include "compiler/passes/plan.h"

namespace tokencycle::compiler {

// fp32 values take the lowest free bytes, encoded forms and the rooms of stages those nearest the region's
// end. What a stage reads then lies at one end and what it makes at the other, and the region is as large as
// the moment that needs most.
struct Placement {
  Plan plan;                      // without a ring
  std::uint64_t bytes = 0;        // of the region
  std::uint64_t gated_bytes = 0;  // what the moments need at which a gated stage's block has an influence
};

Placement place(const Demands& demands, const Liveness& live, std::uint32_t tokens, std::uint32_t positions,
                const std::vector<AttentionBlock>& blocks, std::uint32_t gated_block);

}  // namespace tokencycle::compiler
