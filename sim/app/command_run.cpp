// SPDX-License-Identifier: Apache-2.0
// tokencycle run: prompt in, text and cycles out; or a hand-written program.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "app/command.h"
#include "app/machine_options.h"
#include "app/program_run.h"
#include "app/result.h"
#include "app/timing_only.h"
#include "app/traces.h"
#include "base/text.h"
#include "model/config_json.h"

namespace tokencycle::app {

namespace po = boost::program_options;

namespace {

OptionParser make_parser() {
  OptionParser parser("run [-m MODEL] [-c CONFIG] -p PROMPT [-n N] [options]",
                      "Runs a model on a machine: the text it writes, and what every cycle was spent on.",
                      "tokencycle run -c edge -p \"Once upon a time\" -n 32 --result out.json");
  auto add = parser.add();
  add("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)");
  add("config,c", po::value<std::string>()->default_value("edge"),
      "machine description, file or name in configs/");
  add("tiling", po::value<std::string>(), "most M,N,K of one matrix instruction; 0: as many as fit");
  add("prompt,p", po::value<std::string>(), "text to continue (default: Once upon a time)");
  add("new-tokens,n", po::value<long long>(), "tokens to generate (default: 32)");
  add("result", po::value<std::string>(), "write everything counted to this JSON file");
  add("trace", po::value<std::vector<std::string>>()->composing(),
      "write a trace; repeat for more: .pftrace[.gz] (Perfetto), .kanata[.gz] (Konata), .vcd, .fst "
      "(GTKWave), "
      ".tokens.csv, .operators.csv");
  add("trace-level", po::value<int>(), "Perfetto: 1 tokens to operators, 2 also units and instructions");
  add("trace-window", po::value<std::string>(),
      "token:3..4, cycle:1000..2000 or op:NAME (* for any letters)");
  add("trace-max-bytes", po::value<std::string>()->default_value("67108864"), "of a file before compression");
  add("check", po::bool_switch(), "compare every operator's result with the reference, bit for bit");
  add("temperature", po::value<double>()->default_value(0.0), "0: always the likeliest token");
  add("top-k", po::value<long long>()->default_value(40), "sample among the K likeliest (0: all)");
  add("top-p", po::value<double>()->default_value(0.95, "0.95"),
      "and among those that make up this probability");
  add("seed", po::value<std::string>()->default_value("0"), "of the sampler");
  add("ignore-eos", po::bool_switch(), "go on after the end of the text");
  add("context", po::value<long long>()->default_value(0), "positions of the KV cache (0: the model's)");
  add("batch", po::value<long long>()->default_value(0), "prompt tokens a step (0: as many as fit)");
  add("kv-type", po::value<std::string>()->default_value("f16"), "format of the KV cache: f16 or f32");
  add("rope", po::value<std::string>(), "rotary pairs: adjacent or split (default: the architecture's)");
  add("clock", po::value<std::string>()->default_value("gated"),
      "gated or every-edge: same events, other speed");
  add("timing-only", po::bool_switch(), "cycles alone, without values or text; -m may lack weights");
  add("weights", po::value<std::string>(),
      "of a config.json: f32, f16, bf16, q8_0, q4_0 (default: torch_dtype)");
  add("prompt-tokens", po::value<long long>(), "with --timing-only: a prompt of N tokens in place of a text");
  add("tokens", po::value<std::string>(), "with --timing-only: ids [PROMPT:]NEW as 1,2:3,4, or @RESULT.json");
  add("program", po::value<std::string>(), "run this program file instead of a model");
  add("dump", po::value<std::vector<std::string>>()->composing(),
      "with --program: print memory at the end, dram|scratchpad|accumulator:ADDRESS:FORMAT:COUNT");
  add("quiet,q", po::bool_switch(), "print the generated text alone");
  return parser;
}

template <class T>
T choose(const OptionParser& parser, const std::string& name,
         std::initializer_list<std::pair<const char*, T>> choices) {
  const std::string value = parser.get<std::string>(name);
  std::string allowed;
  for (const auto& [text, choice] : choices) {
    if (value == text) return choice;
    allowed += allowed.empty() ? text : std::string(" or ") + text;
  }
  throw UsageError(fmt::format("--{} is '{}'; it must be {}", name, value, allowed));
}

RunSettings settings_of(const OptionParser& parser) {
  RunSettings s;
  s.sampler = {parser.get<double>("temperature"), parser.count("top-k"), parser.get<double>("top-p"),
               parser.unsigned_number("seed")};
  if (parser.has("new-tokens")) s.new_tokens = parser.count("new-tokens");
  if (s.new_tokens == 0) throw UsageError("--new-tokens is 0; it must be at least 1");
  s.ignore_eos = parser.get<bool>("ignore-eos");
  s.inference.check = parser.get<bool>("check");
  s.inference.clocking =
      choose<Clocking>(parser, "clock", {{"gated", Clocking::gated}, {"every-edge", Clocking::every_edge}});
  s.inference.compile.kv_format =
      choose<Format>(parser, "kv-type", {{"f16", Format::f16}, {"f32", Format::f32}});
  s.inference.compile.context = parser.count("context");
  s.inference.compile.max_batch = parser.count("batch");
  if (parser.get<bool>("timing-only")) s.inference.values = core::Values::absent;
  return s;
}

// A program runs without a model: what asks for one would be ignored.
void refuse_model_options(const OptionParser& parser) {
  for (const char* option : {"model", "result", "weights", "prompt-tokens", "tokens"}) {
    if (parser.has(option)) throw UsageError(fmt::format("--{} does not go with --program", option));
  }
  if (parser.get<bool>("check")) throw UsageError("--check does not go with --program: it has no reference");
  if (parser.get<bool>("timing-only")) {
    throw UsageError(
        "--timing-only does not go with --program: a program may compute the rows that it gathers");
  }
}

// What needs values does not go without them, and the other way round.
void refuse_mixed_options(const OptionParser& parser, const RunSettings& settings) {
  if (settings.inference.values == core::Values::computed) {
    for (const char* option : {"weights", "prompt-tokens", "tokens"}) {
      if (parser.has(option)) throw UsageError(fmt::format("--{} goes with --timing-only; add it", option));
    }
    return;
  }
  if (settings.inference.check) {
    throw UsageError("--check does not go with --timing-only: there are no values to compare");
  }
  if (settings.sampler.temperature != 0) {
    throw UsageError(
        "--temperature does not go with --timing-only: there are no logits to sample from; "
        "give the tokens' ids with --tokens");
  }
}

void add_uses(std::vector<observe::OperatorUse>& sum, const std::vector<observe::OperatorUse>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) {
    sum[i].cycles += more[i].cycles;
    sum[i].instructions += more[i].instructions;
  }
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

// Text goes out as soon as its token is written back.
void stream(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw IoError("standard output was closed; use --result FILE to keep the figures");
  }
}

// The token after a step, by whatever chooses it.
struct NextToken {
  model::TokenId id = 0;
  std::string text;
  bool ends = false;  // the text; its spelling is no part of it
};
using TokenSource = std::function<NextToken(const StepReport& last)>;

void check_positions(const RunSettings& settings, const Inference& inference, const RunReport& report) {
  const std::size_t needed = report.prompt_tokens.size() + settings.new_tokens - 1;
  if (needed > inference.context()) {
    throw SimulationError(
        fmt::format("{} prompt tokens and {} new ones need {} positions, and the context has {}; use a "
                    "shorter prompt, a smaller "
                    "-n, or a larger --context if the model has one",
                    report.prompt_tokens.size(), settings.new_tokens, needed, inference.context()));
  }
}

void generate(const RunSettings& settings, const TokenSource& next, Inference& inference, RunReport& report) {
  report.stop_reason = "length";
  std::vector<StepReport> steps = inference.evaluate(report.prompt_tokens, false);
  for (const StepReport& s : steps) add_uses(report.prefill_operators, s.operators);
  const char* phase = "prefill";
  for (std::uint32_t n = 0;;) {
    const NextToken token = next(steps.back());
    report.tokens.push_back(token_report(steps, token.id, token.text, phase));
    if (token.ends) {
      report.stop_reason = "end of text";
      break;
    }
    if (++n == settings.new_tokens) break;
    steps = inference.evaluate(std::span(&token.id, 1), false);
    phase = "decode";
    for (const StepReport& s : steps) add_uses(report.decode_operators, s.operators);
  }
}

// Samples tokens and writes their text.
void run_functional(const RunSettings& settings, const model::Tokenizer& tokenizer, bool show_prompt,
                    Inference& inference, RunReport& report) {
  report.prompt_tokens = tokenizer.encode(report.prompt, true, true);
  if (report.prompt_tokens.empty()) {
    throw UsageError("--prompt is empty and the vocabulary has no BOS token to begin with");
  }
  check_positions(settings, inference, report);
  model::Sampler sampler(settings.sampler);
  if (show_prompt) stream(report.prompt);
  const auto sample = [&](const StepReport& last) {
    NextToken token{sampler.next(last.logits.back()), "", false};
    token.ends = tokenizer.ends_text(token.id) && !settings.ignore_eos;
    if (!token.ends) token.text = tokenizer.decode(token.id);
    stream(token.text);
    return token;
  };
  generate(settings, sample, inference, report);
  stream("\n");
}

// Gives the machine the plan's tokens.
void run_timing_only(const RunSettings& settings, const TokenPlan& plan, Inference& inference,
                     RunReport& report) {
  report.prompt = plan.prompt_text;
  report.prompt_tokens = plan.prompt;
  report.prompt_source = plan.prompt_source;
  report.token_source = plan.token_source;
  check_positions(settings, inference, report);
  std::size_t n = 0;
  generate(
      settings,
      [&](const StepReport&) {
        return NextToken{plan.generated[n++], "", false};
      },
      inference, report);
}

// A line a step in place of the text.
void print_step(const StepReport& step) {
  stream(fmt::format("{:>6} token{} {:>20} cycles\n", with_separators(step.tokens),
                     step.tokens == 1 ? " " : "s",
                     with_separators(step.execution.end.value - step.execution.start.value)));
}

void print_results(const OptionParser& parser, const model::LlamaModel& model, const config::Machine& machine,
                   const RunSettings& settings, const RunReport& report, Inference& inference) {
  const bool quiet = parser.get<bool>("quiet");
  if (!quiet) fmt::print("\n{}", summary_text(model, machine, report, inference));
  if (settings.inference.check && !quiet)
    fmt::print("check           every operator's result equals the reference bit for bit\n");
  if (!parser.has("result")) return;
  const std::string file = parser.get<std::string>("result");
  write_text(file, result_json(model, machine, settings, report, inference).dump(2) + "\n");
  if (!quiet) fmt::print("result          written to {}\n", file);
}

TraceRequest traces_of(const OptionParser& parser) {
  TraceRequest request;
  if (!parser.has("trace")) {
    for (const char* option : {"trace-level", "trace-window"}) {
      if (parser.has(option)) throw UsageError(fmt::format("--{} goes with --trace FILE; add it", option));
    }
    return request;
  }
  request.files = parser.get<std::vector<std::string>>("trace");
  if (parser.has("trace-level")) request.level = parser.get<int>("trace-level");
  if (parser.has("trace-window")) request.window = parser.get<std::string>("trace-window");
  request.max_bytes = parser.unsigned_number("trace-max-bytes");
  return request;
}

template <class T>
std::optional<T> given(const OptionParser& parser, const std::string& name) {
  return parser.has(name) ? std::optional<T>(parser.get<T>(name)) : std::nullopt;
}
std::optional<std::uint32_t> given_count(const OptionParser& parser, const std::string& name) {
  return parser.has(name) ? std::optional(parser.count(name)) : std::nullopt;
}

model::GgufFile open_model(const OptionParser& parser, const RunSettings& settings) {
  const auto path =
      parser.has("model") ? std::filesystem::path(parser.get<std::string>("model")) : bundled_model();
  if (settings.inference.values == core::Values::absent) {
    return open_shapes(path, given<std::string>(parser, "weights"));
  }
  if (model::looks_like_config_json(path)) {
    throw ModelError(
        fmt::format("{}: this looks like a config.json, which has a model's shape and no weights; add "
                    "--timing-only, or give a GGUF file",
                    path.string()));
  }
  return model::GgufFile(path);
}

}  // namespace

ExitCode run_command(const Arguments& arguments) {
  OptionParser parser = make_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  MachineOptions machine_options{parser.get<std::string>("config"), {}, {}, false};
  if (parser.has("tiling")) machine_options.tiling = parser.get<std::string>("tiling");
  const config::Machine machine = machine_with(machine_options);
  RunSettings settings = settings_of(parser);
  const bool quiet = parser.get<bool>("quiet");
  if (parser.has("result")) check_writable(parser.get<std::string>("result"));
  if (parser.has("program")) {
    refuse_model_options(parser);
    const auto dumps =
        parser.has("dump") ? parser.get<std::vector<std::string>>("dump") : std::vector<std::string>{};
    run_program(parser.get<std::string>("program"), machine, settings.inference.clocking, dumps, quiet,
                traces_of(parser));
    return ExitCode::success;
  }
  if (parser.has("dump")) throw UsageError("--dump prints the memory that a --program leaves; name one");
  std::optional<model::RopePairs> rope;
  if (parser.has("rope")) {
    rope = choose<model::RopePairs>(
        parser, "rope", {{"adjacent", model::RopePairs::adjacent}, {"split", model::RopePairs::split}});
  }
  refuse_mixed_options(parser, settings);

  const auto begin = std::chrono::steady_clock::now();
  const model::LlamaModel model(open_model(parser, settings), rope);
  RunReport report;
  Traces traces(traces_of(parser),
                fmt::format("{} on {}", model.file().path().filename().string(), machine.name), machine);
  settings.inference.traces = &traces;
  std::unique_ptr<Inference> inference;
  if (settings.inference.values == core::Values::absent) {
    const TokenPlan plan =
        plan_tokens({given<std::string>(parser, "prompt"), given_count(parser, "prompt-tokens"),
                     given<std::string>(parser, "tokens"), given_count(parser, "new-tokens")},
                    model);
    settings.new_tokens = static_cast<std::uint32_t>(plan.generated.size());
    if (!quiet) settings.inference.on_step = print_step;
    inference = std::make_unique<Inference>(model, machine, settings.inference);
    run_timing_only(settings, plan, *inference, report);
  } else {
    const auto tokenizer = model::make_tokenizer(model.file());
    inference = std::make_unique<Inference>(model, machine, settings.inference);
    report.prompt = given<std::string>(parser, "prompt").value_or(kDefaultPrompt);
    run_functional(settings, *tokenizer, !quiet, *inference, report);
  }
  report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  traces.close(report.tokens.back().end);
  report.traces = traces.summary_json();
  fmt::print(stderr, "{}", traces.warning());
  print_results(parser, model, machine, settings, report, *inference);
  if (!quiet) fmt::print("{}", traces.summary_text());
  return ExitCode::success;
}

}  // namespace tokencycle::app
