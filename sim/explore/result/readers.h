// SPDX-License-Identifier: Apache-2.0
// Reading a result, part by part: used by read_result alone.
#pragma once

#include "explore/result/document.h"
#include "explore/result/node.h"

namespace tokencycle::explore {

// Each reads one field of the document into the result and checks it with what was read before: tokens, then
// stack and cycles, then the parts that sum to these.
void read_tokens(const Node& document, Result& result);
void read_operators(const Node& document, Result& result);
void read_units(const Node& document, Result& result);
void read_energy(const Node& energy, Result& result);
// Behind prompt, tokens and operators.
void read_technology(const Node& document, Result& result);
// Behind tokens, counters and energy, with which its sums are compared.
void read_phases(const Node& phases, Result& result);
void read_timeline(const Node& timeline, Result& result);
void read_pipeline(const Node& pipeline, Result& result);

}  // namespace tokencycle::explore
