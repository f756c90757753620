// SPDX-License-Identifier: Apache-2.0
// What the parts of a result are. sim/cli/README.md documents each field; what older results lack is
// optional.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "observe/analysis/cycle_stack.h"

namespace tokencycle::explore {

struct ResultModel {
  std::string file, name, architecture, shapes_from, weights, digest;
};

struct ResultSettings {
  std::string prompt, kv_format, rope_pairs;
  std::uint64_t new_tokens = 0, context = 0, batch = 0, sequences = 1, position = 0;
  double temperature = 0;
  std::optional<std::uint64_t> top_k, seed;  // none at temperature 0
  std::optional<double> top_p;
  bool ignore_eos = false, checked_against_reference = false, timing_only = false;
  std::string prompt_ids, new_ids;  // where the ids come from
};

// One generated token, or of several sequences one of each. Its steps took the cycles [start, end); the stack
// sums to `cycles`.
struct ResultToken {
  std::uint32_t id = 0;     // the first sequence's that had a token
  std::string text, phase;  // UTF-8; "prefill", "decode"
  std::uint64_t start = 0, end = 0, cycles = 0;
  observe::Stack stack{};
  std::uint64_t sequences = 1;  // that have a token of it
};

// One of several sequences that shared the steps.
struct ResultSequence {
  std::string prompt, text;
  std::vector<std::uint32_t> prompt_tokens, ids;
};

// What an operator's instructions of one kind took; these sum to the operator's use.
struct KindUse {
  std::string instruction;  // mnemonic
  std::uint64_t count = 0, cycles = 0;
  observe::Stack stack{};
};

// An operator's time in one phase by cause and kind of instruction, and its work (for rates: within
// span_cycles).
struct UseDetail {
  observe::Stack stack{};
  std::string critical;  // the cause with most cycles; empty: no cycles
  std::uint64_t span_cycles = 0, loaded_bytes = 0, stored_bytes = 0;
  std::uint64_t multiply_accumulates = 0, vector_elements = 0;
  double array_cycles_at_peak = 0;
  std::optional<std::uint64_t> scratchpad_bytes;
  std::vector<KindUse> kinds;
};

struct PhaseUse {
  std::uint64_t cycles = 0, instructions = 0;
  std::optional<UseDetail> detail;  // none: an older result
};

struct ResultOperator {
  std::string name;
  std::int64_t layer = -1;  // -1: in none
  PhaseUse prefill, decode;
};

struct ResultUnit {
  std::string name;
  std::vector<std::pair<std::string, std::uint64_t>> states;  // they sum to the result's cycles
  std::uint64_t cycles(const std::string& state) const;       // 0 where it never was in it
};

struct ResultCounter {
  std::string name, unit, meaning;
  std::uint64_t value = 0;
};

struct DramEnergy {
  std::vector<std::pair<std::string, double>> parts;  // "activate_pj", ...
  double total_pj = 0;
  std::optional<double> pj_per_bit, average_mw;
  std::string source;
};

// Known within bounds.
struct BoundedFigure {
  double low = 0, typical = 0, high = 0;
};

// Of a run with --technology: of the chip, of all complete tokens, and for a token of the prompt and for a
// decode token; none without such tokens.
struct ResultTechnology {
  std::string name;
  BoundedFigure area_mm2;
  std::optional<BoundedFigure> energy_uj, prefill_uj, decode_uj;
};

// What DRAM moved in a phase, over its complete tokens: of the prompt (prefill), or generated (decode).
struct PhaseMemory {
  std::uint64_t tokens = 0, cycles = 0;
  std::uint64_t loaded_bytes = 0, stored_bytes = 0, instruction_bytes = 0, bus_bytes = 0;
  std::optional<double> dram_pj;  // none: no published energies
  std::uint64_t moved_bytes() const { return loaded_bytes + stored_bytes + instruction_bytes; }
};

// values[i] counts in the cycles [start + i * interval, start + (i + 1) * interval).
struct Series {
  std::string name, unit;
  std::vector<std::uint64_t> values;
};
struct Timeline {
  std::uint64_t interval_cycles = 0, start = 0;
  std::vector<Series> series;
};

// Stages in the order of `times`; relative to the token's start. None: the instruction has no such stage.
inline constexpr std::array<const char*, 6> kPipelineStages = {"fetched", "decoded",  "dispatched",
                                                               "started", "finished", "written_back"};
struct PipelineRow {
  std::int64_t op = -1;  // index into Pipeline::operators; -1: none
  std::size_t kind = 0, unit = 0;
  std::array<std::optional<std::int64_t>, kPipelineStages.size()> times;
};
struct Pipeline {
  std::uint64_t token = 0, start = 0, end = 0;
  std::uint64_t instructions = 0;                               // executed; rows may be fewer
  std::vector<std::pair<std::string, std::int64_t>> operators;  // name, layer
  std::vector<std::string> kinds, units;
  std::vector<PipelineRow> rows;
};

// The step under way when a run was interrupted.
struct UnfinishedStep {
  std::string phase;
  std::uint64_t start = 0, end = 0, cycles = 0;
  observe::Stack stack{};
};

}  // namespace tokencycle::explore
