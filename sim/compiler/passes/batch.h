// SPDX-License-Identifier: Apache-2.0
// How many tokens of a prompt one step holds, and how many are worth holding: each step reads the weights
// once.
#pragma once

#include "compiler/compiler.h"
#include "compiler/passes/demands.h"

namespace tokencycle::compiler {

// The largest batch whose plan is comfortable; 1 when none is. At most options.max_batch, where that is
// given.
std::uint32_t largest_batch(const Demands& demands, const config::Machine& machine, const Options& options);

// How many sequences a step can hold, a token of each at the end of the context; at least one.
std::uint32_t most_sequences(const Demands& demands, const config::Machine& machine, const Options& options);

// The tokens from which on multiplying takes longer than reading the weights from DRAM at its peak: less of
// them leave the array idle. 0: the graph has no weights to read again.
std::uint32_t useful_batch(const model::Graph& graph, const config::Machine& machine);

// KiB of the smallest scratchpad, in whole rows of its banks, with which largest_batch() is at least
// `tokens`; 0 where none is enough: something else is the limit. options.max_batch is left out of account.
std::uint32_t scratchpad_for_batch(const Demands& demands, const config::Machine& machine,
                                   const Options& options, std::uint32_t tokens);

}  // namespace tokencycle::compiler
