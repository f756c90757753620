// SPDX-License-Identifier: Apache-2.0
#include "config/description.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "config/dram/device.h"
#include "config/dram/json.h"
#include "config/json_text.h"
#include "config/merger.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMostBases = 16;  // one upon the other

// Of another kind of document no key need be named.
void refuse_other_schema(const Json& tree, Violations& violations) {
  const auto schema = tree.is_object() ? tree.find("schema") : tree.end();
  if (tree.is_object() && schema == tree.end() &&
      (tree.contains("architectures") || tree.contains("model_type"))) {
    violations.add("", "this is a model's config.json, not a machine; it goes with -m and --timing-only");
    violations.throw_if_any();
  }
  if (schema == tree.end() || !schema->is_string()) return;
  const std::string name = schema->get<std::string>();
  if (name.starts_with("tokencycle-machine-")) return;
  const char* remedy = "name a machine, for example one of configs/";
  if (name.starts_with("tokencycle-dram-")) remedy = "a memory goes with `tokencycle dram -c`";
  if (name.starts_with("tokencycle-result-")) remedy = "a run's result goes with compare, report and inspect";
  violations.add("/schema", fmt::format("\"{}\" is not allowed; allowed: \"tokencycle-machine-1\"; {}",
                                        escaped(shortened(name)), remedy));
  violations.throw_if_any();
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code absent;
  return fs::equivalent(a, b, absent) && !absent;
}

// The file that "base" names: a path from the file's folder, or the name of a machine beside it or in
// options.machines. A file is not its own base, so edge.json may build on the edge of configs/.
std::optional<fs::path> base_file(const Layer& of, const ReadOptions& options, Violations& violations) {
  const Json& value = of.tree["base"];
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    violations.add("/base", fmt::format("{} is not allowed; allowed: the name of a machine, or a path that "
                                        "ends in .json",
                                        shown_json(value)));
    return {};
  }
  const std::string name = value.get<std::string>();
  const fs::path folder = of.file.has_parent_path() ? of.file.parent_path() : ".";
  if (name.ends_with(".json") || name.find('/') != std::string::npos) return folder / name;
  std::vector<fs::path> places = {folder};
  if (!options.machines.empty()) places.push_back(options.machines);
  std::vector<std::string> searched, known;
  for (const fs::path& place : places) {
    const fs::path file = place / (name + ".json");
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored) && !same_file(file, of.file)) return file;
    searched.push_back(place.string());
    if (const auto names = dram_presets(place); !names.empty()) known = names;
  }
  violations.add("/base",
                 fmt::format("no machine \"{}\" in {}; {} Or give a path that ends in .json",
                             escaped(shortened(name)), fmt::join(searched, ", "), suggest(name, known)));
  return {};
}

void refuse_circle(const std::vector<Layer>& layers, const fs::path& next) {
  std::string chain;
  for (const Layer& layer : layers) chain += layer.file.string() + " -> ";
  const auto back = [&](const Layer& layer) { return same_file(layer.file, next); };
  if (std::any_of(layers.begin(), layers.end(), back)) {
    throw ConfigurationError(
        fmt::format("{}: /base: {} leads back to itself ({}{}); name a base outside this circle",
                    layers.back().source, next.string(), chain, next.string()));
  }
  if (layers.size() < kMostBases) return;
  throw ConfigurationError(fmt::format("{}: /base: more than {} bases one upon the other ({}...); merge some",
                                       layers.back().source, kMostBases, chain));
}

// The file, its base, that one's base ...
std::vector<Layer> layers_of(const std::string& text, const fs::path& file, const ReadOptions& options,
                             Violations& violations) {
  std::vector<Layer> layers = {{parse_text(text, violations), file, violations.source()}};
  refuse_other_schema(layers[0].tree, violations);
  while (layers.back().tree.is_object() && layers.back().tree.contains("base")) {
    Violations here(layers.back().source);
    const auto base = base_file(layers.back(), options, here);
    violations.add_all(here);
    if (!base) violations.throw_if_any();
    layers.back().tree.erase("base");
    refuse_circle(layers, *base);
    Violations there(base->string());
    Json tree = parse_text(read_description(*base, "a machine description", "configs/"), there);
    refuse_other_schema(tree, there);
    if (!tree.is_object()) {
      there.add("", fmt::format("the text is of type {}; a base must be a machine's description",
                                tree.type_name()));
      there.throw_if_any();
    }
    violations.add_all(there);
    layers.push_back({std::move(tree), *base, base->string()});
  }
  return layers;
}

}  // namespace

Description describe(const std::string& text, const fs::path& file, const ReadOptions& options,
                     Violations& violations) {
  std::vector<Layer> layers = layers_of(text, file, options, violations);
  Description description;
  for (const Layer& layer : layers) description.provenance.files.push_back(layer.file);
  if (layers.size() == 1 && options.changes.empty()) {
    description.tree = std::move(layers[0].tree);
    description.preset_folder = file.parent_path();
    return description;
  }
  const std::string root = layers.back().source;
  Merger merger(std::move(layers.back()));
  for (std::size_t i = layers.size() - 1; i-- > 0;) merger.add(layers[i]);
  merger.add(options.changes, ".");
  for (const Change& change : options.changes) {
    if (change.named) description.provenance.changes.push_back(change.path + '=' + change.value);
  }
  description.provenance.values = merger.values_but(root);
  violations.set_sources(merger.sources_but(violations.source()));
  description.preset_folder = merger.preset_folder();
  description.tree = merger.tree();
  return description;
}

}  // namespace tokencycle::config
