// SPDX-License-Identifier: Apache-2.0
// A model's run on a machine, from its options to its report: what `run` and `compare` share.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "host/result/result.h"
#include "host/timing_only.h"

namespace tokencycle::host {

// What the options say about the model, its tokens and how they are evaluated; nothing about the machine.
struct ModelRequest {
  RunSettings settings;
  std::filesystem::path file;
  std::optional<std::string> weights;  // --weights, of a config.json
  std::optional<model::RopePairs> rope;
  TokenRequest tokens;
  // Of each sequence, where there are several; else tokens.prompt is that of all.
  std::vector<std::string> prompts;
};

// Throws IoError, ModelError, UsageError for --weights that the file cannot heed.
model::LlamaModel open_model(const ModelRequest& request);

// One run as far as it came: what is in it holds also after an exception.
struct ModelRun {
  RunSettings settings;  // as used: the tokens of a plan are its own
  std::unique_ptr<Inference> inference;
  RunReport report;                      // wall_seconds and traces are the caller's
  std::vector<model::Sampler> samplers;  // of a run with values: of each sequence, its seed one more each
};

class Checkpoints;

// Sees a run while it lasts.
class RunWatch {
 public:
  virtual ~RunWatch() = default;
  // Everything is loaded and the tokens of the prompt are known; nothing has been written or has run yet, but
  // what a checkpoint has.
  virtual void started(const ModelRun& run) = 0;
  virtual void stepped(const StepReport& step) = 0;
  virtual void wrote_token(const RunReport& report) = 0;  // its last one
  // machine::Pulse. An Interrupted that it throws leaves the report with what was done, and "interrupted".
  virtual void pulse(Cycle now) = 0;
};

// What is written while it runs; empty: nothing.
struct RunOutput {
  // Prompt, generated text, a line break at the end; of several sequences at the end, one after the other.
  std::function<void(const std::string&)> text;
  bool prompt = true;                                         // whether the prompt is part of it
  std::function<void(const struct StepReport&)> on_step;      // after each step of a run without values
  RunWatch* watch = nullptr;                                  // outlives the ModelRun
  Checkpoints* checkpoints = nullptr;                         // the same
  std::function<void(const std::string&)> note = {};          // what standard error should say
  std::function<void(const std::string&)> machine_note = {};  // the same of this machine alone
};

// Generates the tokens, or gives the machine those of the plan. `traces` may be null and outlives the run.
// Throws what Inference throws, and UsageError for an empty prompt.
void run_model(const ModelRequest& request, const model::LlamaModel& model, const config::Machine& machine,
               Traces* traces, const RunOutput& output, ModelRun& run);

}  // namespace tokencycle::host
