// SPDX-License-Identifier: Apache-2.0
// The tables that `tokencycle explain` prints: what the keys of descriptions and the fields of documents
// mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::cli {

// Cells are texts; the first names the row, the last explains it.
struct Topic {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
  std::vector<std::string> notes;              // one sentence each
  std::string text{};                          // instead of rows: printed as it is
};

struct TopicRow {
  std::string_view name, about;
  Topic (*make)();
};
const std::vector<TopicRow>& topics();

// From the program's own tables:
Topic machine_topic();
Topic technology_topic();
Topic instructions_topic();
Topic isa_topic();
// Written down; tests compare them with what the program reads and writes:
Topic memory_topic();
Topic result_topic();
Topic comparison_topic();
Topic alignment_topic();
Topic what_if_topic();
Topic sweep_topic();
Topic gemm_topic();
Topic dram_topic();
Topic validation_topic();
Topic labels_topic();
Topic tokens_topic();
Topic models_topic();
Topic perplexity_topic();
Topic inspection_topic();
Topic causes_topic();
Topic states_topic();

}  // namespace tokencycle::cli
