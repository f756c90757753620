// SPDX-License-Identifier: Apache-2.0
// Parts of the result document (sim/cli/README.md), each alone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "host/inference.h"
#include "host/result/result.h"

namespace tokencycle::host {

using Json = nlohmann::ordered_json;

Json stack_json(const observe::Stack& stack);   // all causes
Json causes_json(const observe::Stack& stack);  // those that occur

// operators[]: cycles and instructions of each operator, by phase; with `causes` also their causes, work and
// kinds of instructions, which a run counts when InferenceOptions::record says so.
Json operators_json(const model::LlamaModel& model, const config::Machine& machine, const RunReport& report,
                    bool causes);

// timeline, up to the last step's end; null where nothing was recorded.
// Of each phase: its tokens, cycles, and what DRAM moved and took for them.
Json phases_json(const config::Machine& machine, const RunReport& report);
Json timeline_json(Inference& inference);

// pipeline: one token's instructions; null where none were recorded.
Json pipeline_json(const Inference& inference);

}  // namespace tokencycle::host
