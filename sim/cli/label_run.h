// SPDX-License-Identifier: Apache-2.0
// What see and classify share: a model of classes on a machine, input after input.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "model/architecture.h"

namespace tokencycle::cli {

// --config, --set, --model with this help, --check, --clock and --trace.
void add_label_options(OptionParser& parser, const char* model_help);

// The rows of an input as the model takes them.
using RowsOf = std::function<std::vector<std::byte>(const std::string& input)>;

// Runs each of the inputs on the machine, writes the traces and prints the labels.
void label_inputs(const OptionParser& parser, const model::LlamaModel& model,
                  const std::vector<std::string>& inputs, const RowsOf& rows_of);

}  // namespace tokencycle::cli
