// SPDX-License-Identifier: Apache-2.0
// tokencycle gemm: matrix products on a machine, the array alone and end to end.
#include <fmt/format.h>

#include <cstdio>
#include <numeric>

#include "base/text.h"
#include "cli/document.h"
#include "cli/machine_options.h"
#include "cli/options.h"
#include "cli/print/gemm.h"
#include "cli/shapes_csv.h"
#include "cli/standard_output.h"
#include "cli/terminal/live_view.h"
#include "host/gemm/gemm.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

OptionParser gemm_parser() {
  OptionParser parser(
      "gemm [-c CONFIG] (-M m -N n -K k | --shapes FILE) [options]",
      "Multiplies Y[m][n] = sum of X[m][k] W[k][n]: cycles of the array alone and of the whole machine.",
      "tokencycle gemm -c edge -M 256 -N 512 -K 1024 --dtype int8 --dataflow os");
  add_machine_options(parser);
  parser.add()("M,M", po::value<std::string>(), "rows of X and Y")(
      "N,N", po::value<std::string>(), "columns of W and Y")("K,K", po::value<std::string>(),
                                                             "columns of X, rows of W")(
      "shapes", po::value<std::string>(),
      "products of a CSV file: lines of name, M, N, K, or SCALE-Sim's convolutions")(
      "dtype", po::value<std::string>()->default_value("int8"), "int8, int4, fp16, bf16, fp32, q8_0 or q4_0")(
      "dataflow", po::value<std::string>(),
      "ws, is, os or dot (weight-stationary ...) instead of the machine's")(
      "tiling", po::value<std::string>(), "largest M,N,K of one instruction; 0: as many as fit")(
      "no-overlap", po::bool_switch(), "serial folds: neither double-buffered nor back to back")(
      "array-alone", po::bool_switch(), "leave out the run through DRAM")(
      "timing-only", po::bool_switch(), "no values: the same cycles, nothing checked")(
      "seed", po::value<std::string>()->default_value("0"), "seed of the operands' values")(
      "dry-run", po::bool_switch(), "check options, machine and products, and run nothing");
  add_output_forms(parser, "product");
  return parser;
}

namespace {

host::GemmType type_of(const std::string& name) {
  std::vector<std::string> allowed;
  for (const host::GemmType& type : host::kGemmTypes) {
    if (type.name == name) return type;
    allowed.emplace_back(type.name);
  }
  throw UsageError(fmt::format("--dtype is '{}'; it must be one of {}{}", name, fmt::join(allowed, ", "),
                               did_you_mean(name, allowed)));
}

ShapesList layers_of(const OptionParser& parser) {
  const bool sides = parser.has("M") || parser.has("N") || parser.has("K");
  if (parser.has("shapes")) {
    if (sides) throw UsageError("--shapes names the products; -M, -N and -K do not go with it");
    const std::string file = parser.get<std::string>("shapes");
    return parse_shapes(read_input(file), file == "-" ? "standard input" : file);
  }
  const auto side = [&parser](const char* name) {
    if (!parser.has(name)) {
      throw UsageError(
          fmt::format("-{} is missing; give -M, -N and -K, or --shapes FILE; `tokencycle gemm --help` "
                      "lists the options",
                      name));
    }
    return parse_side(parser.get<std::string>(name), fmt::format("-{}", name));
  };
  return {{{"gemm", {side("M"), side("N"), side("K")}}}, ""};
}

}  // namespace

ExitCode gemm_command(const Arguments& arguments) {
  OptionParser parser = gemm_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  host::GemmOptions options;
  options.type = type_of(parser.get<std::string>("dtype"));
  options.array_alone = parser.get<bool>("array-alone");
  options.timing_only = parser.get<bool>("timing-only");
  options.seed = parser.unsigned_number("seed");
  const OutputForm form = output_form(parser);
  const bool text = form == OutputForm::text;
  const ShapesList shapes = layers_of(parser);
  const std::vector<host::GemmLayer>& layers = shapes.layers;
  const config::Machine machine = machine_with(machine_options_of(parser));
  // What no machine of this kind can do is said before the first layer runs.
  for (const host::GemmLayer& layer : layers) {
    if (options.array_alone) {
      host::check_product(machine, options.type, layer.shape);
    } else {
      host::Product(machine, options.type, layer.shape);
    }
  }

  if (parser.get<bool>("dry-run")) return ExitCode::success;

  std::vector<host::GemmReport> reports;
  if (text && !shapes.form.empty()) print_now(fmt::format("shapes   {}\n", shapes.form));
  if (text) print_now(gemm_heading(machine, options));
  LiveView live(live_mode(false));
  live.begin(std::accumulate(layers.begin(), layers.end(), 0.0, [](double sum, const host::GemmLayer& layer) {
    return sum + static_cast<double>(layer.shape.multiplications());
  }));
  options.pulse = [&live](Cycle now) { live.update(now.value); };
  for (const host::GemmLayer& layer : layers) {
    live.set_place(fmt::format("product {} of {}", reports.size() + 1, layers.size()));
    reports.push_back(host::run_gemm(machine, layer, options));
    live.done(static_cast<double>(layer.shape.multiplications()));
    if (text) print_now(gemm_line(machine, reports.back()));
  }
  live.end();
  print_now(text ? gemm_totals(machine, reports)
                 : document_text({gemm_json(machine, options, reports), "layers"}, form));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
