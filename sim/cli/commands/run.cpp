// SPDX-License-Identifier: Apache-2.0
// tokencycle run: prompt in, text and cycles out; or a hand-written program.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "base/text.h"
#include "cli/document.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/output_files.h"
#include "cli/program_run.h"
#include "cli/standard_output.h"
#include "cli/sweep/what_if.h"
#include "cli/terminal/run_view.h"
#include "host/checkpoint.h"
#include "host/files.h"
#include "host/model_run.h"
#include "host/places.h"
#include "host/result/json_text.h"
#include "host/traces.h"
#include "observe/trace.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

OptionParser run_parser() {
  OptionParser parser("run [-m MODEL] [-c CONFIG] -p PROMPT [-n N] [options]",
                      "Runs a model on a machine: the text it writes, and what every cycle was spent on.",
                      "tokencycle run -c edge -p \"My dear Miss\" -n 32 --result out.json");
  add_model_options(parser);
  auto add = parser.add();
  add_machine_options(parser);
  add_technology_option(parser);
  add("result", po::value<std::string>(), "write everything counted to this JSON file; - prints it");
  add("trace", po::value<std::vector<std::string>>()->composing(),
      "write a trace (.pftrace, .kanata, .vcd, .fst, .csv); repeat for more");
  add("quiet,q", po::bool_switch(), "print only the generated text");
  add_output_forms(parser, "token");
  parser.more("Machine")("tiling", po::value<std::string>(),
                         "largest M,N,K of one matrix instruction; 0: as many as fit");
  auto traces = parser.more("Traces");
  traces("trace-level", po::value<int>(), "Perfetto: 1 tokens to operators, 2 also units and instructions");
  traces("trace-window", po::value<std::string>(),
         "token:3..4, cycle:1000..2000 or op:NAME (* for any letters)");
  traces("trace-max-bytes", po::value<std::string>()->default_value("67108864"),
         "most bytes of a file, before compression");
  auto results = parser.more("Results and checkpoints");
  results("pipeline-token", po::value<long long>(),
          "with --result: the token whose instructions it lists (default: 1)");
  results("pipeline-instructions", po::value<long long>(),
          "with --result: at most this many of them (default: 8192)");
  results("checkpoint", po::value<std::string>(),
          "save the run's full state in this file now and then, for --resume");
  results("checkpoint-every", po::value<long long>(),
          "with --checkpoint: write it every N steps (default: 16)");
  results("resume", po::value<std::string>(), "continue from this checkpoint of a run with the same options");
  results("dry-run", po::bool_switch(), "check options, machine and model, and run nothing");
  add_what_if_options(parser);
  auto programs = parser.more("Programs");
  programs("program", po::value<std::vector<std::string>>()->composing(),
           "run this program file instead of a model; repeat: one for each core");
  programs("dump", po::value<std::vector<std::string>>()->composing(),
           "print MEMORY:ADDRESS:FORMAT:COUNT at the end");
  return parser;
}

namespace {

// The result as a document stands alone.
bool is_quiet(const OptionParser& parser) {
  return parser.get<bool>("quiet") || output_form(parser) != OutputForm::text;
}

// A program runs without a model: what asks for one would be ignored.
void refuse_model_options(const OptionParser& parser) {
  if (parser.get<bool>("check")) {
    throw UsageError("--check does not go with --program: it has no reference; leave it out");
  }
  if (parser.get<bool>("timing-only")) {
    throw UsageError(
        "--timing-only does not go with --program: a program may compute the rows that it gathers; leave it "
        "out");
  }
  OptionParser of_model("", "", "");
  add_model_options(of_model);
  std::vector<std::string> options = of_model.names();
  options.insert(options.end(),
                 {"result", "json", "csv", "tiling", "technology", "pipeline-token", "pipeline-instructions",
                  "checkpoint", "checkpoint-every", "resume", "dry-run"});
  for (const std::string& option : options) {
    if (option == "clock" || !parser.given(option)) continue;
    throw UsageError(
        fmt::format("--{} does not go with --program: it is about a model's run; leave it out", option));
  }
}

// Text goes out as soon as its token is written back.
void stream(const std::string& text) {
  print_now(text, "use --result FILE to keep the figures");
}

// What the vocabulary did to the prompt is no part of the text.
void print_note(const std::string& note) {
  fmt::print(stderr, "tokencycle: {}\n", note);
}

// One line per step instead of the text.
void print_step(const host::StepReport& step) {
  stream(fmt::format("{:>6} token{} {:>20} cycles\n", with_separators(step.tokens),
                     step.tokens == 1 ? " " : "s",
                     with_separators(step.execution.end.value - step.execution.start.value)));
}

void print_results(const OptionParser& parser, const model::LlamaModel& model, const config::Machine& machine,
                   host::ModelRun& run) {
  const bool quiet = is_quiet(parser);
  if (output_form(parser) != OutputForm::text) {
    print_now(
        document_text({host::result_json(model, machine, run.settings, run.report, *run.inference), "tokens"},
                      output_form(parser)));
  }
  if (!quiet) fmt::print("\n{}", host::summary_text(model, machine, run.report, *run.inference));
  if (run.settings.inference.check && !quiet && !run.report.interrupted_at)
    fmt::print("check           every operator's result equals the reference bit for bit\n");
  if (!parser.has("result")) return;
  const std::string file = parser.get<std::string>("result");
  const auto write = [&](const host::TextSink& sink) {
    host::write_result(model, machine, run.settings, run.report, *run.inference, sink);
  };
  if (file == "-") {
    write([](std::string_view part) { print_now(part); });
  } else {
    host::write_text(file, write);
  }
  if (!quiet && file != "-") fmt::print("result          written to {}\n", file);
}

// Whether there are figures: of tokens, or of the step that a signal has ended.
bool counted(const host::RunReport& report) {
  return !report.tokens.empty() || report.unfinished;
}

// The last line of a run that a signal has ended.
std::string interruption_text(const OptionParser& parser, const host::Traces& traces,
                              const host::Checkpoints& checkpoints, const host::ModelRun& run) {
  const host::RunReport& report = run.report;
  std::vector<std::string> files = traces.files();
  if (parser.has("result") && counted(report)) files.push_back(parser.get<std::string>("result"));
  std::string resume;
  if (const auto& last = checkpoints.last()) {
    files.push_back(last->path.string());
    resume = fmt::format("; the same command with --resume {}{} continues after cycle {}",
                         last->path.string(), parser.has("trace") ? " and without --trace" : "",
                         with_separators(last->place.cycle.value));
  }
  return fmt::format("interrupted at cycle {}, with {} of {} tokens complete; {}{}",
                     with_separators(report.interrupted_at->value), report.tokens.size(),
                     run.settings.new_tokens, host::kept_text(files), resume);
}

// What the result has beside the sums; nothing without --result.
std::optional<host::RecordOptions> record_of(const OptionParser& parser) {
  if (!parser.has("result")) {
    for (const char* option : {"pipeline-token", "pipeline-instructions"}) {
      if (parser.has(option)) throw UsageError(fmt::format("--{} goes with --result FILE; add it", option));
    }
    return std::nullopt;
  }
  host::RecordOptions record;
  if (parser.has("pipeline-token")) record.pipeline_token = parser.count("pipeline-token");
  if (parser.has("pipeline-instructions")) {
    record.pipeline_instructions = parser.count("pipeline-instructions");
  }
  return record;
}

host::CheckpointRequest checkpoints_of(const OptionParser& parser) {
  host::CheckpointRequest request;
  if (parser.has("checkpoint")) request.write = parser.get<std::string>("checkpoint");
  if (parser.has("resume")) request.resume = parser.get<std::string>("resume");
  request.quiet = is_quiet(parser);
  if (parser.has("checkpoint-every")) {
    if (request.write.empty()) {
      throw UsageError("--checkpoint-every goes with --checkpoint FILE; add it");
    }
    request.every = parser.count("checkpoint-every");
    if (request.every == 0) throw UsageError("--checkpoint-every is 0; it must be at least 1");
  }
  if (parser.has("resume") && parser.has("trace")) {
    throw UsageError(
        "--trace does not go with --resume: a trace shows a run from its beginning; run it again with "
        "--trace, in a --trace-window if it is long");
  }
  return request;
}

host::TraceRequest traces_of(const OptionParser& parser) {
  host::TraceRequest request;
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

// Ends a run when all of it has been read and checked and nothing has run.
class Rehearsal final : public host::RunWatch {
 public:
  struct Ready {};
  void started(const host::ModelRun&) override { throw Ready{}; }
  void stepped(const host::StepReport&) override {}
  void wrote_token(const host::RunReport&) override {}
  void pulse(Cycle) override {}
};

void rehearse(const host::ModelRequest& request, const config::Machine& machine, bool quiet) {
  const model::LlamaModel model = host::open_model(request);
  model::require_generative(model);
  Rehearsal rehearsal;
  host::RunOutput output;
  output.watch = &rehearsal;
  host::ModelRun run;
  try {
    host::run_model(request, model, machine, nullptr, output, run);
  } catch (const Rehearsal::Ready&) {
    if (quiet) return;
    fmt::print("{} runs on {}: {} prompt tokens in a context of {}; nothing was run\n",
               model.file().path().filename().string(), machine.name,
               with_separators(run.report.prompt_count()), with_separators(run.inference->context()));
  }
}

}  // namespace

ExitCode run_command(const Arguments& arguments) {
  OptionParser parser = run_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  if (parser.has("what-if")) return run_what_if(parser);
  if (parser.has("jobs")) throw UsageError("--jobs goes with --what-if; leave it out");
  if (parser.has("program")) refuse_model_options(parser);
  const config::Machine machine = machine_with(machine_options_of(parser));
  const host::RunSettings settings = settings_of(parser);
  if (output_form(parser) != OutputForm::text && parser.has("result") &&
      parser.get<std::string>("result") == "-") {
    throw UsageError("--result - and --json or --csv both go to standard output; leave one out");
  }
  const auto technology = technology_of(parser, machine);
  const bool quiet = is_quiet(parser);
  std::vector<std::filesystem::path> inputs = run_inputs(parser);
  inputs.insert(inputs.end(), machine.provenance.files.begin(), machine.provenance.files.end());
  check_outputs(named_outputs(parser, {"result", "trace", "checkpoint"}), inputs);
  // The same file may be resumed from and kept up to date.
  if (parser.has("resume"))
    check_apart(named_outputs(parser, {"result", "trace"}), {parser.get<std::string>("resume")});
  if (parser.has("program")) {
    const auto dumps =
        parser.has("dump") ? parser.get<std::vector<std::string>>("dump") : std::vector<std::string>{};
    run_programs(parser.get<std::vector<std::string>>("program"), machine, settings.inference.clocking, dumps,
                 quiet, traces_of(parser));
    return ExitCode::success;
  }
  if (parser.has("dump")) throw UsageError("--dump prints the memory that a --program leaves; name one");
  host::ModelRequest request = model_request_of(parser);
  request.settings.inference.record = record_of(parser);
  const host::CheckpointRequest checkpoint_request = checkpoints_of(parser);

  if (parser.get<bool>("dry-run")) {
    rehearse(request, machine, quiet);
    return ExitCode::success;
  }

  const auto begin = std::chrono::steady_clock::now();
  const model::LlamaModel model = host::open_model(request);
  model::require_generative(model);
  host::Traces traces(traces_of(parser),
                      fmt::format("{} on {}", model.file().path().filename().string(), machine.name),
                      machine);
  host::Checkpoints checkpoints(checkpoint_request, model, machine);
  RunView view(live_mode(quiet));
  const auto write = [&view, streams = output_form(parser) == OutputForm::text](const std::string& text) {
    if (streams) stream(text);
    view.wrote(text);
  };
  host::RunOutput output{write, !quiet, {}, &view, &checkpoints};
  if (!quiet) output.on_step = print_step;
  output.note = print_note;
  if (!quiet) output.machine_note = print_note;
  host::ModelRun run;
  host::RunReport& report = run.report;
  report.technology = technology;
  try {
    host::run_model(request, model, machine, &traces, output, run);
  } catch (const Interrupted&) {  // the report says so
  }
  view.end();
  report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::exception_ptr lost_trace;
  if (report.interrupted_at) {
    traces.interrupt(*report.interrupted_at);
  } else {
    try {
      traces.close(report.tokens.back().end);
    } catch (const IoError&) {  // the figures are kept without the traces
      lost_trace = std::current_exception();
    }
  }
  report.traces = traces.summary_json();
  fmt::print(stderr, "{}", traces.warning());
  if (counted(report)) print_results(parser, model, machine, run);
  if (!quiet) fmt::print("{}", traces.summary_text());
  if (lost_trace) std::rethrow_exception(lost_trace);
  if (!report.interrupted_at) traces.refuse_empty_window();
  if (report.interrupted_at) throw Interrupted(interruption_text(parser, traces, checkpoints, run));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
