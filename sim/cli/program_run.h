// SPDX-License-Identifier: Apache-2.0
// Running a program file without a model: hand-written programs, instruction experiments.
#pragma once

#include <string>
#include <vector>

#include "host/traces.h"
#include "machine/accelerator.h"

namespace tokencycle::cli {

// Loads the programs (words behind all data segments), the n-th for core n, runs each to its halt from the
// same cycle on, prints cycles and the dumps: "dram|scratchpad|accumulator:ADDRESS:FORMAT:COUNT", of another
// core than the first "core1.scratchpad:...". Throws UsageError for a malformed dump and for more programs
// than cores, ProgramError for a program that does not fit the machine, and for programs whose data differ
// where they overlap.
void run_programs(const std::vector<std::string>& paths, const config::Machine& machine,
                  machine::Clocking clocking, const std::vector<std::string>& dump_texts, bool quiet,
                  const host::TraceRequest& request);

}  // namespace tokencycle::cli
