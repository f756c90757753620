// SPDX-License-Identifier: Apache-2.0
// Results side by side: what differs in their machines, their figures, and why the cycles of a token changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "explore/result/document.h"

namespace tokencycle::explore {

// One key and its value in each result, in the results' order.
struct DifferingKey {
  std::string path;  // JSON pointer into configuration.values ("/matrix/rows"), or into the result
  std::vector<nlohmann::ordered_json> json;  // null where a result lacks it
  std::vector<std::string> values;           // the same for people; "" where a result lacks it
};

// Figures of one result. Shares are percentages of all its cycles.
struct Figures {
  std::uint64_t cycles = 0;
  // Cycles; none without such tokens. Of several sequences: all prompts, and steps with a token of each.
  std::optional<std::uint64_t> first_token, decode_median, decode_max;
  std::size_t decode_tokens = 0;  // of all sequences
  double clock_ghz = 0;
  // Simulated, of the median at the machine's clock: tokens of all sequences, time between two of one.
  std::optional<double> tokens_per_second, us_per_token;
  double matrix_busy = 0, vector_busy = 0, dram_busy = 0;  // %; DRAM: mean of the channels
  std::uint64_t dram_bytes = 0;                            // moved: loaded, stored and of instructions
  double dram_bus_share = 1;                               // of them, what crossed the data buses
  // DRAM bytes moved for a token of the prompt and for a decode token; none in older results and without such
  // tokens. Their energy; none where the devices have no published one.
  std::optional<double> prefill_bytes, decode_bytes, prefill_uj, decode_uj;
  std::optional<double> pj_per_bit;
  std::optional<ResultTechnology> technology;
};
Figures figures_of(const Result& result);

// Cycles of one cause: of all tokens that are compared, and of the mean one.
struct CauseChange {
  observe::Cause cause = observe::Cause::matrix;
  std::uint64_t baseline_cycles = 0, cycles = 0;
  double baseline = 0, value = 0;
  double difference() const { return value - baseline; }
};
// Why the cycles of a token changed. The causes' cycles sum to the tokens', and so do their differences.
struct Reasons {
  std::uint64_t baseline_tokens = 0, tokens = 0, baseline_cycles = 0, cycles = 0;
  double baseline = 0, value = 0;    // cycles of the mean token
  std::vector<CauseChange> changes;  // that are not 0 in both; largest difference first
};

struct Comparison {
  std::size_t baseline = 0;
  std::vector<std::string> labels;  // the machines' names; files' names or numbers where these are the same
  std::vector<DifferingKey> keys;   // of the machines (not name and description), in their order
  std::vector<DifferingKey> settings;  // of model, tokens and run
  std::vector<std::string> warnings;   // where cycles of different work are compared, among others
  bool same_tokens = false;  // all read the same prompt and generated (timing-only: were given) the same ids
  std::size_t timing_only = 0;  // results without values: their tokens were given, not generated
  std::vector<Figures> figures;
  // Against the baseline, by result (its own differences are 0); none where one of the two has no such token.
  std::vector<std::optional<Reasons>> first_token, decode;
};

// Names that distinguish results, in their order.
std::vector<std::string> labels_of(const std::vector<Result>& results);
// The index of the result that `name` means: a label, a machine's name or a file, where only one has it.
// Throws UsageError that lists the labels.
std::size_t find_baseline(const std::vector<Result>& results, const std::string& name);

// results: at least one; baseline: an index of theirs.
Comparison compare(const std::vector<Result>& results, std::size_t baseline);

// A change in percent of the baseline: "-25.9 %"; "" where the baseline is 0.
std::string percent_change(double baseline, double value);

// For people: fits 100 columns; more than four results come in blocks, each with the baseline.
std::string comparison_text(const Comparison& comparison);
// Everything in it (schema "tokencycle-comparison-1"; sim/cli/README.md).
nlohmann::ordered_json comparison_json(const Comparison& comparison, const std::vector<Result>& results);

}  // namespace tokencycle::explore
