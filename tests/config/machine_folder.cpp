// SPDX-License-Identifier: Apache-2.0
#include "machine_folder.h"

#include <unistd.h>

#include <fstream>

namespace tokencycle::config {

namespace fs = std::filesystem;

Json with_preset(const std::string& preset, const Json& keys) {
  const Json device = json_of(kDramFolder / (preset + ".json"));
  const double rate = device["clock"]["data_rate_mt_s"], pins = device["organization"]["channel_width_bits"];
  Json tree = complete(DramModel::commands), system{{"preset", preset}};
  system.update(keys);
  tree["dram"]["system"] = system;
  tree["dram"]["channel_gb_per_s"] = rate * pins / 8000;
  return tree;
}

Folder::Folder() : path_(fs::temp_directory_path() / ("tokencycle_machine_" + std::to_string(getpid()))) {
  fs::remove_all(path_);
  fs::create_directories(path_);
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path Folder::write(const std::string& file, const std::string& text) const {
  std::ofstream(path_ / file, std::ios::binary) << text;
  return path_ / file;
}

void Folder::add_presets(const std::string& folder, const std::string& description) const {
  fs::copy(kDramFolder, path_ / folder, fs::copy_options::recursive);
  Json preset = json_of(path_ / folder / "ddr4-3200.json");
  preset["description"] = description;
  write(folder + "/ddr4-3200.json", preset);
}

}  // namespace tokencycle::config
