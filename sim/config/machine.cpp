// SPDX-License-Identifier: Apache-2.0
#include "config/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <span>

#include "base/digest.h"
#include "base/error.h"
#include "base/read_file.h"
#include "config/check.h"
#include "config/dataflow_names.h"
#include "config/description.h"
#include "config/fields.h"
#include "config/json_text.h"
#include "config/machine_dram.h"
#include "config/rules.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

void check_rules(const Machine& machine, Violations& violations) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Rule& rule : rules()) {
    bool readable = true;  // a rule over a value that is wrong on its own would only repeat that error
    for (const std::string& path : rule.paths) readable = readable && !violations.concerns(path);
    if (!readable) continue;
    if (auto violation = rule.violated(machine)) found.emplace_back(rule.paths.front(), *violation);
  }
  for (const auto& [path, what] : found) violations.add(path, what);
}

}  // namespace

std::string_view name_of(Dataflow d) {
  static constexpr std::array<std::string_view, kDataflows> kNames = {"weight-stationary", "input-stationary",
                                                                      "output-stationary", "dot-product"};
  return kNames.at(static_cast<std::size_t>(d));
}

std::string_view name_of(DramModel m) {
  static constexpr std::array<std::string_view, kDramModels> kNames = {"ideal", "commands"};
  return kNames.at(static_cast<std::size_t>(m));
}

std::string_view full_dataflow_name(std::string_view text) {
  constexpr std::array<std::string_view, kDataflows> kShort = {"ws", "is", "os", "dot"};
  const auto at = std::find(kShort.begin(), kShort.end(), text);
  return at == kShort.end() ? text : name_of(static_cast<Dataflow>(at - kShort.begin()));
}

std::string_view name_of(VectorFunction f) {
  static constexpr std::array<std::string_view, kVectorFunctions> kNames = {
      "add", "mul", "copy", "convert", "quantize", "exp", "divide", "reduce", "rotary"};
  return kNames.at(static_cast<std::size_t>(f));
}

Machine parse_machine(const std::string& json_text, const std::string& source_name,
                      const std::filesystem::path& folder, const ReadOptions& options) {
  Violations violations(source_name);
  Description description =
      describe(json_text, folder / std::filesystem::path(source_name).filename(), options, violations);
  const Json& tree = description.tree;
  check_keys(tree, violations);
  Machine machine = read_fields(tree, violations);
  DramFolders folders{description.preset_folder, {description.preset_folder / "dram"}};
  if (description.preset_folder != folder) {
    folders.presets.insert(folders.presets.end(), {folder, folder / "dram"});
  }
  if (!options.presets.empty()) folders.presets.push_back(options.presets);
  read_machine_dram(tree, folders, machine, violations);
  check_rules(machine, violations);
  violations.throw_if_any();
  machine.provenance = std::move(description.provenance);
  std::string canonical = to_json(machine);
  if (machine.dram.system) canonical += machine.dram.system->device.digest;
  machine.digest = digest_of(std::as_bytes(std::span(canonical)));
  return machine;
}

Machine parse_machine(const std::string& json_text, const std::string& source_name,
                      const std::filesystem::path& folder, const std::filesystem::path& presets) {
  return parse_machine(json_text, source_name, folder, ReadOptions{presets, {}, {}});
}

Machine read_machine(const std::filesystem::path& path, const ReadOptions& options) {
  return parse_machine(read_description(path, "a machine description", "configs/"), shown_name(path),
                       path.parent_path(), options);
}

Machine read_machine(const std::filesystem::path& path, const std::filesystem::path& presets) {
  return read_machine(path, ReadOptions{presets, {}, {}});
}

std::string to_json(const Machine& machine) {
  Json tree = Json::object();
  for (const Field& f : fields()) {
    if (f.only_with && *f.only_with != machine.dram.model) continue;
    if (f.type == FieldType::object) {
      if (machine.dram.system) tree[Json::json_pointer(f.path)] = system_object(*machine.dram.system);
      continue;
    }
    const Value value = f.get(machine);
    const bool absent = (f.presence == Presence::optional && std::get<std::uint64_t>(value) == 0) ||
                        (f.presence == Presence::unusual && value == f.get(Machine{}));
    if (absent) continue;
    std::visit([&](const auto& v) { tree[Json::json_pointer(f.path)] = v; }, value);
  }
  return tree.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tokencycle::config
