// SPDX-License-Identifier: Apache-2.0
// tokencycle models: the families of models and the formats of weights that run.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/document.h"
#include "cli/standard_output.h"
#include "model/architectures/architectures.h"
#include "numerics/format.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

std::vector<Format> weight_formats() {
  std::vector<Format> formats;
  for (int f = 0; f < kFormats; ++f) {
    if (kModelFormats.has(static_cast<Format>(f))) formats.push_back(static_cast<Format>(f));
  }
  return formats;
}

double bits_of(Format f) {
  return 8.0 * block_bytes(f) / block_elements(f);
}

// Every tensor may be in any of the formats, whichever the family: the graph names none.
nlohmann::ordered_json json_of() {
  nlohmann::ordered_json formats = nlohmann::ordered_json::array(), names = formats, families = formats;
  for (const Format f : weight_formats()) {
    names.push_back(name_of(f));
    formats.push_back({{"name", name_of(f)},
                       {"bits_per_weight", bits_of(f)},
                       {"block_elements", block_elements(f)},
                       {"activations", name_of(activation_format(f))},
                       {"multipliers", name_of(multiply_type(f))}});
  }
  for (const model::Architecture& a : model::architectures()) {
    families.push_back(
        {{"gguf", a.name}, {"models", a.families}, {"config_json", a.config_names}, {"formats", names}});
  }
  return {{"schema", "tokencycle-models-1"},
          {"version", TOKENCYCLE_VERSION},
          {"families", families},
          {"formats", formats}};
}

std::string listed_formats(std::string_view quote) {
  std::string all;
  for (const Format f : weight_formats())
    all += fmt::format("{}{}{}{}", all.empty() ? "" : ", ", quote, name_of(f), quote);
  return all;
}

void print_table() {
  std::size_t names = 0, families = 0;  // widths
  for (const model::Architecture& a : model::architectures()) {
    names = std::max(names, std::string_view(a.name).size());
    families = std::max(families, std::string_view(a.families).size());
  }
  const auto print_row = [&](std::string_view name, std::string_view models, std::string_view config) {
    fmt::print("{:<{}}  {:<{}}  {}\n", name, names, models, families, config.empty() ? "-" : config);
  };
  print_row("GGUF", "models", "config.json");
  for (const model::Architecture& a : model::architectures()) print_row(a.name, a.families, a.config_names);
  fmt::print("\nEach with every tensor in any of these formats, rows of whole blocks:\n\n");
  fmt::print("{:<8} {:>15} {:>7}  {:<12} {}\n", "format", "bits per weight", "block", "activations",
             "multipliers");
  for (const Format f : weight_formats()) {
    fmt::print("{:<8} {:>15} {:>7}  {:<12} {}\n", name_of(f), bits_of(f), block_elements(f),
               name_of(activation_format(f)), name_of(multiply_type(f)));
  }
}

void print_markdown() {
  fmt::print("| models | GGUF | `config.json` |\n|---|---|---|\n");
  for (const model::Architecture& a : model::architectures()) {
    fmt::print("| {} | `{}` | {} |\n", a.families, a.name, a.config_names);
  }
  fmt::print("\nEach in {}.\n", listed_formats("`"));
}

}  // namespace

OptionParser models_parser() {
  OptionParser parser("models [options]",
                      "The families of models that run, and the formats that their weights may be in.",
                      "tokencycle models --json");
  add_output_forms(parser, "family");
  parser.add()("markdown", po::bool_switch(), "print the tables in Markdown");
  return parser;
}

ExitCode models_command(const Arguments& arguments) {
  OptionParser parser = models_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (form != OutputForm::text && parser.get<bool>("markdown")) {
    throw UsageError("--markdown is a form of its own; leave --json or --csv out");
  }
  if (form != OutputForm::text) {
    print_now(document_text({json_of(), "families"}, form));
  } else if (parser.get<bool>("markdown")) {
    print_markdown();
  } else {
    print_table();
  }
  return ExitCode::success;
}

}  // namespace tokencycle::cli
