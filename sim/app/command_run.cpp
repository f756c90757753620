// SPDX-License-Identifier: Apache-2.0
// tokencycle run: prompt in, text and cycles out; or a hand-written program.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "app/command.h"
#include "app/program_run.h"
#include "app/result.h"

namespace tokencycle::app {

namespace po = boost::program_options;

namespace {

OptionParser make_parser() {
  OptionParser parser("run [-m MODEL] [-c CONFIG] -p PROMPT [-n N] [options]",
                      "Runs a model on a machine: the text it writes, and what every cycle was spent on.",
                      "tokencycle run -c edge -p \"Once upon a time\" -n 32 --result out.json");
  parser.add()("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)")(
      "config,c", po::value<std::string>()->default_value("edge"),
      "machine description, file or name in configs/")(
      "prompt,p", po::value<std::string>()->default_value("Once upon a time"), "text to continue")(
      "new-tokens,n", po::value<long long>()->default_value(32), "tokens to generate")(
      "result", po::value<std::string>(), "write everything counted to this JSON file")(
      "check", po::bool_switch(), "compare every operator's result with the reference, bit for bit")(
      "temperature", po::value<double>()->default_value(0.0), "0: always the likeliest token")(
      "top-k", po::value<long long>()->default_value(40), "sample among the K likeliest (0: all)")(
      "top-p", po::value<double>()->default_value(0.95, "0.95"),
      "and among those that make up this probability")("seed", po::value<std::string>()->default_value("0"),
                                                       "of the sampler")("ignore-eos", po::bool_switch(),
                                                                         "go on after the end of the text")(
      "context", po::value<long long>()->default_value(0), "positions of the KV cache (0: the model's)")(
      "batch", po::value<long long>()->default_value(0), "prompt tokens a step (0: as many as fit)")(
      "kv-type", po::value<std::string>()->default_value("f16"), "format of the KV cache: f16 or f32")(
      "rope", po::value<std::string>(), "rotary pairs: adjacent or split (default: the architecture's)")(
      "clock", po::value<std::string>()->default_value("gated"),
      "gated or every-edge: same events, other speed")("program", po::value<std::string>(),
                                                       "run this program file instead of a model")(
      "dump", po::value<std::vector<std::string>>()->composing(),
      "with --program: print memory at the end, dram|scratchpad|accumulator:ADDRESS:FORMAT:COUNT")(
      "quiet,q", po::bool_switch(), "print the generated text alone");
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
  s.new_tokens = parser.count("new-tokens");
  if (s.new_tokens == 0) throw UsageError("--new-tokens is 0; it must be at least 1");
  s.ignore_eos = parser.get<bool>("ignore-eos");
  s.inference.check = parser.get<bool>("check");
  s.inference.clocking =
      choose<Clocking>(parser, "clock", {{"gated", Clocking::gated}, {"every-edge", Clocking::every_edge}});
  s.inference.compile.kv_format =
      choose<Format>(parser, "kv-type", {{"f16", Format::f16}, {"f32", Format::f32}});
  s.inference.compile.context = parser.count("context");
  s.inference.compile.max_batch = parser.count("batch");
  return s;
}

// A program runs without a model: what asks for one would be ignored.
void refuse_model_options(const OptionParser& parser) {
  for (const char* option : {"model", "result"}) {
    if (parser.has(option)) throw UsageError(fmt::format("--{} does not go with --program", option));
  }
  if (parser.get<bool>("check")) throw UsageError("--check does not go with --program: it has no reference");
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

void generate(const model::Tokenizer& tokenizer, const RunSettings& settings, bool show_prompt,
              Inference& inference, RunReport& report) {
  model::Sampler sampler(settings.sampler);
  const std::size_t needed = report.prompt_tokens.size() + settings.new_tokens - 1;
  if (needed > inference.context()) {
    throw SimulationError(
        fmt::format("{} prompt tokens and {} new ones need {} positions, and the context has {}; use a "
                    "shorter prompt, a smaller "
                    "-n, or a larger --context if the model has one",
                    report.prompt_tokens.size(), settings.new_tokens, needed, inference.context()));
  }
  if (show_prompt) stream(report.prompt);
  report.stop_reason = "length";
  std::vector<StepReport> steps = inference.evaluate(report.prompt_tokens, false);
  for (const StepReport& s : steps) add_uses(report.prefill_operators, s.operators);
  const char* phase = "prefill";
  for (std::uint32_t n = 0;;) {
    const model::TokenId id = sampler.next(steps.back().logits.back());
    const bool ends = tokenizer.ends_text(id) && !settings.ignore_eos;
    const std::string text = ends ? "" : tokenizer.decode(id);  // the end's spelling is no part of the text
    report.tokens.push_back(token_report(steps, id, text, phase));
    if (ends) {
      report.stop_reason = "end of text";
      break;
    }
    stream(text);
    if (++n == settings.new_tokens) break;
    steps = inference.evaluate(std::span(&id, 1), false);
    phase = "decode";
    for (const StepReport& s : steps) add_uses(report.decode_operators, s.operators);
  }
}

}  // namespace

ExitCode run_command(const Arguments& arguments) {
  OptionParser parser = make_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const config::Machine machine = config::read_machine(find_configuration(parser.get<std::string>("config")));
  const RunSettings settings = settings_of(parser);
  const bool quiet = parser.get<bool>("quiet");
  if (parser.has("result")) check_writable(parser.get<std::string>("result"));
  if (parser.has("program")) {
    refuse_model_options(parser);
    const auto dumps =
        parser.has("dump") ? parser.get<std::vector<std::string>>("dump") : std::vector<std::string>{};
    run_program(parser.get<std::string>("program"), machine, settings.inference.clocking, dumps, quiet);
    return ExitCode::success;
  }
  if (parser.has("dump")) throw UsageError("--dump prints the memory that a --program leaves; name one");
  std::optional<model::RopePairs> rope;
  if (parser.has("rope")) {
    rope = choose<model::RopePairs>(
        parser, "rope", {{"adjacent", model::RopePairs::adjacent}, {"split", model::RopePairs::split}});
  }
  const auto path =
      parser.has("model") ? std::filesystem::path(parser.get<std::string>("model")) : bundled_model();

  const auto begin = std::chrono::steady_clock::now();
  const model::LlamaModel model(model::GgufFile(path), rope);
  const auto tokenizer = model::make_tokenizer(model.file());
  Inference inference(model, machine, settings.inference);
  RunReport report;
  report.prompt = parser.get<std::string>("prompt");
  report.prompt_tokens = tokenizer->encode(report.prompt, true, true);
  if (report.prompt_tokens.empty())
    throw UsageError("--prompt is empty and the vocabulary has no BOS token to begin with");
  generate(*tokenizer, settings, !quiet, inference, report);
  report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  stream("\n");

  if (!quiet) fmt::print("\n{}", summary_text(model, machine, report, inference));
  if (settings.inference.check && !quiet)
    fmt::print("check           every operator's result equals the reference bit for bit\n");
  if (parser.has("result")) {
    const std::string file = parser.get<std::string>("result");
    write_text(file, result_json(model, machine, settings, report, inference).dump(2) + "\n");
    if (!quiet) fmt::print("result          written to {}\n", file);
  }
  return ExitCode::success;
}

}  // namespace tokencycle::app
