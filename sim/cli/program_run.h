// SPDX-License-Identifier: Apache-2.0
// Running a program file without a model: hand-written programs, instruction experiments.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/traces.h"
#include "machine/accelerator.h"

namespace tokencycle::cli {

// Loads the program (words behind its data segments), runs it to its halt, prints cycles and the
// dumps: "dram|scratchpad|accumulator:ADDRESS:FORMAT:COUNT". Throws UsageError for a malformed dump,
// ProgramError for a program that does not fit the machine.
void run_program(const std::filesystem::path& path, const config::Machine& machine,
                 machine::Clocking clocking, const std::vector<std::string>& dump_texts, bool quiet,
                 const host::TraceRequest& request);

}  // namespace tokencycle::cli
