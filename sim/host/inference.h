// SPDX-License-Identifier: Apache-2.0
// The host: compiles each step, puts it into the machine's memory, lets it run, takes the logits back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compiler/compiler.h"
#include "host/expert_choices.h"
#include "machine/accelerator.h"
#include "model/reference/reference.h"
#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/operator_cycles.h"
#include "observe/analysis/pipeline_rows.h"
#include "observe/analysis/timeline.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/event_digest.h"

namespace tokencycle::host {

class Checker;
class Traces;

// What a result document has beside the sums: operators by cause, a timeline, and the instructions of one
// token.
struct RecordOptions {
  std::uint32_t pipeline_token = 1;            // the first decode token; of fewer tokens the last
  std::uint32_t pipeline_instructions = 8192;  // at most so many; 0: none
};

struct InferenceOptions {
  compiler::Options compile;
  machine::Clocking clocking = machine::Clocking::gated;
  bool check = false;  // compare every operator's result and all logits with the reference
  // absent: time alone, for models with or without tensor data; no step has logits, and nothing is checked.
  machine::Values values = machine::Values::computed;
  // Without values: the experts that routers choose, or, where there are none, the seed that they are drawn
  // from.
  std::vector<std::uint32_t> experts = {};
  std::uint64_t expert_seed = 0;
  // Without values: positions that each sequence has already, whose states were never computed.
  std::uint32_t position = 0;
  std::function<void(const struct StepReport&)> on_step = {};  // called after each step, where given
  std::optional<RecordOptions> record = {};  // absent: nothing is recorded, and nothing subscribes for it
  Traces* traces = nullptr;                  // outlives the Inference
  machine::Pulse pulse = {};                 // before each step, and many times a second while one runs
};

// One step on the machine.
struct StepReport {
  machine::Execution execution;
  std::uint32_t tokens = 0;
  std::vector<compiler::Segment> segments;  // whose tokens: as many of each sequence
  observe::Stack stack{};
  std::vector<observe::OperatorUse> operators;  // by LlamaModel::graph(); causes with RecordOptions alone
  std::vector<std::vector<float>>
      logits;  // of the step's last rows, or of all when asked; none without values

  // Of the sequence's last token; null where the step has none.
  const std::vector<float>* logits_after(std::uint32_t sequence) const;

  template <class Archive>
  void serialize(Archive& state) {
    state(execution, tokens, segments, stack, operators, logits);
  }
};

// Tokens to evaluate behind those that the sequence has.
struct SequenceTokens {
  std::uint32_t sequence = 0;
  std::span<const model::TokenId> tokens;
};

// What was under way when a pulse threw Interrupted: the cycles of the step, and of those before it that had
// led to no token yet.
struct UnfinishedStep {
  machine::Execution execution;
  observe::Stack stack{};
};

// Where a step is: the operator whose instruction retired last, and the share of the step's work that is
// done, by the operators' weights (or what stands for them) alone: no more than a guess for a progress
// display.
struct StepProgress {
  const model::Operator* op = nullptr;
  std::uint64_t step = 0;  // Inference::steps() before it
  double share = 0;        // 0 to 1
};

class Inference {
 public:
  Inference(const model::LlamaModel& model, const config::Machine& machine, const InferenceOptions& options);
  ~Inference();

  // Evaluates tokens after those before, for the next token of the text of each of these sequences (each is
  // named once). Several tokens of one go first, sequence after sequence: at once as far as the machine
  // holds them (compiler batch limit), in as many steps as needed. Then sequences with a single token share
  // one step. A sequence's logits come from the last step that has it.
  // Throws SimulationError when the context is full, CheckError (layer, operator, index, both values) at the
  // first difference from the reference.
  std::vector<StepReport> evaluate(std::span<const SequenceTokens> parts, bool all_logits);
  // Of the first sequence.
  std::vector<StepReport> evaluate(std::span<const model::TokenId> tokens, bool all_logits);
  // Of an encoder, from empty caches: all rows of its input as one step, [row][columns] in the format of
  // the graph's input; the logits of the last row, or of all. Throws SimulationError for more rows than the
  // model has, ConfigurationError for more than the machine holds at once, CheckError as above.
  StepReport encode(std::span<const std::byte> rows, bool all_logits);
  void reset();  // empty caches
  // Everything that it holds, after any step, also when evaluate() has more to come. Read into a new
  // inference of the same model, machine and options, the next evaluate() with the same tokens continues
  // there.
  template <class Archive>
  void serialize(Archive& state);
  std::uint64_t steps() const { return steps_; }  // done so far
  // After an Interrupted, which ends this inference: the cycle that it was ended before, and what was going
  // on.
  Cycle end() const { return next_start_; }
  const std::optional<UnfinishedStep>& unfinished() const { return unfinished_; }

  // Of the step under way; nothing before its first instruction has retired, and between steps.
  std::optional<StepProgress> progress() const;

  std::uint32_t layers() const { return model_.shape().layers; }
  std::uint32_t position(std::uint32_t sequence = 0) const { return positions_[sequence]; }
  std::uint64_t evaluated()
      const;  // tokens of all sequences; not those that InferenceOptions::position skips
  std::uint32_t context() const { return compiler_.context(); }
  std::uint32_t batch_limit() const { return compiler_.batch_limit(); }
  std::uint32_t batch() const { return batch_; }  // tokens of a step of the last prompts, at most
  // The experts that the routers have chosen, in the order of the steps, layers and tokens.
  const std::vector<std::uint32_t>& experts() const { return choices_.made(); }
  // Who chooses them: "the routers'", "drawn with seed 7", "given by --experts"; empty: there are none.
  std::string experts_source() const;
  machine::Accelerator& accelerator() { return accelerator_; }
  observe::UnitStatistics& units() { return units_; }
  // What InferenceOptions::record asked for; null without it.
  observe::Timeline* timeline() { return timeline_.get(); }
  const observe::PipelineRows* pipeline() const { return pipeline_.get(); }
  // Digests of all events and of all steps' programs in order, folded at the end of each step (Digest::fold).
  std::string event_digest() { return digest_.hex(); }
  std::uint64_t events() const { return digest_.count(); }
  std::string program_digest() const { return programs_.hex(); }
  const compiler::Compiler& compiler() const { return compiler_; }

 private:
  struct PlannedStep {
    compiler::Step step;
    std::vector<model::TokenId> tokens;  // of the rows
  };
  std::vector<PlannedStep> plan_steps(std::span<const SequenceTokens> parts, bool all_logits);
  void plan_prompt(const SequenceTokens& part, std::uint32_t position, bool all_logits,
                   std::vector<PlannedStep>& steps);
  std::uint32_t begin_of(std::uint32_t sequence) const;
  // `input`: the rows of the step, as the graph's input has them.
  StepReport step(std::span<const std::byte> input, const compiler::Step& what);
  void refuse_many_rows(std::uint64_t rows) const;
  machine::Execution execute(const isa::Program& program);
  std::uint32_t batch_of(std::uint32_t tokens);
  void end_early(Cycle end);
  void keep_unfinished(Cycle end);
  std::vector<float> read_logits(std::uint32_t row) const;

  const model::LlamaModel& model_;
  InferenceOptions options_;
  compiler::Compiler compiler_;
  ExpertChoices choices_;
  mutable machine::Accelerator accelerator_;
  Cycle next_start_{1};  // the cycle in which the next step begins
  observe::EventDigest digest_;
  observe::UnitStatistics units_;
  observe::CycleStack stack_;
  observe::OperatorCycles operators_;
  std::unique_ptr<observe::Timeline> timeline_;
  std::unique_ptr<observe::PipelineRows> pipeline_;
  Digest programs_;
  std::unique_ptr<Checker> checker_;
  std::optional<UnfinishedStep> unfinished_;
  std::vector<std::uint32_t> positions_;  // by sequence
  std::uint32_t token_ = 0;               // that evaluate() works for: how often it was called
  std::vector<StepReport> done_;          // steps of the evaluate() under way
  std::uint64_t steps_ = 0;
  std::uint32_t batch_ = 0;
  std::map<std::uint32_t, std::uint32_t> batches_;  // chosen, by the tokens of the prompt
};

}  // namespace tokencycle::host
