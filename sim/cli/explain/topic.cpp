// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/topic.h"

namespace tokencycle::cli {

const std::vector<TopicRow>& topics() {
  static const std::vector<TopicRow> kTopics = {
      {"machine", "keys of a machine description, and the rules that join them", machine_topic},
      {"memory", "keys of a memory system: /dram/system of a machine, or a file for dram -c", memory_topic},
      {"technology", "keys of a technology, and what area and energy are made of", technology_topic},
      {"result", "fields of run --result", result_topic},
      {"causes", "what a cycle can be spent on", causes_topic},
      {"states", "what a unit can be doing in a cycle", states_topic},
      {"comparison", "fields of compare --json", comparison_topic},
      {"alignment", "fields of compare --align --json", alignment_topic},
      {"what-if", "fields of run --what-if --json", what_if_topic},
      {"sweep", "keys of a sweep's plan, its folder, and --slurm", sweep_topic},
      {"gemm", "fields of gemm --json", gemm_topic},
      {"dram", "fields of dram --json", dram_topic},
      {"validation", "fields of validate --json, and keys of a scorecard", validation_topic},
      {"labels", "fields of see and classify --json", labels_topic},
      {"tokens", "fields of tokenize --json", tokens_topic},
      {"models", "fields of models --json", models_topic},
      {"perplexity", "fields of perplexity --json", perplexity_topic},
      {"inspection", "fields of inspect --json, but for results", inspection_topic},
      {"isa", "what every instruction does, as loop nests, and the assembly text", isa_topic},
      {"instructions", "every instruction with its fields, and their places in the word", instructions_topic},
  };
  return kTopics;
}

}  // namespace tokencycle::cli
