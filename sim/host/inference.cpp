// SPDX-License-Identifier: Apache-2.0
#include "host/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/state_archives.h"
#include "host/checker.h"
#include "host/one_core.h"
#include "host/traces.h"

namespace tokencycle::host {

Inference::Inference(const model::LlamaModel& model, const config::Machine& machine,
                     const InferenceOptions& options)
    : model_(model),
      options_(options),
      compiler_(model, machine, options.compile),
      choices_(options.expert_seed, options.experts),
      accelerator_(machine, options.clocking, options.values),
      units_(observe::UnitList(machine), next_start_),
      stack_(next_start_),
      operators_(options.record ? &stack_ : nullptr, machine.peak_dram_gb_per_s() / machine.clock_ghz) {
  batch_ = compiler_.batch_limit();
  positions_.assign(compiler_.sequences(), options.position);
  refuse_several_cores(machine);
  refuse_several_units(machine);
  if (options.record) {
    timeline_ = std::make_unique<observe::Timeline>(units_, stack_, machine.dram.burst_bytes, next_start_);
    pipeline_ = std::make_unique<observe::PipelineRows>(options.record->pipeline_token,
                                                        options.record->pipeline_instructions);
    accelerator_.events().subscribe(*timeline_);  // before those that it asks
    accelerator_.events().subscribe(*pipeline_);
  }
  accelerator_.set_pulse([this](Cycle now) {
    model_.file().check_whole();
    if (options_.pulse) options_.pulse(now);
  });
  accelerator_.set_choices(&choices_);
  accelerator_.events().subscribe(digest_);
  accelerator_.events().subscribe(units_);
  accelerator_.events().subscribe(stack_);
  accelerator_.events().subscribe(operators_);
  if (options.traces != nullptr) options.traces->subscribe(accelerator_.events());
  if (options.values == machine::Values::computed) {
    const compiler::DramLayout& layout = compiler_.layout();
    for (const model::GgufPiece& piece : model.file().data_pieces()) {
      accelerator_.dram().map(layout.weights + piece.offset, piece.bytes);
    }
    for (const auto& [constant, table] : model.graph().rotary_tables) {
      accelerator_.dram().map(layout.values[constant],
                              std::as_bytes(std::span(model.rotary_table(constant))));
    }
  }
  if (options.check) {
    checker_ =
        std::make_unique<Checker>(model, options.compile.kv_format, compiler_.sequences(), accelerator_);
    accelerator_.events().subscribe(*checker_);
  }
}

Inference::~Inference() = default;

namespace {
// Elements that an operator goes through: those of its weight, else one row of values for each earlier
// position.
double extent_of(const model::Operator& op, std::uint32_t position) {
  const bool table =
      op.kind == model::OperatorKind::gather_rows || op.kind == model::OperatorKind::position_rows;
  if (op.weight != nullptr && !table) return static_cast<double>(op.weight->rows) * op.weight->cols;
  return op.kind == model::OperatorKind::attention ? static_cast<double>(position) * op.output_columns
                                                   : op.output_columns;
}
}  // namespace

std::optional<StepProgress> Inference::progress() const {
  const observe::OperatorCycles::Share* const share = operators_.last_share();
  const auto& operators = model_.graph().operators;
  if (share == nullptr || share->operator_id >= operators.size()) return {};
  const std::uint32_t furthest = *std::max_element(positions_.begin(), positions_.end());
  double done = 0, all = 0;
  for (std::size_t i = 0; i < operators.size(); ++i) {
    all += extent_of(operators[i], furthest);
    if (i + 1 == share->operator_id) done = all;
  }
  return StepProgress{&operators[share->operator_id], steps_, all == 0 ? 0 : done / all};
}

std::string Inference::experts_source() const {
  if (model_.shape().experts == 0) return "";
  if (options_.values == machine::Values::computed) return "the routers'";
  return options_.experts.empty() ? fmt::format("drawn with seed {}", options_.expert_seed)
                                  : "given by --experts";
}

void Inference::reset() {
  std::fill(positions_.begin(), positions_.end(), options_.position);
  done_.clear();
  if (checker_) checker_->reset();
}

std::uint64_t Inference::evaluated() const {
  const std::uint64_t skipped = positions_.size() * std::uint64_t{options_.position};
  return std::accumulate(positions_.begin(), positions_.end(), std::uint64_t{0}) - skipped;
}

const std::vector<float>* StepReport::logits_after(std::uint32_t sequence) const {
  const std::size_t first = tokens - logits.size();
  std::size_t row = 0;
  for (const compiler::Segment& s : segments) {
    row += s.tokens;
    if (s.sequence == sequence) return row > first ? &logits[row - 1 - first] : nullptr;
  }
  return nullptr;
}

// Where the sequence was before the evaluate() under way.
std::uint32_t Inference::begin_of(std::uint32_t sequence) const {
  std::uint32_t position = positions_[sequence];
  for (const StepReport& done : done_) {
    for (const compiler::Segment& s : done.segments) position -= s.sequence == sequence ? s.tokens : 0;
  }
  return position;
}

std::vector<StepReport> Inference::evaluate(std::span<const model::TokenId> tokens, bool all_logits) {
  const SequenceTokens first{0, tokens};
  return evaluate(std::span(&first, 1), all_logits);
}

std::vector<StepReport> Inference::evaluate(std::span<const SequenceTokens> parts, bool all_logits) {
  model::require_generative(model_);
  const std::vector<PlannedStep> steps = plan_steps(parts, all_logits);
  while (done_.size() < steps.size()) {  // where it was read in the middle, some are done
    const PlannedStep& next = steps[done_.size()];
    done_.push_back(step(std::as_bytes(std::span(next.tokens)), next.step));
    ++steps_;
    if (options_.on_step) options_.on_step(done_.back());
  }
  ++token_;
  return std::exchange(done_, {});
}

StepReport Inference::encode(std::span<const std::byte> rows, bool all_logits) {
  const model::Value& input = model_.graph().values[model_.graph().input()];
  const std::uint64_t count = rows.size() / row_bytes(input.format, input.cols);
  refuse_many_rows(count);
  reset();
  const auto n = static_cast<std::uint32_t>(count);
  StepReport report = step(rows, compiler::one_sequence(0, n, all_logits ? n : 1));
  ++steps_;
  ++token_;
  if (options_.on_step) options_.on_step(report);
  return report;
}

void Inference::refuse_many_rows(std::uint64_t rows) const {
  if (rows == 0 || rows > compiler_.context()) {
    throw SimulationError(
        fmt::format("an input of {} rows; the model takes 1 to {}", rows, compiler_.context()));
  }
  if (rows <= compiler_.batch_limit()) return;
  const std::uint32_t kib = compiler_.scratchpad_for(static_cast<std::uint32_t>(rows));
  throw ConfigurationError(fmt::format(
      "machine '{}': the input has {} rows, which attend to each other, and the machine holds {} at once; {}",
      accelerator_.machine().name, rows, compiler_.batch_limit(),
      kib != 0 ? fmt::format("set /scratchpad/capacity_kib to at least {}", kib)
               : "set /accumulator/capacity_kib to more, or give a shorter input"));
}

// The same for the same parts, however many of the steps are done.
std::vector<Inference::PlannedStep> Inference::plan_steps(std::span<const SequenceTokens> parts,
                                                          bool all_logits) {
  std::vector<PlannedStep> steps;
  PlannedStep shared;
  std::uint32_t largest = 0;
  for (const SequenceTokens& part : parts) {
    const std::uint32_t position = begin_of(part.sequence);
    if (position + part.tokens.size() > compiler_.context()) {
      throw SimulationError(fmt::format(
          "the context of {} positions is full: {} are used and {} more are needed; use a shorter "
          "prompt, fewer new tokens, or a larger --context if the model has one",
          compiler_.context(), position, part.tokens.size()));
    }
    if (part.tokens.size() == 1) {
      shared.step.segments.push_back({part.sequence, position, 1});
      shared.tokens.push_back(part.tokens.front());
      continue;
    }
    plan_prompt(part, position, all_logits, steps);
    largest = std::max(largest, batch_of(static_cast<std::uint32_t>(part.tokens.size())));
  }
  if (largest != 0) batch_ = largest;
  shared.step.outputs = static_cast<std::uint32_t>(shared.tokens.size());
  if (!shared.tokens.empty()) steps.push_back(std::move(shared));
  return steps;
}

void Inference::plan_prompt(const SequenceTokens& part, std::uint32_t position, bool all_logits,
                            std::vector<PlannedStep>& steps) {
  const std::uint32_t batch = batch_of(static_cast<std::uint32_t>(part.tokens.size()));
  for (std::span<const model::TokenId> left = part.tokens; !left.empty();) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(left.size(), batch));
    const std::uint32_t outputs = all_logits ? n : n == left.size() ? 1 : 0;
    steps.push_back({{{{part.sequence, position, n}}, outputs}, {left.begin(), left.begin() + n}});
    position += n;
    left = left.subspan(n);
  }
}

// Tokens of a step of a prompt of so many.
std::uint32_t Inference::batch_of(std::uint32_t tokens) {
  const auto [chosen, added] = batches_.try_emplace(tokens, 0);
  if (added) chosen->second = std::min(compiler_.batch_for(tokens), compiler_.batch_limit());
  return chosen->second;
}

template <class Archive>
void Inference::serialize(Archive& state) {
  state(accelerator_, choices_, next_start_, digest_, programs_, units_, stack_, positions_, token_, done_,
        steps_, batch_);
  if (timeline_) state(*timeline_);
  if (pipeline_) state(*pipeline_);
  if (checker_) state(*checker_);
}
template void Inference::serialize(StateWriter&);
template void Inference::serialize(StateReader&);

StepReport Inference::step(std::span<const std::byte> input, const compiler::Step& what) {
  const std::uint32_t tokens = what.tokens();
  try {
    if (options_.pulse) options_.pulse(Cycle(next_start_.value - 1));
  } catch (const Interrupted&) {
    if (!done_.empty()) keep_unfinished(next_start_);
    throw;
  }
  const compiler::CompiledStep compiled = compiler_.compile(what);
  const isa::Program& program = compiled.program;
  programs_.update(std::as_bytes(std::span(program.words)));
  const compiler::DramLayout& layout = compiler_.layout();
  accelerator_.dram().write(layout.program, std::as_bytes(std::span(program.words)));
  accelerator_.dram().write(layout.values[model_.graph().input()], input);

  if (checker_) checker_->begin(compiled);
  operators_.begin(program, next_start_);
  const observe::TraceStep trace_step{&program, next_start_, token_, tokens,
                                      token_ == 0 ? "prefill" : "decode"};
  if (pipeline_) pipeline_->begin_step(trace_step);
  if (options_.traces != nullptr) options_.traces->begin_step(trace_step);
  StepReport report;
  report.tokens = tokens;
  report.segments = what.segments;
  report.execution = execute(program);
  if (timeline_) timeline_->advance(report.execution.end);
  if (pipeline_) pipeline_->end_step(report.execution.end);
  units_.settle_all(report.execution.end);
  next_start_ = report.execution.end;
  if (options_.traces != nullptr) options_.traces->end_step(next_start_);
  digest_.fold();
  programs_.fold();
  report.stack = stack_.take(report.execution.end);
  report.operators = operators_.take(report.execution.end);
  for (const compiler::Segment& s : what.segments) positions_[s.sequence] += s.tokens;

  if (options_.values == machine::Values::absent) return report;
  for (std::uint32_t r = 0; r < what.outputs; ++r) report.logits.push_back(read_logits(r));
  if (checker_) checker_->compare(what.segments, input, report.logits);
  return report;
}

machine::Execution Inference::execute(const isa::Program& program) {
  try {
    const machine::Execution done =
        accelerator_.execute(compiler_.layout().program, static_cast<std::uint32_t>(program.words.size()));
    model_.file().check_whole();  // before anybody hears of the step
    return done;
  } catch (const Interrupted&) {
    end_early(accelerator_.now() + 1);
    throw;
  } catch (const IoError&) {  // of a trace, most likely
    if (options_.traces != nullptr) options_.traces->abandon();
    throw;
  } catch (const Error& error) {
    if (options_.traces != nullptr) options_.traces->fail(accelerator_.now() + 1, error.what());
    throw;
  } catch (const std::bad_alloc&) {
    if (options_.traces != nullptr) options_.traces->fail(accelerator_.now() + 1, "out of memory");
    throw;
  } catch (...) {
    if (options_.traces != nullptr) options_.traces->abandon();
    throw;
  }
}

// Also of the steps that are done and have led to no token yet: batches of the prompt.
void Inference::keep_unfinished(Cycle end) {
  UnfinishedStep kept{{done_.empty() ? next_start_ : done_.front().execution.start, end}, stack_.take(end)};
  for (const StepReport& s : done_) {
    for (std::size_t i = 0; i < kept.stack.size(); ++i) kept.stack[i] += s.stack[i];
  }
  unfinished_ = kept;
}

// All that is counted by cycle covers [1, end) then, and the rest the steps before. Traces end here, where
// the step's program still is.
void Inference::end_early(Cycle end) {
  if (timeline_) timeline_->advance(end);
  units_.settle_all(end);
  keep_unfinished(end);
  next_start_ = end;
  if (options_.traces != nullptr) options_.traces->interrupt(end);
}

std::vector<float> Inference::read_logits(std::uint32_t row) const {
  std::vector<float> logits(model_.shape().vocabulary);
  const std::uint64_t bytes = logits.size() * sizeof(float);
  accelerator_.dram().read(compiler_.layout().logits + row * bytes,
                           std::as_writable_bytes(std::span(logits)));
  return logits;
}

}  // namespace tokencycle::host
