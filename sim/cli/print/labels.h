// SPDX-License-Identifier: Apache-2.0
// What classifiers say of their inputs: one at length, or a line each.
#pragma once

#include <string>
#include <vector>

#include "cli/document.h"
#include "config/machine.h"
#include "host/classify.h"
#include "host/inference.h"

namespace tokencycle::cli {

struct Labelled {
  std::string input;  // its name
  std::uint32_t rows = 0;
  std::vector<host::ClassShare> classes;  // the likeliest first
  host::StepReport step;
  std::uint64_t cycles() const { return step.execution.end.value - step.execution.start.value; }
};

// An input of a model of classes on the machine.
Labelled labelled(const std::string& input, std::span<const std::byte> rows, const model::LlamaModel& model,
                  host::Inference& inference);

// Prints them in the form; schema "tokencycle-labels-1".
void print_labels(const std::vector<Labelled>& all, const model::LlamaModel& model,
                  const config::Machine& machine, OutputForm form);

}  // namespace tokencycle::cli
