// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace tokencycle::cli {

using Arguments = std::vector<std::string>;
class OptionParser;

// One command: a name, a line for the overview, what it does, and its options, from which help, completion
// and the manual page are made. run() returns the process exit code; it throws Error for everything that a
// user can cause.
struct Command {
  std::string name, summary;
  ExitCode (*run)(const Arguments& arguments);
  OptionParser (*options)();
};
const std::vector<Command>& commands();

ExitCode run_command(const Arguments& arguments);
ExitCode compare_command(const Arguments& arguments);
ExitCode sweep_command(const Arguments& arguments);
ExitCode report_command(const Arguments& arguments);
ExitCode compile_command(const Arguments& arguments);
ExitCode asm_command(const Arguments& arguments);
ExitCode disasm_command(const Arguments& arguments);
ExitCode inspect_command(const Arguments& arguments);
ExitCode perplexity_command(const Arguments& arguments);
ExitCode classify_command(const Arguments& arguments);
ExitCode see_command(const Arguments& arguments);
ExitCode tokenize_command(const Arguments& arguments);
ExitCode detokenize_command(const Arguments& arguments);
ExitCode models_command(const Arguments& arguments);
ExitCode explain_command(const Arguments& arguments);
ExitCode gemm_command(const Arguments& arguments);
ExitCode dram_command(const Arguments& arguments);
ExitCode validate_command(const Arguments& arguments);
ExitCode completion_command(const Arguments& arguments);
ExitCode man_command(const Arguments& arguments);

OptionParser run_parser();
OptionParser compare_parser();
OptionParser sweep_parser();
OptionParser report_parser();
OptionParser compile_parser();
OptionParser explain_parser();
OptionParser asm_parser();
OptionParser disasm_parser();
OptionParser inspect_parser();
OptionParser perplexity_parser();
OptionParser classify_parser();
OptionParser see_parser();
OptionParser tokenize_parser();
OptionParser detokenize_parser();
OptionParser models_parser();
OptionParser gemm_parser();
OptionParser dram_parser();
OptionParser validate_parser();
OptionParser completion_parser();
OptionParser man_parser();

}  // namespace tokencycle::cli
