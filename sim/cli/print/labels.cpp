// SPDX-License-Identifier: Apache-2.0
#include "cli/print/labels.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/standard_output.h"
#include "cli/version.h"
#include "host/result/json_text.h"
#include "host/result/result.h"

namespace tokencycle::cli {
namespace {

nlohmann::ordered_json json_of(const Labelled& one) {
  nlohmann::ordered_json classes = nlohmann::ordered_json::array(), causes;
  for (const host::ClassShare& c : one.classes)
    classes.push_back({{"label", c.label}, {"probability", c.probability}});
  for (int i = 0; i < observe::kCauses; ++i)
    causes[observe::name_of(static_cast<observe::Cause>(i))] = one.step.stack[static_cast<std::size_t>(i)];
  return {{"input", host::replace_invalid(one.input)},
          {"rows", one.rows},
          {"label", one.classes.front().label},
          {"probability", one.classes.front().probability},
          {"cycles", one.cycles()},
          {"causes", causes},
          {"classes", classes}};
}

void print_one(const Labelled& one, const config::Machine& machine) {
  constexpr std::size_t kShown = 3;  // of the other classes
  std::string others;
  for (std::size_t i = 1; i < std::min(one.classes.size(), kShown + 1); ++i) {
    const host::ClassShare& c = one.classes[i];
    others += fmt::format("{}{} {:.2f} %", i == 1 ? "" : ", ", c.label, 100 * c.probability);
  }
  fmt::print("label   {}   {:.2f} %{}\n", one.classes.front().label, 100 * one.classes.front().probability,
             others.empty() ? "" : "   (then " + others + ")");
  fmt::print("cycles  {}   {:.1f} us at {:g} GHz on machine {}; {} rows\n\n{}", with_separators(one.cycles()),
             static_cast<double>(one.cycles()) / machine.clock_ghz / 1e3, machine.clock_ghz, machine.name,
             one.rows, host::stack_text(one.step.stack));
}

void print_table(const std::vector<Labelled>& all) {
  std::size_t input = 5, label = 5;
  for (const Labelled& one : all) {
    input = std::max(input, one.input.size());
    label = std::max(label, one.classes.front().label.size());
  }
  fmt::print("{:<{}}  {:<{}}  probability  {:>6}  {:>12}\n", "input", input, "label", label, "rows",
             "cycles");
  for (const Labelled& one : all) {
    fmt::print("{:<{}}  {:<{}}  {:>9.2f} %  {:>6}  {:>12}\n", one.input, input, one.classes.front().label,
               label, 100 * one.classes.front().probability, one.rows, with_separators(one.cycles()));
  }
}

}  // namespace

Labelled labelled(const std::string& input, std::span<const std::byte> rows, const model::LlamaModel& model,
                  host::Inference& inference) {
  host::StepReport step = inference.encode(rows, false);
  auto classes = host::class_shares(step.logits.back(), model.shape().labels);
  return {input, step.tokens, std::move(classes), std::move(step)};
}

void print_labels(const std::vector<Labelled>& all, const model::LlamaModel& model,
                  const config::Machine& machine, OutputForm form) {
  if (form == OutputForm::text) return all.size() == 1 ? print_one(all.front(), machine) : print_table(all);
  nlohmann::ordered_json json = {{"schema", "tokencycle-labels-1"},
                                 {"version", TOKENCYCLE_VERSION},
                                 {"model", model.file().path().filename().string()},
                                 {"machine", machine.name}};
  json["inputs"] = nlohmann::ordered_json::array();
  for (const Labelled& one : all) json["inputs"].push_back(json_of(one));
  print_now(document_text({json, "inputs"}, form));
}

}  // namespace tokencycle::cli
