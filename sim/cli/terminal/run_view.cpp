// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/run_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tokencycle::cli {

void RunView::started(const host::ModelRun& run) {
  interruptible_.emplace();
  prompt_ = run.report.prompt_tokens.size();
  wanted_ = run.settings.new_tokens;
  read_ = std::min<std::uint64_t>(prompt_, run.inference->position());
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
  live_.update(now.value);
}

}  // namespace tokencycle::cli
