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

// "; known are: a, b", or why there are none.
std::string known_text(const std::vector<std::string>& names) {
  if (!names.empty()) return "; known are: " + listed(names);
  return "; that folder has no descriptions: set TOKENCYCLE_HOME to the tree that has configs/, or name a "
         "file";
}

// Of the descriptions in a folder of configs/, sorted.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
  return config::dram_presets(folder);
}

bool is_name(const std::string& name_or_path) {
  return name_or_path != "-" && name_or_path.find('/') == std::string::npos &&
         !name_or_path.ends_with(".json");
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
  if (memory) {
    throw ConfigurationError(fmt::format(
        "{}: that is a memory, not a machine: it goes with `tokencycle dram -c`; machines are: {}",
        name_or_path, listed(known)));
  }
  throw IoError(fmt::format("{}: there is no such file, and no machine of that name in {}{}{}", name_or_path,
                            (home() / "configs").string(), did_you_mean(name_or_path, known),
                            known_text(known)));
}

std::filesystem::path dram_presets_folder() {
  return home() / "configs" / "dram";
}

config::Machine read_configuration(const std::filesystem::path& path, std::vector<config::Change> changes) {
  config::ReadOptions options = read_options();
  options.changes = std::move(changes);
  return config::read_machine(path, options);
}

config::ReadOptions read_options() {
  return {dram_presets_folder(), home() / "configs", {}};
}

config::Technology find_technology(const std::string& name_or_path) {
  const std::filesystem::path folder = home() / "configs" / "technology";
  std::error_code ignored;
  if (!is_name(name_or_path) || std::filesystem::is_regular_file(name_or_path, ignored))
    return config::read_technology(name_or_path, folder);
  const std::vector<std::string> known = names_in(folder);
  if (std::find(known.begin(), known.end(), name_or_path) == known.end()) {
    throw IoError(fmt::format("{}: there is no such file, and no technology of that name in {}{}{}",
                              name_or_path, folder.string(), did_you_mean(name_or_path, known),
                              known_text(known)));
  }
  return config::read_technology(folder / (name_or_path + ".json"), folder);
}

std::filesystem::path find_dram(const std::string& name_or_path) {
  std::error_code ignored;
  if (!is_name(name_or_path) || std::filesystem::is_regular_file(name_or_path, ignored)) return name_or_path;
  const std::vector<std::string> known = names_in(dram_presets_folder());
  if (std::find(known.begin(), known.end(), name_or_path) != known.end()) {
    return dram_presets_folder() / (name_or_path + ".json");
  }
  const bool machine = std::filesystem::exists(home() / "configs" / (name_or_path + ".json"), ignored);
  if (machine) {
    throw ConfigurationError(fmt::format(
        "{}: that is a machine, not a memory; give a file of a memory, or one of configs/dram/: {}",
        name_or_path, listed(known)));
  }
  throw IoError(fmt::format("{}: there is no such file, and no memory of that name in {}{}{}", name_or_path,
                            dram_presets_folder().string(), did_you_mean(name_or_path, known),
                            known_text(known)));
}

std::filesystem::path find_description(const std::string& name_or_path) {
  std::error_code ignored;
  const std::filesystem::path memory = dram_presets_folder() / (name_or_path + ".json");
  const bool there = !is_name(name_or_path) || std::filesystem::exists(name_or_path, ignored);
  if (!there && std::filesystem::exists(memory, ignored)) return memory;
  return find_configuration(name_or_path);
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
