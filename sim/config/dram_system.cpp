// SPDX-License-Identifier: Apache-2.0
#include "config/dram_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "config/dram_json.h"
#include "config/dram_mapping.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kSchedulers = {"fcfs", "fr-fcfs", "fr-fcfs-cap"};
constexpr std::array<std::string_view, 3> kPagePolicies = {"open", "closed", "adaptive"};
constexpr std::array<std::string_view, 3> kRefreshes = {"none", "all-bank", "per-bank"};
constexpr WholeRange kQueue{1, 4096, "requests"};

// Of a name: beside the file, then in `presets`. Of a path (it ends in .json): from the file's folder.
std::filesystem::path preset_path(const std::string& preset, const std::filesystem::path& beside,
                                  const std::filesystem::path& presets) {
  if (preset.ends_with(".json")) return beside / preset;
  const auto here = dram_presets(beside);
  const bool is_here = std::find(here.begin(), here.end(), preset) != here.end();
  return find_dram_preset(is_here || presets.empty() ? beside : presets, preset);
}

class SystemReader {
 public:
  SystemReader(const Json& tree, const std::filesystem::path& path, Violations& violations)
      : path_(path), violations_(violations), file_(&tree, "", violations) {}

  DramSystem read(const std::filesystem::path& presets) {
    file_.take("schema", "");
    system_.name = file_.take_text("name", 64).value_or("");
    system_.description = file_.take_text("description", 4096, Need::optional).value_or("");
    const auto preset = file_.take_text("preset", 4096);
    if (!preset) violations_.throw_if_any();
    system_.device = read_dram_device(preset_path(*preset, path_.parent_path(), presets));
    take("channels", system_.channels, {1, 1024, "channels", true});
    system_.mapping = read_mapping(file_, system_);
    system_.hashes = read_hashes(file_, system_);
    read_policies();
    read_queues();
    file_.finish();
    violations_.throw_if_any();
    return system_;
  }

 private:
  void take(const char* name, std::uint32_t& out, const WholeRange& range) {
    out = static_cast<std::uint32_t>(file_.take_whole(name, range, Need::optional).value_or(out));
  }

  template <typename Enum>
  void take(const char* name, Enum& out, std::span<const std::string_view> choices) {
    if (const auto c = file_.take_choice(name, choices, Need::optional)) out = static_cast<Enum>(*c);
  }

  void read_policies() {
    take("scheduler", system_.scheduler, kSchedulers);
    take("row_hit_cap", system_.row_hit_cap, {1, 1000000, "row hits"});
    if (file_.has("row_hit_cap") && system_.scheduler != DramScheduler::fr_fcfs_cap) {
      file_.complain("row_hit_cap",
                     "only the scheduler \"fr-fcfs-cap\" has a cap; choose it or remove this key");
    }
    take("page_policy", system_.page_policy, kPagePolicies);
    take("refresh", system_.refresh, kRefreshes);
    if (system_.refresh == DramRefresh::per_bank && !system_.device.exists(DramCommand::refresh_bank)) {
      file_.complain("refresh",
                     fmt::format("\"per-bank\" is not allowed: {} has no command REFpb; allowed: \"none\", "
                                 "\"all-bank\"",
                                 escaped(system_.device.standard)));
    }
    take("postpone", system_.postpone, {0, system_.device.postponable, "refreshes, as the preset allows"});
    if (system_.postpone > 0 && system_.refresh == DramRefresh::none) {
      file_.complain("postpone", "there is no refresh to postpone; remove it or choose another \"refresh\"");
    }
  }

  void read_queues() {
    take("read_queue", system_.read_queue, kQueue);
    take("write_queue", system_.write_queue, kQueue);
    take("activated_queue", system_.activated_queue, kQueue);
    constexpr RealRange kShare{0, 1, "of the write queue"};
    system_.write_high = file_.take_real("write_high", kShare, Need::optional).value_or(system_.write_high);
    system_.write_low = file_.take_real("write_low", kShare, Need::optional).value_or(system_.write_low);
    if (system_.write_low >= system_.write_high) {
      file_.complain("write_low",
                     fmt::format("{} is not below write_high, {}; draining of writes ends at it and "
                                 "begins at write_high",
                                 system_.write_low, system_.write_high));
    }
  }

  const std::filesystem::path& path_;
  Violations& violations_;
  JsonObject file_;
  DramSystem system_;
};

DramSystem system_of_preset(const std::filesystem::path& path) {
  DramSystem system;
  system.device = read_dram_device(path);
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
  return SystemReader(tree, path, violations).read(presets);
}

}  // namespace tokencycle::config
