// SPDX-License-Identifier: Apache-2.0
#include "config/dram/system.h"

#include <fmt/format.h>

#include "base/error.h"
#include "config/dram/json.h"
#include "config/dram/system_reader.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

DramSystem system_of_preset(const std::filesystem::path& path) {
  DramSystem system;
  system.device = read_dram_device(path);
  system.preset = path.filename().string();
  system.name = system.device.name;
  system.description = system.device.description;
  system.mapping = default_mapping(system);
  return system;
}

}  // namespace

DramSystem read_dram_system(const std::filesystem::path& path, const std::filesystem::path& presets) {
  Violations violations(path.string());
  const Json tree = parse_text(read_dram_text(path), violations);
  const Json schema = tree.is_object() && tree.contains("schema") ? tree["schema"] : Json();
  if (schema == "tokencycle-dram-1") return system_of_preset(path);
  if (schema != "tokencycle-dram-system-1") {
    violations.add("/schema", fmt::format("{} is not allowed; allowed: \"tokencycle-dram-system-1\", or "
                                          "\"tokencycle-dram-1\" for a preset alone",
                                          shown_json(schema)));
    violations.throw_if_any();
  }
  JsonObject file(&tree, "", violations);
  file.take("schema", "");
  DramSystem system;
  system.name = file.take_text("name", 64).value_or("");
  system.description = file.take_text("description", 4096, Need::optional).value_or("");
  DramFolders folders{path.parent_path(), {}};
  if (!presets.empty()) folders.presets.push_back(presets);
  read_system_object(file, folders, 0, system);
  violations.throw_if_any();
  return system;
}

}  // namespace tokencycle::config
