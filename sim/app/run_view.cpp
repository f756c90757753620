// SPDX-License-Identifier: Apache-2.0
#include "app/run_view.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tokencycle::app {

void RunView::started(const ModelRun& run) {
  interruptible_.emplace();
  prompt_ = run.report.prompt_tokens.size();
  wanted_ = run.settings.new_tokens;
  live_.begin(static_cast<double>(prompt_), "the prompt");
  live_.set_place(fmt::format("{}prompt, 0 of {} tokens read", name_, with_separators(prompt_)));
  live_.update(0);
}

void RunView::stepped(const StepReport& step) {
  live_.set_bottleneck(step.stack);
  if (!prefill_) return;
  read_ += step.tokens;
  live_.done(step.tokens);
  live_.set_place(
      fmt::format("{}prompt, {} of {} tokens read", name_, with_separators(read_), with_separators(prompt_)));
}

void RunView::wrote_token(const RunReport& report) {
  const std::size_t done = report.tokens.size();
  if (prefill_) {
    prefill_ = false;
    live_.begin(static_cast<double>(wanted_ - 1));  // the prompt's time says nothing about the others'
  } else {
    live_.done(1);
  }
  live_.set_bottleneck(report.tokens.back().stack);
  if (done == wanted_) return;
  live_.set_place(
      fmt::format("{}token {} of {}", name_, with_separators(done + 1), with_separators(wanted_)));
  live_.update(report.tokens.back().end.value - 1);
}

void RunView::pulse(Cycle now) {
  if (interrupted())
    throw Interrupted(fmt::format("interrupted at cycle {}", with_separators(now.value + 1)));
  live_.update(now.value);
}

}  // namespace tokencycle::app
