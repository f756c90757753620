// SPDX-License-Identifier: Apache-2.0
// Files and changes of a machine's description as one tree, with the source of each value.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/machine.h"

namespace tokencycle::config {

// One file of a description.
struct Layer {
  nlohmann::ordered_json tree;
  std::filesystem::path file;
  std::string source;  // for messages
};

class Merger {
 public:
  explicit Merger(Layer root);

  // Another file's values over what is there. One without a name is called as its file.
  void add(const Layer& layer);
  // All together, since they may depend on each other. Those that are named go into the machine's name.
  // `folder` is that of a preset which they name. Throws ConfigurationError for a path that leads nowhere.
  void add(const std::vector<Change>& changes, const std::filesystem::path& folder);

  const nlohmann::ordered_json& tree() const { return tree_; }
  const std::filesystem::path& preset_folder() const { return preset_folder_; }
  // By path, the sources of the values that do not come from `source`.
  std::map<std::string, std::string> sources_but(const std::string& source) const;
  std::vector<Provenance::Value> values_but(const std::string& source) const;

 private:
  using Json = nlohmann::ordered_json;
  // What a mapping and a channel's GB/s follow from: preset, channels, bytes of a request.
  using Memory = std::array<Json, 3>;

  Memory memory() const;
  template <class Given>
  void derive(const Memory& before, const Given& given, const std::string& source);
  void merge(Json& into, const Json& from, const std::string& path, const std::string& source);
  void apply(const Change& change);
  void own(const Json& value, const std::string& path, const std::string& source);
  void forget(const std::string& path);
  void put(const char* key, const std::string& value, const std::string& source);

  Json tree_;
  std::map<std::string, std::string> sources_;
  std::filesystem::path preset_folder_;
};

}  // namespace tokencycle::config
