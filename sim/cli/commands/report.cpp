// SPDX-License-Identifier: Apache-2.0
// tokencycle report: results as one page with tables and plots.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/options.h"
#include "cli/output_files.h"
#include "cli/standard_output.h"
#include "explore/comparison.h"
#include "explore/page/report.h"
#include "host/files.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

OptionParser report_parser() {
  OptionParser parser("report RESULT.json ... -o FILE.html [options]",
                      "Writes results of runs as one page that needs no network: cycles and their causes,\n"
                      "operators, roofline, utilisation over time, and the pipeline of one token.",
                      "tokencycle report out.json -o out.html");
  auto add = parser.add();
  add("input", po::value<std::vector<std::string>>()->composing(),
      "a result that run --result or compare --results wrote");
  add("output,o", po::value<std::string>(), "the page; - is standard output");
  add("baseline", po::value<std::string>(), "machine to compare with (default: the first)");
  parser.positional("input", -1);
  return parser;
}

ExitCode report_command(const Arguments& arguments) {
  OptionParser parser = report_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string output = parser.require("output");
  const bool to_stdout = output == "-";
  if (!parser.has("input")) {
    throw UsageError("report needs a result; write one with `tokencycle run --result out.json` and name it");
  }
  const std::vector<std::string> inputs = parser.get<std::vector<std::string>>("input");
  if (!to_stdout) check_outputs({{"--output", output}}, {inputs.begin(), inputs.end()});
  std::vector<explore::Result> results;
  for (const std::string& file : inputs) results.push_back(explore::read_result(file));
  const std::size_t baseline =
      parser.has("baseline") ? explore::find_baseline(results, parser.get<std::string>("baseline")) : 0;
  const std::string page = explore::report_html(results, baseline);
  if (!to_stdout) {
    host::write_text(output, page);
    fmt::print("report   written to {}, {}\n", output, bytes_text(page.size()));
  } else {
    print_now(page, "write the page to a file with -o");
  }
  return ExitCode::success;
}

}  // namespace tokencycle::cli
