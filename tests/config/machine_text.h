// SPDX-License-Identifier: Apache-2.0
// Machine descriptions as JSON trees, to change one value at a time.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tokencycle::config {

using Json = nlohmann::ordered_json;

inline const std::filesystem::path kConfigs = TOKENCYCLE_SOURCE_DIR "/configs";

// Valid descriptions, one for each memory model, in which every key of the model is present and every number
// differs from its neighbours' and from the default. `commands` takes its preset from configs/dram.
Json complete(DramModel model = DramModel::ideal);

// Every key that a description with this memory model can have.
struct Key {
  const Field& field;
  DramModel model;
};
std::vector<Key> keys_of(DramModel model);
// Those of all models. Keys outside /dram are read alike and come once, those inside with every model that
// has them.
std::vector<Key> keys_of_all_models();

inline Json::json_pointer at(const std::string& path) {
  return Json::json_pointer(path);
}

inline Json with(const std::string& path, const Json& value, DramModel model = DramModel::ideal) {
  Json tree = complete(model);
  tree[at(path)] = value;
  return tree;
}

inline Json without(const std::string& path, DramModel model = DramModel::ideal) {
  Json tree = complete(model);
  const auto pointer = at(path);
  tree[pointer.parent_pointer()].erase(pointer.back());
  return tree;
}

inline Machine parse(const Json& tree) {
  return parse_machine(tree.dump(), "sample.json", kConfigs);
}

// What is wrong with a text or tree, read as if it lay in configs/; empty when nothing is. Errors of another
// kind pass through.
std::string errors_of_text(const std::string& text);
inline std::string errors(const Json& tree) {
  return errors_of_text(tree.dump());
}

}  // namespace tokencycle::config
