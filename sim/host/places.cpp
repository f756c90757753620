// SPDX-License-Identifier: Apache-2.0
#include "host/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "config/dram/device.h"
#include "host/home.h"

namespace tokencycle::host {

namespace {
// "a, b, c"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Of the descriptions in a folder of configs/, sorted.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
  return config::dram_presets(folder);
}

bool is_name(const std::string& name_or_path) {
  return name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".json");
}
}  // namespace

std::filesystem::path find_configuration(const std::string& name_or_path) {
  std::error_code ignored;  // a name may be too long for a file's
  if (!is_name(name_or_path) || std::filesystem::exists(name_or_path, ignored)) return name_or_path;
  const std::filesystem::path bundled = home() / "configs" / (name_or_path + ".json");
  if (std::filesystem::exists(bundled, ignored)) return bundled;
  const std::vector<std::string> known = names_in(home() / "configs"),
                                 memories = names_in(dram_presets_folder());
  const bool memory = std::find(memories.begin(), memories.end(), name_or_path) != memories.end();
  throw UsageError(fmt::format("{}: {}{}; known are: {}", name_or_path,
                               memory ? "that is a memory, not a machine: it goes with `tokencycle dram -c`"
                                      : "there is no such file, and no machine of that name in configs/",
                               did_you_mean(name_or_path, known), listed(known)));
}

std::filesystem::path dram_presets_folder() {
  return home() / "configs" / "dram";
}

config::Machine read_configuration(const std::filesystem::path& path, std::vector<config::Change> changes) {
  return config::read_machine(path, {dram_presets_folder(), home() / "configs", std::move(changes)});
}

std::filesystem::path find_dram(const std::string& name_or_path) {
  std::error_code ignored;
  if (!is_name(name_or_path) || std::filesystem::is_regular_file(name_or_path, ignored)) return name_or_path;
  const std::vector<std::string> known = names_in(dram_presets_folder());
  if (std::find(known.begin(), known.end(), name_or_path) != known.end()) {
    return dram_presets_folder() / (name_or_path + ".json");
  }
  const bool machine = std::filesystem::exists(home() / "configs" / (name_or_path + ".json"), ignored);
  throw UsageError(fmt::format(
      "{}: {}{}; give a file of a memory, or one of configs/dram/: {}", name_or_path,
      machine ? "that is a machine, not a memory" : "there is no such file, and no memory of that name",
      did_you_mean(name_or_path, known), listed(known)));
}

std::filesystem::path bundled_model() {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(home() / "models", ignored)) {
    if (entry.path().filename().string().ends_with("q8_0.gguf")) found.push_back(entry.path());
  }
  if (found.empty()) throw UsageError("-m is missing: name a GGUF model file (there is no bundled one here)");
  return *std::min_element(found.begin(), found.end());
}

}  // namespace tokencycle::host
