// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace tokencycle::cli {

using Arguments = std::vector<std::string>;

// One command: a name, a line for the overview, and what it does. run() returns the process exit code; it
// throws Error for everything that a user can cause.
struct Command {
  std::string name, summary;
  ExitCode (*run)(const Arguments& arguments);
};
const std::vector<Command>& commands();

ExitCode run_command(const Arguments& arguments);
ExitCode compare_command(const Arguments& arguments);
ExitCode report_command(const Arguments& arguments);
ExitCode compile_command(const Arguments& arguments);
ExitCode asm_command(const Arguments& arguments);
ExitCode disasm_command(const Arguments& arguments);
ExitCode inspect_command(const Arguments& arguments);
ExitCode perplexity_command(const Arguments& arguments);
ExitCode tokenize_command(const Arguments& arguments);
ExitCode detokenize_command(const Arguments& arguments);
ExitCode models_command(const Arguments& arguments);
ExitCode explain_command(const Arguments& arguments);
ExitCode gemm_command(const Arguments& arguments);
ExitCode dram_command(const Arguments& arguments);

}  // namespace tokencycle::cli
