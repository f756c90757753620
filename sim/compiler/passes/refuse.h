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

// Arrays that take one k value at a time, for integers that lie two a byte.
void refuse_thin_arrays(const model::Graph& graph, const config::Machine& machine);

// Rows and strides that an instruction's fields cannot hold.
void refuse_large_shapes(const Demands& demands, std::uint32_t context);

// Accumulator memory and scratchpad too small for one token at the end of the context.
void refuse_small_memories(const Demands& demands, const config::Machine& machine, std::uint32_t context);

// Rows in DRAM, `rows` of them: a scratchpad in which no tile meets them, and a program too long for the
// host.
void refuse_streams(const Demands& demands, const config::Machine& machine, std::uint32_t rows);
void refuse_long_programs(const Demands& demands, const config::Machine& machine, std::uint32_t rows);

// More sequences than a step can hold a token of. Throws UsageError for none.
void refuse_many_sequences(const Demands& demands, const config::Machine& machine, const Options& options);

// DRAM smaller than the layout.
void refuse_small_dram(const Demands& demands, const DramLayout& layout, const config::Machine& machine);

}  // namespace tokencycle::compiler
