// SPDX-License-Identifier: Apache-2.0
// The result of one run as it was written to a file (schema "tokencycle-result-1"), read back and checked.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "explore/result/parts.h"

namespace tokencycle::explore {

struct Result {
  std::string source;  // the file, or what the caller called it
  std::string version, program_digest, event_digest;
  ResultModel model;
  std::string machine, machine_digest;  // configuration.name, .digest
  nlohmann::ordered_json values;        // configuration.values: the description with defaults written out
  ResultSettings settings;
  std::vector<std::uint32_t> prompt_tokens;  // of the first sequence
  std::vector<ResultSequence> sequences;     // empty: there is one, with the tokens beside
  std::string text, stop_reason;
  std::optional<std::uint64_t> interrupted_at;
  std::optional<UnfinishedStep> unfinished;
  std::uint64_t cycles = 0;
  observe::Stack stack{};
  std::vector<ResultToken> tokens;  // empty only where the run was interrupted before the first
  std::vector<ResultOperator> operators;
  std::vector<ResultUnit> units;
  std::vector<ResultCounter> counters;
  std::optional<DramEnergy> dram_energy;
  std::string no_energy_reason;
  std::optional<ResultTechnology> technology;  // area and energy of the machine
  std::optional<PhaseMemory> prefill, decode;  // none: an older result, or no complete token
  std::optional<Timeline> timeline;
  std::optional<Pipeline> pipeline;
  nlohmann::ordered_json host;  // as it stands: of this one run, not of the machine

  double clock_ghz = 0, peak_dram_gb_per_s = 0;           // from `values`
  std::size_t prompt_count() const;                       // tokens of all prompts
  std::size_t decode_count() const;                       // generated after the first one of each sequence
  const ResultUnit* unit(const std::string& name) const;  // null: none of that name
  std::optional<std::uint64_t> counter(const std::string& name) const;  // its value
};

// Reads and checks a result. Throws IoError for a file that cannot be read, that is no result, or whose sums
// do not hold (it is damaged); the message has file, JSON path, value and remedy.
Result read_result(const std::filesystem::path& path);
// `source` names the document in messages.
Result parse_result(const nlohmann::ordered_json& json, const std::string& source);

}  // namespace tokencycle::explore
