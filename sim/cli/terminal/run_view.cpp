// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/run_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/wall_clock.h"

namespace tokencycle::cli {

void RunView::started(const host::ModelRun& run) {
  interruptible_.emplace();
  inference_ = run.inference.get();
  step_since_ = wall_seconds();
  prompt_ = run.report.prompt_count();
  wanted_ = run.settings.new_tokens;
  read_ = std::min<std::uint64_t>(prompt_, run.inference->evaluated());
  prefill_ = run.report.tokens.empty();
  if (prefill_) {
    live_.begin(static_cast<double>(prompt_ - read_), "the prompt");
    show_prompt();
  } else {
    live_.begin(static_cast<double>(wanted_ - run.report.tokens.size()));
    show_token(run.report.tokens.size() + 1);
  }
  live_.update(run.inference->end().value - 1);
}

void RunView::show_prompt() {
  live_.set_place(
      fmt::format("{}prompt, {} of {} tokens read", name_, with_separators(read_), with_separators(prompt_)));
}
void RunView::show_token(std::uint64_t number) {
  live_.set_place(fmt::format("{}token {} of {}", name_, with_separators(number), with_separators(wanted_)));
}

void RunView::stepped(const host::StepReport& step) {
  live_.set_bottleneck(step.stack);
  if (!prefill_) return;
  read_ += step.tokens;
  live_.done(step.tokens);
  show_prompt();
}

void RunView::wrote_token(const host::RunReport& report) {
  const std::size_t done = report.tokens.size();
  if (prefill_) {
    prefill_ = false;
    live_.begin(static_cast<double>(wanted_ - 1));  // the prompt's time says nothing about the others'
  } else {
    live_.done(1);
  }
  live_.set_bottleneck(report.tokens.back().stack);
  if (done == wanted_) return;
  show_token(done + 1);
  live_.update(report.tokens.back().end.value - 1);
}

void RunView::pulse(Cycle now) {
  if (host::interrupted())
    throw Interrupted(fmt::format("interrupted at cycle {}", with_separators(now.value + 1)));
  show_step();
  live_.update(now.value);
}

// Within a step that lasts longer than kLongStep: layer, operator and share.
void RunView::show_step() {
  constexpr double kLongStep = 2, kOften = 0.5;  // seconds
  const double now = wall_seconds();
  if (now - step_shown_ < kOften || inference_ == nullptr) return;
  step_shown_ = now;
  if (inference_->steps() != step_) {
    step_ = inference_->steps();
    step_since_ = now;
  }
  const auto at = inference_->progress();
  if (!at || now - step_since_ < kLongStep) return;
  const std::uint32_t layers = inference_->layers();
  const std::string layer =
      at->op->layer < 0 ? "" : fmt::format("layer {} of {}, ", at->op->layer + 1, layers);
  const double tokens =
      prefill_ ? static_cast<double>(std::min<std::uint64_t>(prompt_ - read_, inference_->batch())) : 1.0;
  live_.set_step(fmt::format("{}{}, {:.0f} %", layer, at->op->name, 100 * at->share), at->share * tokens);
}

}  // namespace tokencycle::cli
