// SPDX-License-Identifier: Apache-2.0
// Machine descriptions with a memory system, and folders for them and for presets.
#pragma once

#include <filesystem>
#include <string>

#include "dram_files.h"
#include "machine_text.h"

namespace tokencycle::config {

// A description whose system has nothing but a preset of configs/dram and what `keys` gives.
Json with_preset(const std::string& preset, const Json& keys = Json::object());

// How the message begins when `path` inside the system is refused first.
inline std::string refused(const std::string& path) {
  return "sample.json: /dram/system" + path + ": ";
}

// An empty folder that is removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& file, const std::string& text) const;
  std::filesystem::path write(const std::string& file, const Json& tree) const {
    return write(file, tree.dump());
  }
  // A copy of configs/dram there, whose ddr4-3200 has this description.
  void add_presets(const std::string& folder, const std::string& description) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tokencycle::config
