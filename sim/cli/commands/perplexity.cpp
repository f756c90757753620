// SPDX-License-Identifier: Apache-2.0
// tokencycle perplexity: how well a model predicts a text.
#include <fmt/format.h>

#include <chrono>
#include <functional>

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

// The first half needs no logits.
Logits evaluate_by_machine(host::Inference& inference, std::span<const model::TokenId> window) {
  inference.reset();
  const std::size_t half = window.size() / 2;
  inference.evaluate(window.first(half), false);
  Logits logits(half);
  for (host::StepReport& step : inference.evaluate(window.subspan(half), true)) {
    for (auto& row : step.logits) logits.push_back(std::move(row));
  }
  return logits;
}

}  // namespace

OptionParser perplexity_parser() {
  OptionParser parser(
      "perplexity [-m MODEL] -f TEXT [-c CONFIG] [options]",
      "Perplexity over windows of N tokens: each begins with BOS and an empty cache, its "
      "second half is\nscored. Without "
      "-c by the reference; with -c by the simulated machine (the same figure, to the last digit).",
      "tokencycle perplexity -f models/heldout.txt --window 256");
  parser.add()("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)")(
      "file,f", po::value<std::string>(), "UTF-8 text; - is standard input")(
      "window", po::value<long long>()->default_value(256), "tokens of a window")(
      "config,c", po::value<std::string>(), "evaluate on this machine")(
      "kv-type", po::value<std::string>()->default_value("f16"),
      ("format of the KV cache: " + kCacheFormats.names(" or ")).c_str());
  add_set_option(parser);
  add_output_forms(parser, "field");
  return parser;
}

ExitCode perplexity_command(const Arguments& arguments) {
  OptionParser parser = perplexity_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (parser.has("set") && !parser.has("config")) {
    throw UsageError("--set changes a machine, and none is given; name it with -c");
  }
  const std::string text = read_input(parser.require("file"));
  const Format kv_format = cache_format_of(parser);
  // Of some models the rotary factors depend on the positions of a run: those of a window.
  const std::uint32_t window = parser.count("window");
  const model::LlamaModel model(model::GgufFile(model_path(parser)), std::nullopt, window);
  const auto tokenizer = model::make_tokenizer(model.file());
  if (window < 2 || window > model.shape().context) {
    throw UsageError(
        fmt::format("--window is {}; with this model it must be 2 to {}", window, model.shape().context));
  }
  const std::size_t tokens_of_text = tokenizer->encode(text, true, false).size();
  const std::size_t windows = tokens_of_text / window;
  if (windows == 0) {
    throw ModelError(fmt::format(
        "{}: the text has {} tokens, and one window takes {}; give a longer text or a smaller --window",
        shown_name(parser.get<std::string>("file")), tokens_of_text, window));
  }

  const auto begin = std::chrono::steady_clock::now();
  model::Perplexity result;
  std::string by = "the reference";
  WindowView view(windows);
  if (parser.has("config")) {
    const config::Machine machine = machine_with(machine_options_of(parser));
    host::InferenceOptions options;
    options.compile.kv_format = kv_format;
    options.pulse = [&view](Cycle now) { view.live().update(now.value); };
    host::Inference inference(model, machine, options);
    by = "machine " + machine.name;
    result = model::perplexity(*tokenizer, text, window, [&](std::span<const model::TokenId> w) {
      view.begin_window();
      return evaluate_by_machine(inference, w);
    });
  } else {
    model::Reference reference(model, kv_format);
    view.live().set_unit("tokens");
    std::uint64_t tokens = 0;
    result = model::perplexity(*tokenizer, text, window, [&](std::span<const model::TokenId> w) {
      view.begin_window();
      return evaluate_by_reference(reference, w, [&] { view.live().update(++tokens); });
    });
  }
  view.live().end();
  if (form != OutputForm::text) {
    print_now(document_text({{{"schema", "tokencycle-perplexity-1"},
                              {"version", TOKENCYCLE_VERSION},
                              {"model", model.file().path().filename().string()},
                              {"by", by},
                              {"kv_format", name_of(kv_format)},
                              {"window", window},
                              {"windows", result.windows},
                              {"scored_tokens", result.scored_tokens},
                              {"perplexity", result.value}},
                             ""},
                            form));
    return ExitCode::success;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("perplexity {:.6f} by {}: {} tokens scored in {} windows of {} ({:.1f} s)\n", result.value, by,
             with_separators(result.scored_tokens), result.windows, window, seconds);
  return ExitCode::success;
}

}  // namespace tokencycle::cli
