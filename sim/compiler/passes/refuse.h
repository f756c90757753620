// SPDX-License-Identifier: Apache-2.0
// What a machine cannot run is refused before anything is compiled, by name. All throw ConfigurationError.
#pragma once

#include "compiler/compiler.h"
#include "compiler/passes/demands.h"

namespace tokencycle::compiler {

// Multiplier types: every weight's and the KV cache's.
void refuse_missing_types(const model::Graph& graph, const config::Machine& machine, Format kv_format);

// What no pass knows how to do.
void refuse_graph(const model::Graph& graph);

// Rows and strides that an instruction's fields cannot hold.
void refuse_large_shapes(const Demands& demands, std::uint32_t context);

// Accumulator memory and scratchpad too small for one token at the end of the context.
void refuse_small_memories(const Demands& demands, const config::Machine& machine, std::uint32_t context);

// DRAM smaller than the layout.
void refuse_small_dram(const DramLayout& layout, const config::Machine& machine);

}  // namespace tokencycle::compiler
