// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include "cli/options.h"

namespace tokencycle::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"run", "run a model on a machine: text, and where the cycles went", run_command, run_parser},
      {"compare", "a model on several machines side by side, and why their cycles differ", compare_command,
       compare_parser},
      {"sweep", "many runs that differ in keys of the machine and in options, side by side", sweep_command,
       sweep_parser},
      {"report", "results of runs as one page with tables and plots", report_command, report_parser},
      {"perplexity", "how well a model predicts a text, by the reference or by the machine",
       perplexity_command, perplexity_parser},
      {"classify", "which class a text has, and its cycles", classify_command, classify_parser},
      {"see", "what a vision model makes of images, and its cycles", see_command, see_parser},
      {"tokenize", "the tokens of a text, by a model's vocabulary", tokenize_command, tokenize_parser},
      {"detokenize", "the text of tokens", detokenize_command, detokenize_parser},
      {"models", "the families of models and the formats of weights that run", models_command, models_parser},
      {"gemm", "matrix products on a machine: cycles of the array alone and end to end", gemm_command,
       gemm_parser},
      {"dram", "a trace of memory requests on a DRAM: bandwidth, latencies, commands, energy", dram_command,
       dram_parser},
      {"validate", "figures of published machines beside ours, each with the command that repeats it",
       validate_command, validate_parser},
      {"inspect", "what is in a model, machine description, program or result", inspect_command,
       inspect_parser},
      {"explain", "what keys, fields, causes and instructions mean", explain_command, explain_parser},
      {"compile", "the program of one step of a model on a machine", compile_command, compile_parser},
      {"asm", "assembly text to a program file", asm_command, asm_parser},
      {"disasm", "a program file to assembly text", disasm_command, disasm_parser},
      {"completion", "a script by which a shell completes commands and options", completion_command,
       completion_parser},
      {"man", "the manual page", man_command, man_parser},
  };
  return kCommands;
}

}  // namespace tokencycle::cli
