// SPDX-License-Identifier: Apache-2.0
#include "cli/print/option_values.h"

#include <algorithm>
#include <set>

#include "compiler/passes/fuse.h"
#include "config/machine.h"
#include "host/gemm/gemm.h"
#include "numerics/format.h"

namespace tokencycle::cli {

namespace {

template <class Set>
std::vector<std::string> names_in(const Set& formats) {
  std::vector<std::string> names;
  for (int f = 0; f < kFormats; ++f) {
    if (formats.has(static_cast<Format>(f))) names.emplace_back(name_of(static_cast<Format>(f)));
  }
  return names;
}

// Of options whose values come from a list that the program has.
std::vector<std::string> choices_of(const std::string& option) {
  std::vector<std::string> names;
  if (option == "clock") return {"gated", "every-edge"};
  if (option == "rope") return {"adjacent", "split"};
  if (option == "shell") return {"bash", "zsh"};
  if (option == "kv-type") return names_in(kCacheFormats);
  if (option == "weights") return names_in(kModelFormats);
  if (option == "no-fusion") return {compiler::kFusionNames.begin(), compiler::kFusionNames.end()};
  if (option == "dtype") {
    for (const host::GemmType& type : host::kGemmTypes) names.emplace_back(type.name);
  }
  if (option == "dataflow") {
    names = {"ws", "is", "os", "dot"};
    for (int d = 0; d < config::kDataflows; ++d)
      names.emplace_back(config::name_of(static_cast<config::Dataflow>(d)));
  }
  return names;
}

}  // namespace

OptionValues values_of(const std::string& command, const std::string& option) {
  using Kind = OptionValues::Kind;
  static const std::set<std::string> kFiles = {"model",  "file",    "input",     "output",
                                               "result", "trace",   "shapes",    "commands",
                                               "resume", "program", "checkpoint"};
  if (option == "config") return {command == "dram" ? Kind::memories : Kind::machines, {}};
  if (option == "input" && command == "inspect") return {Kind::machines, {}};
  if (option == "results") return {Kind::folders, {}};
  if (kFiles.contains(option)) return {Kind::files, {}};
  std::vector<std::string> choices = choices_of(option);
  return {choices.empty() ? Kind::none : Kind::choices, std::move(choices)};
}

}  // namespace tokencycle::cli
