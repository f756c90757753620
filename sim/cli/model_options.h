// SPDX-License-Identifier: Apache-2.0
// The options of a model's run, which `run`, `compare` and `compile` share.
#pragma once

#include "cli/options.h"
#include "host/model_run.h"

namespace tokencycle::cli {

// Adds the options that these functions read.
void add_model_options(OptionParser& parser);
// On standard error which experts a run without values takes, where the model has any and nothing says it.
void say_experts(const model::LlamaModel& model, const host::ModelRequest& request);
// Sampler, tokens, formats and clocking. Throws UsageError.
host::RunSettings settings_of(const OptionParser& parser);
// The format that --kv-type names. Throws UsageError.
Format cache_format_of(const OptionParser& parser);
// All of them. Throws UsageError for contradictions, and without -m where there is no bundled model.
host::ModelRequest model_request_of(const OptionParser& parser);

}  // namespace tokencycle::cli
