// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace tokencycle::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"run", "run a model on a machine: text, and where the cycles went", run_command},
      {"compare", "a model on several machines side by side, and why their cycles differ", compare_command},
      {"report", "results of runs as one page with tables and plots", report_command},
      {"perplexity", "how well a model predicts a text, by the reference or by the machine",
       perplexity_command},
      {"tokenize", "the tokens of a text, by a model's vocabulary", tokenize_command},
      {"detokenize", "the text of tokens", detokenize_command},
      {"models", "the families of models and the formats of weights that run", models_command},
      {"gemm", "matrix products on a machine: cycles of the array alone and end to end", gemm_command},
      {"dram", "a trace of memory requests on a DRAM: bandwidth, latencies, commands, energy", dram_command},
      {"inspect", "what is in a model, machine description, program or result", inspect_command},
      {"explain", "what keys, fields, causes and instructions mean", explain_command},
      {"compile", "the program of one step of a model on a machine", compile_command},
      {"asm", "assembly text to a program file", asm_command},
      {"disasm", "a program file to assembly text", disasm_command},
  };
  return kCommands;
}

}  // namespace tokencycle::cli
