// SPDX-License-Identifier: Apache-2.0
// From a model's graph to a program for one machine: address assignment, tiling, double buffering.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/passes/demands.h"
#include "compiler/passes/fuse.h"
#include "compiler/passes/plan.h"
#include "config/machine.h"
#include "isa/program.h"
#include "model/architecture.h"

namespace tokencycle::compiler {

// What is compiled, and what its graph does not say. The graph outlives the compiler.
struct Source {
  const model::Graph* graph = nullptr;
  std::uint64_t weight_bytes = 0;  // the weights lie together, each at its offset
  std::uint32_t context = 0;       // positions, and so rows of a step, at most
};

// Where things are in DRAM. Assigned once per model and machine; all steps share it.
struct DramLayout {
  DramAddress program;              // the host writes each step's words here
  std::uint64_t program_bytes = 0;  // room for them
  DramAddress weights;              // GgufFile::tensor_data(), as it is
  DramAddress token_ids;            // [batch] u32, written by the host before a step
  DramAddress logits;  // the graph's result, [rows][columns] fp32 (int32 of integers), read after a step
  // By value: [context][columns] of each state in the KV format, or its own rows as fp32; of rotary tables
  // fp32; [batch][columns] of each input in its format.
  std::vector<DramAddress> values;
  // By value: from a sequence's state to that of the next one; 0 of other values.
  std::vector<std::uint64_t> sequence_bytes;
  std::map<std::string, DramAddress> regions;  // of states that lie together, by name
  std::uint64_t end = 0;                       // first byte after everything
};

struct Options {
  Format kv_format = Format::f16;  // one of kCacheFormats
  std::uint32_t context = 0;       // positions of the cache; 0: the model's
  std::uint32_t max_batch = 0;     // tokens of one prefill step; 0: as many as fit
  std::uint32_t sequences = 1;     // that have states of their own; a step may take a token of each
  FusionSet fusions = FusionSet::all();
  bool reserve_program = true;  // room in DRAM for any step's program; false: for that of the one step
};

// `tokens` tokens of one sequence from position `position` on: neighbouring rows of a step's values.
struct Segment {
  std::uint32_t sequence = 0, position = 0, tokens = 1;

  template <class Archive>
  void serialize(Archive& state) {
    state(sequence, position, tokens);
  }
};

// One step: rows of one sequence or of several, segment behind segment, a sequence in one of them at most.
// All that is done row by row is done once for all rows; what has a state, segment by segment.
struct Step {
  std::vector<Segment> segments;
  std::uint32_t outputs = 1;  // logits of so many rows, the last ones; 0: a prefill step before the last

  std::uint32_t tokens() const;   // rows
  std::uint32_t longest() const;  // tokens of the longest segment
  std::uint32_t end() const;      // positions that the sequence furthest on has then
};
// Of the first sequence alone.
inline Step one_sequence(std::uint32_t position, std::uint32_t tokens, std::uint32_t outputs = 1) {
  return {{{0, position, tokens}}, outputs};
}

// Rows [first_row, first_row + rows) of an operator's fp32 result in local memory, counted as the step's rows
// are: row first_row + t at address + t * row_bytes, `cols` values. It is there
// from the moment on when the last of words `from` to `after` retires, loads among them not counted, for the
// last time where a loop repeats `after`. These words write it: a later one, or a transfer, may retire before
// them, or when the place is in use again. Used by --check to name the first difference.
struct Tap {
  std::uint32_t from = 0, after = 0;  // word indices
  std::uint32_t operator_index = 0;   // into Graph::operators
  isa::LocalAddress address;
  std::uint32_t row_bytes = 0, first_col = 0, cols = 0, first_row = 0, rows = 0;
};

struct CompiledStep {
  isa::Program program;
  std::vector<Tap> taps;
};

// A batch of prompt tokens that is smaller than it should be: the weights are read again for each batch.
struct SmallBatch {
  std::uint32_t tokens = 0;          // that one step holds
  std::uint32_t useful = 0;          // that should share one reading of the weights (passes/batch.h)
  std::uint32_t scratchpad_kib = 0;  // the smallest that holds so many; 0: the scratchpad is not the limit
};

class Compiler {
 public:
  // Checks that the machine can run the model. Throws ConfigurationError: a multiplier type the machine lacks
  // (with the tensor that needs it), a scratchpad or accumulator too small (with the size that would do),
  // DRAM too small; UsageError for a context beyond the model's.
  Compiler(const Source& source, const config::Machine& machine, const Options& options);
  Compiler(const model::LlamaModel& model, const config::Machine& machine, const Options& options);

  const DramLayout& layout() const { return layout_; }
  // Largest number of tokens that one prefill step can hold.
  std::uint32_t batch_limit() const { return batch_limit_; }
  std::uint32_t sequences() const { return options_.sequences; }
  // Tokens of each step of a prompt of so many, at most the limit: of equal steps those that are estimated to
  // take the least time. The limit where the options say it, or rows come from DRAM.
  std::uint32_t batch_for(std::uint32_t prompt_tokens) const;
  // For a prompt of so many tokens; nothing where batches are as large as is useful, or as asked for.
  std::optional<SmallBatch> small_batch(std::uint32_t prompt_tokens) const;
  // KiB of the smallest scratchpad that holds so many tokens at once; 0: the scratchpad is not the limit.
  std::uint32_t scratchpad_for(std::uint32_t tokens) const;
  std::uint32_t context() const { return options_.context; }
  CompiledStep compile(const Step& step) const;

 private:
  const Plan& plan_of(const Step& step) const;
  double prompt_cycles(std::uint32_t prompt_tokens, std::uint32_t batch) const;

  Source source_;
  config::Machine machine_;
  Options options_;
  Demands demands_;
  mutable std::map<StepShape, Plan> plans_;
  DramLayout layout_;
  std::uint32_t batch_limit_ = 1;
};

}  // namespace tokencycle::compiler
