// SPDX-License-Identifier: Apache-2.0
// tokencycle perplexity: how well a model predicts a text.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "base/read_file.h"
#include "base/text.h"
#include "cli/document.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/standard_output.h"
#include "cli/terminal/live_view.h"
#include "host/inference.h"
#include "host/places.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

using Logits = std::vector<std::vector<float>>;

// Windows done and to come, and what is counted on the way.
class WindowView {
 public:
  explicit WindowView(std::uint64_t windows) : live_(live_mode(false)), windows_(windows) {
    live_.begin(static_cast<double>(windows_));
  }
  void begin_window() {
    if (begun_ > 0) live_.done(1);
    live_.set_place(fmt::format("window {} of {}", ++begun_, windows_));
  }
  LiveView& live() { return live_; }

 private:
  LiveView live_;
  std::uint64_t windows_, begun_ = 0;
};

Logits evaluate_by_reference(model::Reference& reference, std::span<const model::TokenId> window,
                             const std::function<void()>& evaluated) {
  reference.reset();
  Logits logits;
  for (const model::TokenId token : window) {
    const auto row = reference.step(token);
    const bool scored = logits.size() >= window.size() / 2;
    logits.emplace_back(scored ? std::vector<float>(row.begin(), row.end()) : std::vector<float>());
    evaluated();
  }
  return logits;
}

constexpr std::size_t kSingleTokens = 8;  // of each window, at most, so that decode steps are counted, too

// Cycles of the steps that a machine made.
struct StepCycles {
  std::uint64_t prompt = 0, prompt_tokens = 0;  // first halves, many tokens in a step
  std::vector<std::uint64_t> single;            // of each token that had a step of its own

  std::uint64_t median() const {
    std::vector<std::uint64_t> sorted = single;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0 : sorted[sorted.size() / 2];
  }
  std::uint64_t per_prompt_token() const { return prompt_tokens == 0 ? 0 : prompt / prompt_tokens; }
};

std::uint64_t cycles_of(const std::vector<host::StepReport>& steps) {
  return steps.back().execution.end.value - steps.front().execution.start.value;
}

// The first half needs no logits; the last tokens are read one at a time.
Logits evaluate_by_machine(host::Inference& inference, std::span<const model::TokenId> window,
                           StepCycles& cycles) {
  inference.reset();
  const std::size_t half = window.size() / 2, rest = window.size() - half;
  const std::size_t single = std::min(kSingleTokens, rest - 1);
  Logits logits(half);
  const auto read = [&](std::size_t first, std::size_t count) {
    auto steps = inference.evaluate(window.subspan(first, count), true);
    for (host::StepReport& step : steps) {
      for (auto& row : step.logits) logits.push_back(std::move(row));
    }
    return cycles_of(steps);
  };
  cycles.prompt += cycles_of(inference.evaluate(window.first(half), false));
  cycles.prompt_tokens += half;
  read(half, rest - single);
  for (std::size_t i = window.size() - single; i < window.size(); ++i) cycles.single.push_back(read(i, 1));
  return logits;
}

// What every model of the command is asked.
struct Question {
  std::string text, file;
  std::uint32_t window = 0;
  Format kv_format = Format::f16;
  std::optional<config::Machine> machine;
};

struct Answer {
  std::string model;
  std::uint64_t bytes = 0;  // of its weights
  model::Perplexity result;
  std::optional<StepCycles> cycles;  // by a machine
  double seconds = 0;
};

std::string evaluator_of(const Question& q) {
  return q.machine ? "machine " + q.machine->name : "the reference";
}

std::uint64_t windows_of(const model::Tokenizer& tokenizer, const Question& q,
                         const model::LlamaModel& model) {
  if (q.window < 2 || q.window > model.shape().context) {
    throw UsageError(
        fmt::format("--window is {}; with this model it must be 2 to {}", q.window, model.shape().context));
  }
  const std::size_t tokens = tokenizer.encode(q.text, true, false).size();
  if (tokens >= q.window) return tokens / q.window;
  throw ModelError(fmt::format(
      "{}: the text has {} tokens, and one window takes {}; give a longer text or a smaller --window",
      shown_name(q.file), tokens, q.window));
}

Answer answer(const std::filesystem::path& file, const Question& q) {
  // Of some models the rotary factors depend on the positions of a run: those of a window.
  const model::LlamaModel model(model::GgufFile(file), std::nullopt, q.window);
  const auto tokenizer = model::make_tokenizer(model.file());
  const auto begin = std::chrono::steady_clock::now();
  WindowView view(windows_of(*tokenizer, q, model));
  Answer a{model.file().path().filename().string(), model.file().data_bytes(), {}, {}, 0};
  if (q.machine) {
    host::InferenceOptions options;
    options.compile.kv_format = q.kv_format;
    options.pulse = [&view](Cycle now) { view.live().update(now.value); };
    host::Inference inference(model, *q.machine, options);
    a.cycles.emplace();
    a.result = model::perplexity(*tokenizer, q.text, q.window, [&](std::span<const model::TokenId> w) {
      view.begin_window();
      return evaluate_by_machine(inference, w, *a.cycles);
    });
  } else {
    model::Reference reference(model, q.kv_format);
    view.live().set_unit("tokens");
    std::uint64_t tokens = 0;
    a.result = model::perplexity(*tokenizer, q.text, q.window, [&](std::span<const model::TokenId> w) {
      view.begin_window();
      return evaluate_by_reference(reference, w, [&] { view.live().update(++tokens); });
    });
  }
  view.live().end();
  a.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return a;
}

nlohmann::ordered_json json_of(const Answer& a, const Question& q) {
  nlohmann::ordered_json json = {{"model", a.model},
                                 {"weight_bytes", a.bytes},
                                 {"by", evaluator_of(q)},
                                 {"kv_format", name_of(q.kv_format)},
                                 {"window", q.window},
                                 {"windows", a.result.windows},
                                 {"scored_tokens", a.result.scored_tokens},
                                 {"perplexity", a.result.value}};
  if (!a.cycles) return json;
  json["prompt_token_cycles"] = a.cycles->per_prompt_token();
  json["token_cycles"] = a.cycles->median();
  return json;
}

Document document_of(const std::vector<Answer>& answers, const Question& q) {
  nlohmann::ordered_json json = {{"schema", "tokencycle-perplexity-1"}, {"version", TOKENCYCLE_VERSION}};
  if (answers.size() == 1) {
    json.update(json_of(answers.front(), q));
    return {json, ""};
  }
  json["models"] = nlohmann::ordered_json::array();
  for (const Answer& a : answers) json["models"].push_back(json_of(a, q));
  return {json, "models"};
}

void print_answer(const Answer& a, const Question& q) {
  fmt::print("perplexity {:.6f} by {}: {} tokens scored in {} windows of {} ({:.1f} s)\n", a.result.value,
             evaluator_of(q), with_separators(a.result.scored_tokens), a.result.windows, q.window, a.seconds);
  if (!a.cycles) return;
  fmt::print("cycles     {} per token, {} per token of a prompt\n", with_separators(a.cycles->median()),
             with_separators(a.cycles->per_prompt_token()));
}

void print_table(const std::vector<Answer>& answers, const Question& q) {
  fmt::print("by {}: {} tokens scored in {} windows of {}\n\n", evaluator_of(q),
             with_separators(answers.front().result.scored_tokens), answers.front().result.windows, q.window);
  std::size_t width = 5;
  for (const Answer& a : answers) width = std::max(width, a.model.size());
  fmt::print("{:<{}}  {:>12}  {:>10}{}\n", "model", width, "weight bytes", "perplexity",
             q.machine ? "  cycles per token  of a prompt" : "");
  for (const Answer& a : answers) {
    fmt::print("{:<{}}  {:>12}  {:>10.4f}", a.model, width, with_separators(a.bytes), a.result.value);
    if (a.cycles) {
      fmt::print("  {:>16}  {:>11}", with_separators(a.cycles->median()),
                 with_separators(a.cycles->per_prompt_token()));
    }
    fmt::print("\n");
  }
}

std::vector<std::filesystem::path> models_of(const OptionParser& parser) {
  std::vector<std::filesystem::path> files;
  for (const std::string& file : parser.texts("model")) files.push_back(named_model(file));
  if (files.empty()) files.push_back(host::bundled_model());
  return files;
}

}  // namespace

OptionParser perplexity_parser() {
  OptionParser parser(
      "perplexity [-m MODEL]... -f TEXT [-c CONFIG] [options]",
      "Perplexity over windows of N tokens: each begins with BOS and an empty cache, its "
      "second half is\nscored. Without "
      "-c by the reference; with -c by the simulated machine (the same figure, to the last digit), with "
      "the\ncycles of a token. Of several models a line each: those of one tokenizer compare.",
      "tokencycle perplexity -f models/heldout.txt --window 256");
  parser.add()("model,m", po::value<std::vector<std::string>>()->composing(),
               "GGUF file; may be repeated (default: the bundled model)")("file,f", po::value<std::string>(),
                                                                          "UTF-8 text; - is standard input")(
      "window", po::value<long long>()->default_value(256), "tokens of a window")(
      "config,c", po::value<std::string>(), "evaluate on this machine")(
      "kv-type", po::value<std::string>()->default_value("f16"),
      ("format of the KV cache: " + kCacheFormats.names(" or ")).c_str());
  add_set_option(parser);
  add_output_forms(parser, "field, or for a model where there are several");
  return parser;
}

ExitCode perplexity_command(const Arguments& arguments) {
  OptionParser parser = perplexity_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (parser.has("set") && !parser.has("config")) {
    throw UsageError("--set changes a machine, and none is given; name it with -c");
  }
  Question question{read_input(parser.require("file")), parser.get<std::string>("file"),
                    parser.count("window"), cache_format_of(parser), std::nullopt};
  const std::vector<std::filesystem::path> files = models_of(parser);
  if (parser.has("config")) question.machine = machine_with(machine_options_of(parser));
  std::vector<Answer> answers;
  for (const std::filesystem::path& file : files) answers.push_back(answer(file, question));
  if (form != OutputForm::text) {
    print_now(document_text(document_of(answers, question), form));
  } else if (answers.size() == 1) {
    print_answer(answers.front(), question);
  } else {
    print_table(answers, question);
  }
  return ExitCode::success;
}

}  // namespace tokencycle::cli
