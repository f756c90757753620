// SPDX-License-Identifier: Apache-2.0
// Watches a model's run for its user: shows where it is, and ends it when a signal asks for that.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal/live_view.h"
#include "host/interrupt.h"
#include "host/model_run.h"

namespace tokencycle::cli {

// From started() on, the first signal makes a pulse throw Interrupted; until then, a signal ends the process.
class RunView : public host::RunWatch {
 public:
  // `name`: of one of several runs, "2 of 3, edge-os: "; empty for a single one.
  explicit RunView(LiveMode mode, const std::string& name = "") : live_(mode), name_(name) {}

  void started(const host::ModelRun& run) override;
  void stepped(const host::StepReport& step) override;
  void wrote_token(const host::RunReport& report) override;
  void wrote(const std::string& text) { live_.wrote(text); }  // to standard output
  // Throws Interrupted "interrupted at cycle N".
  void pulse(Cycle now) override;
  // Nothing is shown any more. A signal still waits for whatever is written at the end.
  void end() { live_.end(); }

 private:
  void show_prompt();
  void show_token(std::uint64_t number);
  void show_step();

  std::optional<host::Interruptible> interruptible_;
  LiveView live_;
  std::string name_;
  const host::Inference* inference_ = nullptr;
  std::uint64_t step_ = 0;                  // under way
  double step_since_ = 0, step_shown_ = 0;  // wall seconds
  std::uint64_t prompt_ = 0, read_ = 0;     // tokens of the prompt; of those, read by complete steps
  std::uint64_t wanted_ = 0;                // new tokens
  bool prefill_ = true;
};

}  // namespace tokencycle::cli
