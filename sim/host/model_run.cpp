// SPDX-License-Identifier: Apache-2.0
#include "host/model_run.h"

#include <fmt/format.h>

#include <algorithm>
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

// The steps that led to a token of each of some sequences, without the tokens.
TokenReport token_report(const std::vector<StepReport>& steps, const char* phase) {
  TokenReport t{0, {}, phase, steps.front().execution.start, steps.back().execution.end, {}, 0};
  for (const StepReport& s : steps) {
    for (std::size_t i = 0; i < t.stack.size(); ++i) t.stack[i] += s.stack[i];
  }
  return t;
}

// The token after the steps, by whatever chooses it.
struct NextToken {
  model::TokenId id = 0;
  std::string text;
  bool ends = false;  // the text; its spelling is no part of it
};
// Of a sequence; its logits, null without values.
using TokenSource = std::function<NextToken(std::uint32_t sequence, const std::vector<float>* logits)>;

void check_positions(const ModelRun& run) {
  const std::size_t prompt = longest_prompt(run.report);
  const std::uint32_t before = run.settings.inference.position;
  const std::size_t needed = before + prompt + run.settings.new_tokens - 1;
  if (needed > run.inference->context()) {
    throw UsageError(
        fmt::format("{}{} prompt tokens and {} new ones need {} positions, and the context has {}; use a "
                    "shorter prompt, a smaller "
                    "-n, or a larger --context if the model has one",
                    before == 0 ? "" : fmt::format("--position {}, ", before), prompt,
                    run.settings.new_tokens, needed, run.inference->context()));
  }
}

// What the sequences that have not ended give to the next steps: their prompts, then their last tokens.
std::vector<SequenceTokens> next_parts(const RunReport& report) {
  std::vector<SequenceTokens> parts;
  for (std::uint32_t s = 0; s < report.sequences.size(); ++s) {
    const SequenceReport& sequence = report.sequences[s];
    if (sequence.ended()) continue;
    parts.push_back({s, sequence.ids.empty() ? std::span<const model::TokenId>(sequence.prompt_tokens)
                                             : std::span(&sequence.ids.back(), 1)});
  }
  return parts;
}

// The last step that has the sequence: it makes its next token.
const StepReport& last_step_of(const std::vector<StepReport>& steps, std::uint32_t sequence) {
  const auto has = [sequence](const StepReport& step) {
    return std::any_of(step.segments.begin(), step.segments.end(),
                       [sequence](const compiler::Segment& s) { return s.sequence == sequence; });
  };
  return *std::find_if(steps.rbegin(), steps.rend(), has);
}

void add_token(const NextToken& token, std::uint32_t wanted, Cycle end, SequenceReport& sequence) {
  if (sequence.ids.empty()) sequence.first_end = end;
  sequence.ids.push_back(token.id);
  sequence.text += token.text;
  sequence.end = end;
  if (token.ends) {
    sequence.stop_reason = "end of text";
  } else if (sequence.ids.size() >= wanted) {
    sequence.stop_reason = "length";
  }
}

// Goes on behind the tokens that the report has.
void generate(const TokenSource& next, RunWatch* watch, ModelRun& run) {
  RunReport& report = run.report;
  report.stop_reason = "length";
  for (auto& s : report.sequences) {  // a resumed run may want more than the one before
    if (s.stop_reason == "length" && s.ids.size() < run.settings.new_tokens) s.stop_reason.clear();
  }
  for (;;) {
    const std::vector<SequenceTokens> parts = next_parts(report);
    if (parts.empty()) break;
    const bool prefill = report.tokens.empty();
    const std::vector<StepReport> steps = run.inference->evaluate(parts, false);
    for (const StepReport& s : steps) {
      add_uses(prefill ? report.prefill_operators : report.decode_operators, s.operators);
    }
    report.all_tokens = memory_totals(run.inference->accelerator());
    if (prefill) report.first_token = report.all_tokens;
    TokenReport made = token_report(steps, prefill ? "prefill" : "decode");
    for (const SequenceTokens& part : parts) {
      const StepReport& step = last_step_of(steps, part.sequence);
      const NextToken token = next(part.sequence, step.logits_after(part.sequence));
      if (made.sequences++ == 0) {
        made.id = token.id;
        made.text = token.text;
      }
      add_token(token, run.settings.new_tokens, step.execution.end, report.sequences[part.sequence]);
    }
    report.tokens.push_back(std::move(made));
    if (watch != nullptr) watch->wrote_token(report);
  }
  const auto ended = [](const SequenceReport& s) { return s.stop_reason == "end of text"; };
  if (std::all_of(report.sequences.begin(), report.sequences.end(), ended))
    report.stop_reason = "end of text";
}

void tell(const std::vector<std::string>& notes, const RunOutput& output) {
  if (!output.note) return;
  for (const std::string& note : notes) output.note(note);
}

// A batch that is too small costs bytes and time that no table names.
void note_small_batch(const RunOutput& output, ModelRun& run) {
  const std::size_t prompt = longest_prompt(run.report);
  run.report.small_batch = run.inference->compiler().small_batch(static_cast<std::uint32_t>(prompt));
  if (run.report.small_batch && output.machine_note) {
    output.machine_note("the scratchpad holds " + small_batch_text(*run.report.small_batch, prompt));
  }
}

// What the command line says of one sequence's tokens.
TokenRequest request_of(const ModelRequest& request, std::uint32_t sequence) {
  TokenRequest of = request.tokens;
  of.sequence = sequence;
  of.sequences = request.settings.inference.compile.sequences;
  if (!request.prompts.empty()) of.prompt = request.prompts[sequence];
  return of;
}

// Several sequences, each with its prompt, number and an empty line between them.
std::string text_of(const std::vector<SequenceReport>& sequences, const std::vector<std::string>& prompts) {
  std::string text;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    text += fmt::format("{}[{}] {}{}\n", s == 0 ? "" : "\n", s, prompts.empty() ? "" : prompts[s],
                        sequences[s].text);
  }
  return text;
}

// Samples tokens and writes their text: of a single sequence as it is made.
void run_functional(const ModelRequest& request, const model::LlamaModel& model,
                    const model::Tokenizer& tokenizer, const RunOutput& output, ModelRun& run) {
  RunReport& report = run.report;
  const auto sequences = run.settings.inference.compile.sequences;
  report.sequences.resize(sequences);
  std::vector<std::string> shown;
  std::int64_t end = -1;
  for (std::uint32_t s = 0; s < sequences; ++s) {
    const Prompt prompt = read_prompt(request_of(request, s), model.file(), tokenizer);
    if (prompt.ids.empty()) {
      throw UsageError("--prompt is empty and the vocabulary has no BOS token to begin with");
    }
    report.sequences[s].prompt = prompt.text;
    report.sequences[s].prompt_tokens = prompt.ids;
    if (output.prompt) shown.push_back(prompt.shown);
    end = prompt.end;
    if (s == 0 || !request.prompts.empty()) tell(prompt.notes, output);
  }
  check_positions(run);
  note_small_batch(output, run);
  if (output.checkpoints != nullptr) output.checkpoints->begin(run);
  const auto write = [&](const std::string& text) {
    if (output.text) output.text(text);
  };
  if (output.watch != nullptr) output.watch->started(run);
  const bool streams = sequences == 1;
  if (streams) write((shown.empty() ? "" : shown.front()) + report.sequences.front().text);
  const auto sample = [&](std::uint32_t sequence, const std::vector<float>* logits) {
    NextToken token{run.samplers[sequence].next(*logits), "", false};
    const bool last_token = tokenizer.ends_text(token.id) || std::int64_t{token.id} == end;
    token.ends = last_token && !run.settings.ignore_eos;
    if (!token.ends) token.text = tokenizer.decode(token.id);
    if (streams) write(token.text);
    return token;
  };
  const auto finish = [&] { write(streams ? "\n" : text_of(report.sequences, shown)); };
  try {
    generate(sample, output.watch, run);
  } catch (const Interrupted&) {
    finish();
    throw;
  }
  finish();
}

std::vector<TokenPlan> plans_of(const ModelRequest& request, const model::LlamaModel& model) {
  std::vector<TokenPlan> plans;
  const bool same = request.prompts.empty() && !request.tokens.tokens;
  for (std::uint32_t s = 0; s < request.settings.inference.compile.sequences; ++s) {
    plans.push_back(same && s != 0 ? plans.front() : plan_tokens(request_of(request, s), model));
    if (same && s != 0) plans.back().notes.clear();
  }
  return plans;
}

std::uint32_t longest_of(const std::vector<TokenPlan>& plans) {
  std::size_t most = 0;
  for (const TokenPlan& plan : plans) most = std::max(most, plan.generated.size());
  return static_cast<std::uint32_t>(most);
}

// Gives the machine the plans' tokens. A sequence whose plan is at its end has ended.
void run_timing_only(const std::vector<TokenPlan>& plans, const RunOutput& output, ModelRun& run) {
  RunReport& report = run.report;
  report.sequences.resize(plans.size());
  std::vector<std::vector<model::TokenId>> planned;
  for (std::size_t s = 0; s < plans.size(); ++s) {
    report.sequences[s].prompt = plans[s].prompt_text;
    report.sequences[s].prompt_tokens = plans[s].prompt;
    planned.push_back(plans[s].generated);
    tell(plans[s].notes, output);
  }
  report.prompt_source = plans.front().prompt_source;
  report.token_source = plans.front().token_source;
  check_positions(run);
  note_small_batch(output, run);
  if (output.checkpoints != nullptr) output.checkpoints->begin(run, planned);
  const auto next = [&](std::uint32_t sequence, const std::vector<float>*) {
    const std::size_t at = report.sequences[sequence].ids.size();
    const bool last = at + 1 == planned[sequence].size() && at + 1 < run.settings.new_tokens;
    return NextToken{planned[sequence][at], "", last};
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
    const std::vector<TokenPlan> plans = plans_of(request, model);
    plan_experts(request.tokens.experts, model, run.settings.inference);
    if (model.shape().experts != 0) tell({experts_note(request.tokens, run.settings.inference)}, output);
    run.settings.new_tokens = longest_of(plans);
    attach(output, run);
    run.inference = std::make_unique<Inference>(model, machine, run.settings.inference);
    return run_timing_only(plans, output, run);
  }
  const auto tokenizer = model::make_tokenizer(model.file());
  attach(output, run);
  for (std::uint32_t s = 0; s < run.settings.inference.compile.sequences; ++s) {
    model::SamplerOptions options = run.settings.sampler;
    options.seed += s;
    run.samplers.emplace_back(options);
  }
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
