// SPDX-License-Identifier: Apache-2.0
// The options of a model's run, which `run`, `compare` and `compile` share.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "host/model_run.h"

namespace tokencycle::cli {

// Adds the options that these functions read.
void add_model_options(OptionParser& parser);
// The prompts of each -p, of -f FILE, or one per line of --prompts; empty: none is given.
std::vector<std::string> prompts_of(const OptionParser& parser);
// The text of -p TEXT, -p @FILE, -p - or -f FILE. Throws UsageError for both, IoError.
std::optional<std::string> prompt_of(const OptionParser& parser);
// The file that a -m names. Throws UsageError for standard input.
std::filesystem::path named_model(const std::string& file);
// The file that -m names, else the bundled model. Throws UsageError where there is none.
std::filesystem::path model_path(const OptionParser& parser);
// The file that -m names, else the bundled model of this name. Throws UsageError where there is none.
std::filesystem::path named_or_bundled(const OptionParser& parser, const std::string& name);
// What --clock names. Throws UsageError.
machine::Clocking clocking_of(const OptionParser& parser);
// Sampler, tokens, formats and clocking. Throws UsageError.
host::RunSettings settings_of(const OptionParser& parser);
// The format that --kv-type names. Throws UsageError.
Format cache_format_of(const OptionParser& parser);
// All of them. Throws UsageError for contradictions, and without -m where there is no bundled model.
host::ModelRequest model_request_of(const OptionParser& parser);

}  // namespace tokencycle::cli
