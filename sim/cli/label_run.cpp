// SPDX-License-Identifier: Apache-2.0
#include "cli/label_run.h"

#include <fmt/format.h>

#include "base/read_file.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/output_files.h"
#include "cli/print/labels.h"
#include "host/traces.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

void add_label_options(OptionParser& parser, const char* model_help) {
  add_machine_options(parser);
  auto add = parser.add();
  add("model,m", po::value<std::string>(), model_help);
  add("check", po::bool_switch(), "compare every operator's result with the reference, bit for bit");
  add("clock", po::value<std::string>()->default_value("gated"),
      "gated or every-edge: identical results, different speed");
  add("trace", po::value<std::vector<std::string>>()->composing(),
      "write a trace, as .pftrace, .kanata or .fst; may be repeated");
}

void label_inputs(const OptionParser& parser, const model::LlamaModel& model,
                  const std::vector<std::string>& inputs, const RowsOf& rows_of) {
  const OutputForm form = output_form(parser);
  const config::Machine machine = machine_with(machine_options_of(parser));
  check_outputs(named_outputs(parser, {"trace"}), {inputs.begin(), inputs.end()});
  host::TraceRequest request;
  request.files = parser.texts("trace");
  host::Traces traces(request, fmt::format("{} on {}", model.file().path().filename().string(), machine.name),
                      machine);
  host::InferenceOptions options;
  options.check = parser.get<bool>("check");
  options.clocking = clocking_of(parser);
  options.traces = &traces;
  host::Inference inference(model, machine, options);
  std::vector<Labelled> all;
  for (const std::string& input : inputs)
    all.push_back(labelled(shown_name(input), rows_of(input), model, inference));
  traces.close(inference.end());
  print_labels(all, model, machine, form);
  fmt::print(stderr, "{}", traces.warning());
  if (form == OutputForm::text) fmt::print("{}", traces.summary_text());
}

}  // namespace tokencycle::cli
