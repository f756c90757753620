// SPDX-License-Identifier: Apache-2.0
#include "host/model_run.h"

#include <fmt/format.h>

#include <new>

#include "base/text.h"
#include "host/checkpoint.h"
#include "host/prompt.h"
#include "host/traces.h"
#include "model/config_json.h"

namespace tokencycle::host {

namespace {

void add_uses(std::vector<observe::OperatorUse>& sum, const std::vector<observe::OperatorUse>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) sum[i].add(more[i]);
}

// The steps that led to one token as its report.
TokenReport token_report(const std::vector<StepReport>& steps, model::TokenId id, const std::string& text,
                         const char* phase) {
  TokenReport t{id, text, phase, steps.front().execution.start, steps.back().execution.end, {}};
  for (const StepReport& s : steps) {
    for (std::size_t i = 0; i < t.stack.size(); ++i) t.stack[i] += s.stack[i];
  }
  return t;
}

// The token after a step, by whatever chooses it.
struct NextToken {
  model::TokenId id = 0;
  std::string text;
  bool ends = false;  // the text; its spelling is no part of it
};
using TokenSource = std::function<NextToken(const StepReport& last)>;

void check_positions(const ModelRun& run) {
  const std::size_t prompt = run.report.prompt_tokens.size();
  const std::size_t needed = prompt + run.settings.new_tokens - 1;
  if (needed > run.inference->context()) {
    throw UsageError(
        fmt::format("{} prompt tokens and {} new ones need {} positions, and the context has {}; use a "
                    "shorter prompt, a smaller "
                    "-n, or a larger --context if the model has one",
                    prompt, run.settings.new_tokens, needed, run.inference->context()));
  }
}

// Goes on behind the tokens that the report has.
void generate(const TokenSource& next, RunWatch* watch, ModelRun& run) {
  RunReport& report = run.report;
  for (report.stop_reason = "length"; report.tokens.size() < run.settings.new_tokens;) {
    const bool prefill = report.tokens.empty();
    const std::vector<StepReport> steps =
        run.inference->evaluate(prefill ? std::span<const model::TokenId>(report.prompt_tokens)
                                        : std::span(&report.tokens.back().id, 1),
                                false);
    for (const StepReport& s : steps) {
      add_uses(prefill ? report.prefill_operators : report.decode_operators, s.operators);
    }
    report.all_tokens = memory_totals(run.inference->accelerator());
    if (prefill) report.first_token = report.all_tokens;
    const NextToken token = next(steps.back());
    report.tokens.push_back(token_report(steps, token.id, token.text, prefill ? "prefill" : "decode"));
    if (watch != nullptr) watch->wrote_token(report);
    if (token.ends) {
      report.stop_reason = "end of text";
      return;
    }
  }
}

void tell(const std::vector<std::string>& notes, const RunOutput& output) {
  if (!output.note) return;
  for (const std::string& note : notes) output.note(note);
}

// A batch that is too small costs bytes and time that no table names.
void note_small_batch(const RunOutput& output, ModelRun& run) {
  const std::size_t prompt = run.report.prompt_tokens.size();
  run.report.small_batch = run.inference->compiler().small_batch(static_cast<std::uint32_t>(prompt));
  if (run.report.small_batch && output.machine_note) {
    output.machine_note("the scratchpad holds " + small_batch_text(*run.report.small_batch, prompt));
  }
}

// Samples tokens and writes their text.
void run_functional(const ModelRequest& request, const model::LlamaModel& model,
                    const model::Tokenizer& tokenizer, const RunOutput& output, ModelRun& run) {
  RunReport& report = run.report;
  const Prompt prompt = read_prompt(request.tokens, model.file(), tokenizer);
  report.prompt = prompt.text;
  report.prompt_tokens = prompt.ids;
  if (report.prompt_tokens.empty()) {
    throw UsageError("--prompt is empty and the vocabulary has no BOS token to begin with");
  }
  check_positions(run);
  tell(prompt.notes, output);
  note_small_batch(output, run);
  if (output.checkpoints != nullptr) output.checkpoints->begin(run);
  const auto write = [&](const std::string& text) {
    if (output.text) output.text(text);
  };
  if (output.watch != nullptr) output.watch->started(run);
  if (output.prompt) write(prompt.shown);
  for (const TokenReport& t : report.tokens) write(t.text);
  const auto sample = [&](const StepReport& last) {
    NextToken token{run.sampler->next(last.logits.back()), "", false};
    const bool last_token = tokenizer.ends_text(token.id) || std::int64_t{token.id} == prompt.end;
    token.ends = last_token && !run.settings.ignore_eos;
    if (!token.ends) token.text = tokenizer.decode(token.id);
    write(token.text);
    return token;
  };
  try {
    generate(sample, output.watch, run);
  } catch (const Interrupted&) {
    write("\n");
    throw;
  }
  write("\n");
}

// Gives the machine the plan's tokens.
void run_timing_only(const TokenPlan& plan, const RunOutput& output, ModelRun& run) {
  run.report.prompt = plan.prompt_text;
  run.report.prompt_tokens = plan.prompt;
  run.report.prompt_source = plan.prompt_source;
  run.report.token_source = plan.token_source;
  check_positions(run);
  tell(plan.notes, output);
  note_small_batch(output, run);
  if (output.checkpoints != nullptr) output.checkpoints->begin(run, plan.generated);
  const auto next = [&](const StepReport&) {
    return NextToken{plan.generated[run.report.tokens.size()], "", false};
  };
  if (output.watch != nullptr) output.watch->started(run);
  generate(next, output.watch, run);
}

// A model's folder, as downloaded: its config.json.
std::filesystem::path file_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return path;
  if (std::filesystem::is_regular_file(path / "config.json", ignored)) return path / "config.json";
  throw IoError(fmt::format("{}: it is a folder without a config.json; name a GGUF file", path.string()));
}

model::GgufFile open_file(ModelRequest request) {
  request.file = file_of(request.file);
  if (request.settings.inference.values == machine::Values::absent) {
    return open_shapes(request.file, request.weights);
  }
  if (model::looks_like_config_json(request.file)) {
    throw ModelError(
        fmt::format("{}: this looks like a config.json, which has a model's shape and no weights; add "
                    "--timing-only, or give a GGUF file",
                    request.file.string()));
  }
  return model::GgufFile(request.file);
}

}  // namespace

model::LlamaModel open_model(const ModelRequest& request) {
  return model::LlamaModel(open_file(request), request.rope, request.settings.inference.compile.context);
}

namespace {

// A step is printed, then seen by the watch, then part of a checkpoint.
void attach(const RunOutput& output, ModelRun& run) {
  InferenceOptions& options = run.settings.inference;
  if (RunWatch* watch = output.watch) options.pulse = [watch](Cycle now) { watch->pulse(now); };
  const bool timing_only = options.values == machine::Values::absent;
  options.on_step = [print = timing_only ? output.on_step : nullptr, watch = output.watch,
                     checkpoints = output.checkpoints, &run](const StepReport& step) {
    if (print) print(step);
    if (watch != nullptr) watch->stepped(step);
    if (checkpoints != nullptr) checkpoints->stepped(run);
  };
}

std::string experts_note(const TokenRequest& request, const InferenceOptions& options) {
  if (!options.experts.empty()) return fmt::format("experts: those of {}", request.experts->substr(1));
  return fmt::format(
      "experts: drawn with seed {}, since no router computes; --experts @RESULT.json takes a run's",
      options.expert_seed);
}

void run_tokens(const ModelRequest& request, const model::LlamaModel& model, const config::Machine& machine,
                Traces* traces, const RunOutput& output, ModelRun& run) {
  run.settings = request.settings;
  run.settings.inference.traces = traces;
  if (run.settings.inference.values == machine::Values::absent) {
    const TokenPlan plan = plan_tokens(request.tokens, model);
    plan_experts(request.tokens.experts, model, run.settings.inference);
    if (model.shape().experts != 0) tell({experts_note(request.tokens, run.settings.inference)}, output);
    run.settings.new_tokens = static_cast<std::uint32_t>(plan.generated.size());
    attach(output, run);
    run.inference = std::make_unique<Inference>(model, machine, run.settings.inference);
    return run_timing_only(plan, output, run);
  }
  const auto tokenizer = model::make_tokenizer(model.file());
  attach(output, run);
  run.sampler.emplace(run.settings.sampler);
  run.inference = std::make_unique<Inference>(model, machine, run.settings.inference);
  run_functional(request, model, *tokenizer, output, run);
}

}  // namespace

void run_model(const ModelRequest& request, const model::LlamaModel& model, const config::Machine& machine,
               Traces* traces, const RunOutput& output, ModelRun& run) {
  try {
    run_tokens(request, model, machine, traces, output, run);
  } catch (const Interrupted&) {
    run.report.stop_reason = "interrupted";
    run.report.interrupted_at = run.inference->end();
    run.report.unfinished = run.inference->unfinished();
    throw;
  } catch (const Error& error) {  // between two steps, where the steps did not see to it
    if (traces != nullptr && run.inference != nullptr) traces->fail(run.inference->end(), error.what());
    throw;
  } catch (const std::bad_alloc&) {
    if (traces != nullptr && run.inference != nullptr) traces->fail(run.inference->end(), "out of memory");
    throw;
  }
}

}  // namespace tokencycle::host
