// SPDX-License-Identifier: Apache-2.0
// run --what-if: the run as it is and with each change alone, as processes side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/options.h"
#include "explore/what_if.h"

namespace tokencycle::cli {

// --what-if and --jobs.
void add_what_if_options(OptionParser& parser);

// "matrix.rows=64,vector.lanes=32+scratchpad.banks=32": commas between changes, + within one. A key is a path
// as for --set, or has points; with points, parts in the middle may be left out where the machine's
// description (JSON) has one such key: dram.channels is /dram/system/channels. Throws UsageError.
std::vector<explore::WhatIfChange> what_if_changes(const std::string& text,
                                                   const nlohmann::ordered_json& machine);

// Prints the table. Throws UsageError for options that ask for more than cycles, what the run itself throws,
// and where no change can be run the error of the first.
ExitCode run_what_if(const OptionParser& parser);

}  // namespace tokencycle::cli
