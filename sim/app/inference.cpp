// SPDX-License-Identifier: Apache-2.0
#include "app/inference.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/checker.h"
#include "app/traces.h"
#include "base/error.h"

namespace tokencycle::app {

Inference::Inference(const model::LlamaModel& model, const config::Machine& machine,
                     const InferenceOptions& options)
    : model_(model),
      options_(options),
      compiler_(model, machine, options.compile),
      accelerator_(machine, options.clocking, options.values),
      units_(machine.dram.channels, next_start_),
      stack_(next_start_) {
  accelerator_.events().subscribe(digest_);
  accelerator_.events().subscribe(units_);
  accelerator_.events().subscribe(stack_);
  accelerator_.events().subscribe(operators_);
  if (options.traces != nullptr) options.traces->subscribe(accelerator_.events());
  if (options.values == core::Values::computed) {
    const compiler::DramLayout& layout = compiler_.layout();
    accelerator_.dram().map(layout.weights, model.file().tensor_data());
    accelerator_.dram().map(layout.rope_table, std::as_bytes(std::span(model.rope_table())));
  }
  if (options.check) {
    checker_ = std::make_unique<Checker>(model, options.compile.kv_format, accelerator_);
    accelerator_.events().subscribe(*checker_);
  }
}

Inference::~Inference() = default;

void Inference::reset() {
  position_ = 0;
  if (checker_) checker_->reset();
}

std::vector<StepReport> Inference::evaluate(std::span<const model::TokenId> tokens, bool all_logits) {
  if (position_ + tokens.size() > compiler_.context()) {
    throw SimulationError(
        fmt::format("the context of {} positions is full: {} are used and {} more are needed; use a shorter "
                    "prompt, fewer new "
                    "tokens, or a larger --context if the model has one",
                    compiler_.context(), position_, tokens.size()));
  }
  std::vector<StepReport> reports;
  while (!tokens.empty()) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(tokens.size(), compiler_.batch_limit()));
    const bool last = n == tokens.size();
    reports.push_back(step(tokens.first(n), {position_, n, all_logits, last || all_logits}));
    if (options_.on_step) options_.on_step(reports.back());
    tokens = tokens.subspan(n);
  }
  ++token_;
  return reports;
}

StepReport Inference::step(std::span<const model::TokenId> tokens, const compiler::Step& what) {
  const compiler::CompiledStep compiled = compiler_.compile(what);
  const isa::Program& program = compiled.program;
  programs_.update(std::as_bytes(std::span(program.words)));
  const compiler::DramLayout& layout = compiler_.layout();
  accelerator_.dram().write(layout.program, std::as_bytes(std::span(program.words)));
  accelerator_.dram().write(layout.token_ids, std::as_bytes(tokens));

  if (checker_) checker_->begin(compiled);
  operators_.begin(program, next_start_);
  if (options_.traces != nullptr) {
    options_.traces->begin_step(
        {&program, next_start_, token_, what.tokens, token_ == 0 ? "prefill" : "decode"});
  }
  StepReport report;
  report.tokens = what.tokens;
  report.execution = accelerator_.execute(layout.program, static_cast<std::uint32_t>(program.words.size()));
  units_.settle_all(report.execution.end);
  next_start_ = report.execution.end;
  if (options_.traces != nullptr) options_.traces->end_step(next_start_);
  report.stack = stack_.take(report.execution.end);
  report.operators = operators_.take(report.execution.end);
  position_ += what.tokens;

  if (options_.values == core::Values::absent) return report;
  const std::uint32_t rows = !what.want_logits ? 0 : what.all_logits ? what.tokens : 1;
  for (std::uint32_t r = 0; r < rows; ++r) report.logits.push_back(read_logits(r));
  if (checker_) checker_->compare(tokens, report.logits);
  return report;
}

std::vector<float> Inference::read_logits(std::uint32_t row) const {
  std::vector<float> logits(model_.shape().vocabulary);
  const std::uint64_t bytes = logits.size() * sizeof(float);
  accelerator_.dram().read(compiler_.layout().logits + row * bytes,
                           std::as_writable_bytes(std::span(logits)));
  return logits;
}

}  // namespace tokencycle::app
