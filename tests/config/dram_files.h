// SPDX-License-Identifier: Apache-2.0
// DRAM presets, standards and systems as JSON trees, to change one value at a time in a folder of their own.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "config/dram/system.h"

namespace tokencycle::config {

using DramJson = nlohmann::ordered_json;

inline const std::filesystem::path kDramFolder = TOKENCYCLE_SOURCE_DIR "/configs/dram";

DramJson json_of(const std::filesystem::path& path);
DramDevice bundled_dram(const std::string& name);

// A copy of configs/dram/ that is removed at the end.
class DramCopy {
 public:
  DramCopy();
  ~DramCopy();
  DramCopy(const DramCopy&) = delete;
  DramCopy& operator=(const DramCopy&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  void write(const std::string& file, const std::string& text) const;
  // What is wrong with the preset; empty when nothing is. Errors of another kind pass through.
  std::string errors_of_device(const std::string& file) const;
  std::string errors_of_system(const std::string& file) const;
  // The same with this text or tree in the file, which then gets its own text back.
  std::string errors_with(const std::string& file, const std::string& text, const std::string& read) const;
  // With one value of `file` changed or, if `value` is discarded, removed; `read` is the preset to be read.
  std::string errors_with(const std::string& file, const std::string& pointer, const DramJson& value,
                          const std::string& read) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace tokencycle::config
