// SPDX-License-Identifier: Apache-2.0
// The result of one run: everything that was counted, as data. Tables and summaries are derived from it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/technology/technology.h"
#include "host/inference.h"
#include "host/result/json_text.h"
#include "model/sampler.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::host {

// A generated token and the step that made it. A step of several sequences makes one token of each: this is
// the first one's, and SequenceReport has all.
struct TokenReport {
  model::TokenId id = 0;
  std::string text;
  std::string phase;  // "prefill" (the step, or steps, that read the prompt), "decode"
  Cycle start, end;   // cycles [start, end)
  observe::Stack stack{};
  std::uint32_t sequences = 1;  // that have a token of this step
  std::uint64_t cycles() const { return end.value - start.value; }

  template <class Archive>
  void serialize(Archive& state) {
    state(id, text, phase, start, end, stack, sequences);
  }
};

// One of the sequences that share the steps.
struct SequenceReport {
  std::string prompt;  // empty where ids were given
  std::vector<model::TokenId> prompt_tokens;
  std::vector<model::TokenId> ids;  // generated
  std::string text;                 // of them
  std::string stop_reason;          // "length", "end of text"; empty: not ended
  Cycle first_end, end;             // of the steps that made its first and its last token
  bool ended() const { return !stop_reason.empty(); }

  template <class Archive>
  void serialize(Archive& state) {
    state(ids, text, stop_reason, first_end, end);
  }
};

struct Counter {
  std::string name, unit, meaning;
  std::uint64_t value = 0;
};

// What DRAM has moved, and the energy that took, from the run's first cycle to the end of a token.
struct MemoryTotals {
  std::uint64_t loaded_bytes = 0, stored_bytes = 0, instruction_bytes = 0;  // whole bursts
  std::uint64_t bus_bytes = 0;   // of them, what crossed the data buses
  memory::DramEnergyUse energy;  // 0 where the devices have no published energies

  template <class Archive>
  void serialize(Archive& state) {
    state(loaded_bytes, stored_bytes, instruction_bytes, bus_bytes, energy.activate_pj, energy.read_pj,
          energy.write_pj, energy.refresh_pj, energy.standby_pj, energy.open_bank_pj);
  }
  std::uint64_t moved_bytes() const { return loaded_bytes + stored_bytes + instruction_bytes; }
  double energy_pj() const { return energy.total(); }
};
MemoryTotals operator-(const MemoryTotals& a, const MemoryTotals& b);
MemoryTotals memory_totals(machine::Accelerator& accelerator);

struct RunReport {
  std::string prompt_source = "the text's", token_source = "sampled";  // where the ids come from
  std::vector<SequenceReport> sequences{1};
  std::vector<TokenReport> tokens;           // as many as the longest sequence has
  MemoryTotals first_token, all_tokens;      // at the ends of the first token and of the last one
  std::string stop_reason;                   // "length", "end of text", "interrupted"
  std::optional<Cycle> interrupted_at;       // the run ended before this cycle
  std::optional<UnfinishedStep> unfinished;  // where that was in a step
  std::vector<observe::OperatorUse> prefill_operators, decode_operators;  // by LlamaModel::graph()
  std::shared_ptr<const config::Technology> technology;                   // null: no area and energy
  std::optional<compiler::SmallBatch> small_batch;  // where batches of the prompt are too small
  Cycle resumed_at;  // the last cycle that another process has simulated; 0: none
  double wall_seconds = 0;
  nlohmann::ordered_json traces = nlohmann::ordered_json::array();  // Traces::summary_json()

  // Of the tokens and what is unfinished; the stack sums to the cycles.
  std::uint64_t total_cycles() const {
    const std::uint64_t open =
        unfinished ? unfinished->execution.end.value - unfinished->execution.start.value : 0;
    if (tokens.empty()) return open;
    return interrupted_at.value_or(tokens.back().end).value - tokens.front().start.value;
  }
  observe::Stack total_stack() const;
  std::size_t prompt_count() const;  // tokens of all prompts
  std::size_t decode_count() const;  // tokens of all sequences after their first
  // Of the tokens after the first.
  MemoryTotals decode_memory() const { return all_tokens - first_token; }
  // Of the simulation in this process; 0 where no time has passed.
  double cycles_per_second() const {
    return wall_seconds > 0 ? static_cast<double>(total_cycles() - resumed_at.value) / wall_seconds : 0.0;
  }
};

struct RunSettings {
  model::SamplerOptions sampler;
  InferenceOptions inference;
  std::uint32_t new_tokens = 32;
  bool ignore_eos = false;  // continue after the end of the text
};

// Energy of all DRAM channels in the simulated time, or why it is not known.
struct DramEnergyReport {
  std::optional<memory::DramEnergyUse> use;
  std::string source;  // where the devices' energies come from, or the reason
  std::uint64_t bits = 0;
  double seconds = 0;
};
DramEnergyReport dram_energy(machine::Accelerator& accelerator);
// Of DRAM with commands, what crossed the data buses: other bursts met a waiting write in a queue.
std::uint64_t dram_bus_bytes(machine::Accelerator& accelerator);

// Every counter of the machine, with unit and meaning, in a fixed order.
std::vector<Counter> counters(Inference& inference);

// Where the model's shapes come from: "GGUF file", "GGUF header" (its tensor data was not used, and may be
// missing) or "config.json".
std::string_view shapes_source(const model::LlamaModel& model);

// Its section "settings": the model's and the run's, nothing about the machine.
nlohmann::ordered_json settings_json(const model::LlamaModel& model, const RunSettings& settings,
                                     const RunReport& report, const Inference& inference);

// The versioned document (schema "tokencycle-result-1"; sim/cli/README.md). All of it except "host" is the
// same for the same inputs on any machine.
nlohmann::ordered_json result_json(const model::LlamaModel& model, const config::Machine& machine,
                                   const RunSettings& settings, const RunReport& report,
                                   Inference& inference);

// In words, as in "batches of 4 prompt tokens: ..., with the scratchpad that would do.
std::string small_batch_text(const compiler::SmallBatch& batch, std::size_t prompt_tokens);

// Tokens of the longest prompt.
std::size_t longest_prompt(const RunReport& report);

// Its text, with one token's row in memory at a time.
void write_result(const model::LlamaModel& model, const config::Machine& machine, const RunSettings& settings,
                  const RunReport& report, Inference& inference, const TextSink& sink);

// Where the cycles went: a line for each cause that has some, and their sum.
std::string stack_text(const observe::Stack& stack);

// What a person wants to know after a run.
std::string summary_text(const model::LlamaModel& model, const config::Machine& machine,
                         const RunReport& report, Inference& inference);

}  // namespace tokencycle::host
