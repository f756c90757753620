// SPDX-License-Identifier: Apache-2.0
// tokencycle compare: one model on several machines, or results of earlier runs, side by side.
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdio>
#include <functional>

#include "base/make_folder.h"
#include "base/text.h"
#include "cli/document.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/output_files.h"
#include "cli/standard_output.h"
#include "cli/terminal/run_view.h"
#include "compiler/compiler.h"
#include "explore/alignment.h"
#include "explore/comparison.h"
#include "explore/differing.h"
#include "explore/page/assets.h"
#include "explore/page/report.h"
#include "host/files.h"
#include "host/model_run.h"
#include "host/places.h"
#include "host/result/json_text.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using Names = std::vector<std::string>;

OptionParser compare_parser() {
  OptionParser parser(
      "compare [-m MODEL] -c A -c B ... [RESULT.json ...] [options]",
      "Runs a model on several machines with the same tokens, and shows how they differ and why.\n"
      "Results of earlier runs may be given instead of machines, or with them.",
      "tokencycle compare -c edge -c edge-dot -n 8");
  auto add = parser.add();
  add("config,c", po::value<Names>()->composing(), "a machine, file or name in configs/; repeat for each");
  add_set_option(parser);
  add_technology_option(parser);
  add("input", po::value<Names>()->composing(), "a result that run --result or compare --results wrote");
  add("baseline", po::value<std::string>(), "machine to compare with (default: the first)");
  add("align", po::bool_switch(),
      "of two: operators, causes and instructions that account for the difference");
  add("output,o", po::value<std::string>(),
      "write the comparison as a page (HTML), as report does; - prints it alone");
  add("results", po::value<std::string>(), "write each run's result into this folder");
  add_output_forms(parser, "result");
  add("quiet,q", po::bool_switch(), "print only the comparison: no progress, no file names");
  add_model_options(parser);
  parser.positional("input", -1);
  return parser;
}

namespace {

Names list_of(const OptionParser& parser, const std::string& option) {
  return parser.has(option) ? parser.get<Names>(option) : Names{};
}

// Without a machine nothing is run, and what says how would be ignored.
void refuse_run_options(const OptionParser& parser) {
  OptionParser run("", "", "");
  add_model_options(run);
  Names options = run.names();
  options.insert(options.end(), {"results", "set", "technology"});
  for (const std::string& option : options) {
    if (parser.given(option)) {
      throw UsageError(
          fmt::format("--{} is about runs, and only results are given; add machines with -c "
                      "NAME",
                      option));
    }
  }
}

// Letters, digits and what is usual between them; at most so many that a file system takes them.
std::string as_file_name(const std::string& text) {
  constexpr std::size_t kMost = 120;
  std::string name;
  for (const char c : text.substr(0, kMost)) {
    const bool usual = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '=' || c == '_';
    if (usual || (!name.empty() && name.back() != '-')) name += usual ? c : '-';
  }
  return name;
}

// Where each machine's result goes: FOLDER/NAME.json, by the name of its file; of a machine with changes by
// its own.
std::vector<std::filesystem::path> result_files(const std::string& folder,
                                                const std::vector<config::Machine>& machines) {
  std::vector<std::filesystem::path> files;
  for (const config::Machine& machine : machines) {
    const std::string stem = machine.provenance.changes.empty() ? machine.provenance.files[0].stem().string()
                                                                : as_file_name(machine.name);
    std::filesystem::path file = std::filesystem::path(folder) / (stem + ".json");
    for (int n = 2; std::find(files.begin(), files.end(), file) != files.end(); ++n) {
      file.replace_filename(fmt::format("{}-{}.json", stem, n));
    }
    files.push_back(file);
  }
  return files;
}

// What is to be done, checked before the first run.
struct Plan {
  Names names;  // of the machines, as given
  std::vector<config::Machine> machines;
  std::vector<std::filesystem::path> files;  // of their results; empty: none are written
  std::vector<explore::Result> results;      // the machines', to be filled, then those that were given
  std::size_t baseline = 0;
  std::vector<std::shared_ptr<const config::Technology>> technologies;  // of them; null: no area and energy
};

// Where results and page go; nothing is made before it is known that they replace no input.
void plan_outputs(const OptionParser& parser, Plan& plan) {
  std::vector<std::filesystem::path> inputs;
  if (!plan.names.empty()) inputs = run_inputs(parser);
  for (const config::Machine& machine : plan.machines) {
    inputs.insert(inputs.end(), machine.provenance.files.begin(), machine.provenance.files.end());
  }
  for (const std::string& file : list_of(parser, "input")) inputs.emplace_back(file);
  std::vector<OutputFile> outputs = named_outputs(parser, {"output"});
  if (parser.has("results")) {
    plan.files = result_files(parser.get<std::string>("results"), plan.machines);
    for (const auto& file : plan.files) outputs.push_back({"--results", file});
  }
  check_apart(outputs, inputs);  // before a folder is made
  if (parser.has("results")) make_folder(parser.get<std::string>("results"));
  check_outputs(outputs, inputs);
}

// Two are aligned, as a table.
void check_alignment(const OptionParser& parser, std::size_t count) {
  if (count != 2) {
    throw UsageError(
        fmt::format("--align compares two, and {} are given; name two machines or results", count));
  }
  for (const char* option : {"baseline", "output"}) {
    if (parser.has(option))
      throw UsageError(fmt::format(
          "--{} does not go with --align, which prints a table of two; leave one of them out", option));
  }
}

Plan plan_of(const OptionParser& parser) {
  Plan plan;
  plan.names = list_of(parser, "config");
  const Names inputs = list_of(parser, "input");
  if (plan.names.size() + inputs.size() < 2) {
    throw UsageError(
        fmt::format("compare needs at least two machines or results, and {} given; name them with -c A -c B, "
                    "or as RESULT.json files",
                    plan.names.size() + inputs.size() == 1 ? "one is" : "none are"));
  }
  if (parser.get<bool>("align")) check_alignment(parser, plan.names.size() + inputs.size());
  if (plan.names.empty()) refuse_run_options(parser);
  for (const std::string& name : plan.names) {
    plan.machines.push_back(machine_with({name, sets_of(parser)}));
    explore::Result result;  // enough of it to be called by name
    result.source = name;
    result.machine = plan.machines.back().name;
    plan.results.push_back(std::move(result));
  }
  for (const std::string& file : inputs) plan.results.push_back(explore::read_result(file));
  for (const config::Machine& machine : plan.machines)
    plan.technologies.push_back(technology_of(parser, machine));
  if (parser.has("baseline")) {
    plan.baseline = explore::find_baseline(plan.results, parser.get<std::string>("baseline"));
  }
  if (parser.has("output")) explore::uplot_js();  // refused where the program has no charts: before the runs
  plan_outputs(parser, plan);
  return plan;
}

// One machine's run as its result document; `note` hears of the prompt's tokens, which are the same on every
// machine.
nlohmann::ordered_json run_on(const config::Machine& machine, const host::ModelRequest& request,
                              const model::LlamaModel& model, const std::string& name, bool quiet,
                              const std::shared_ptr<const config::Technology>& technology,
                              const std::function<void(const std::string&)>& note) {
  const auto begin = std::chrono::steady_clock::now();
  RunView view(live_mode(quiet), name);
  host::ModelRun run;
  run.report.technology = technology;
  host::RunOutput output{{}, false, {}, &view};
  output.note = note;
  if (!quiet) {
    output.machine_note = [&name](const std::string& text) {
      fmt::print(stderr, "tokencycle: {}{}\n", name, text);
    };
  }
  host::run_model(request, model, machine, nullptr, output, run);
  view.end();
  run.report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!quiet) {
    fmt::print(stderr, "tokencycle: {}{} cycles in {:.1f} s\n", name,
               with_separators(run.report.total_cycles()), run.report.wall_seconds);
  }
  return host::result_json(model, machine, run.settings, run.report, *run.inference);
}

// Logits are the same to the last bit on every machine, and the sampler sees nothing else.
void check_tokens(const std::vector<explore::Result>& results, std::size_t machines) {
  for (std::size_t i = 1; i < machines; ++i) {
    if (explore::same_tokens(results[0], results[i])) continue;
    throw CheckError(fmt::format(
        "{} and {} generated different tokens, which no difference between machines explains; find the "
        "operator with `tokencycle run -c {} --check`, and please report it",
        results[0].source, results[i].source, results[i].source));
  }
}

void run_all(const OptionParser& parser, Plan& plan) {
  host::ModelRequest request = model_request_of(parser);
  if (parser.has("output") || parser.has("results") || !plan.files.empty() || parser.get<bool>("align"))
    request.settings.inference.record = host::RecordOptions{};
  const model::LlamaModel model = host::open_model(request);
  model::require_generative(model);
  // A machine that cannot hold the model says so before another has run.
  for (const config::Machine& machine : plan.machines) {
    compiler::Compiler(model, machine, request.settings.inference.compile);
  }
  Names kept;
  for (std::size_t i = 0; i < plan.machines.size(); ++i) {
    const std::string name = fmt::format("{} of {}, {}: ", i + 1, plan.machines.size(), plan.names[i]);
    try {
      const auto note = [first = i == 0](const std::string& text) {
        if (first) fmt::print(stderr, "tokencycle: {}\n", text);
      };
      const auto document = run_on(plan.machines[i], request, model, name, parser.get<bool>("quiet"),
                                   plan.technologies[i], note);
      if (!plan.files.empty()) {
        host::write_text(plan.files[i], host::json_text(document));
        kept.push_back(plan.files[i].string());
      }
      plan.results[i] = explore::parse_result(document, plan.names[i]);
    } catch (const Interrupted& end) {
      throw Interrupted(fmt::format("{}{}; {}", name, end.what(), host::kept_text(kept)));
    }
  }
  check_tokens(plan.results, plan.machines.size());
}

std::string title_of(const explore::Result& result) {
  const bool named = !result.model.name.empty();
  const std::string each = result.sequences.empty()
                               ? ""
                               : fmt::format(" of each of {} sequences at most", result.sequences.size());
  return fmt::format("model    {}{} in {}\ntokens   {} of the prompt, {} new{}\n\n",
                     named ? result.model.name + ", " : "", result.model.file, result.model.weights,
                     with_separators(result.prompt_count()), with_separators(result.tokens.size()), each);
}

}  // namespace

ExitCode compare_command(const Arguments& arguments) {
  OptionParser parser = compare_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (form != OutputForm::text && parser.has("output") && parser.get<std::string>("output") == "-") {
    throw UsageError("--output - and --json or --csv both go to standard output; name a file for the page");
  }
  Plan plan = plan_of(parser);
  if (!plan.machines.empty()) run_all(parser, plan);
  if (parser.get<bool>("align")) {
    const explore::Alignment alignment = explore::align(plan.results[0], plan.results[1]);
    print_now(form == OutputForm::text
                  ? explore::alignment_text(alignment)
                  : document_text({explore::alignment_json(alignment), "differences"}, form));
    return ExitCode::success;
  }
  const explore::Comparison comparison = explore::compare(plan.results, plan.baseline);
  const bool page_alone = parser.has("output") && parser.get<std::string>("output") == "-";
  if (page_alone) {
    print_now(explore::report_html(plan.results, plan.baseline), "write the page to a file with -o");
    return ExitCode::success;
  }
  if (form == OutputForm::text) {
    print_now(title_of(plan.results[plan.baseline]) + explore::comparison_text(comparison));
  } else {
    print_now(document_text({explore::comparison_json(comparison, plan.results), "results"}, form));
  }
  const bool names_files = !parser.get<bool>("quiet") && form == OutputForm::text;
  if (names_files && !plan.files.empty()) {
    fmt::print("results  written to {}\n", parser.get<std::string>("results"));
  }
  if (!parser.has("output")) return ExitCode::success;
  const std::string file = parser.get<std::string>("output");
  const std::string page = explore::report_html(plan.results, plan.baseline);
  host::write_text(file, page);
  if (names_files) fmt::print("report   written to {}, {}\n", file, bytes_text(page.size()));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
