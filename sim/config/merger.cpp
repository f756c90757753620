// SPDX-License-Identifier: Apache-2.0
#include "config/merger.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "config/dram/json.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostListed = 2048;  // bytes of changes in a description of kLongestText

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// "/a=1" for every value of the tree that is no object.
void list_values(const Json& tree, const std::string& path, std::vector<std::string>& out) {
  if (!tree.is_object()) return out.push_back(path + '=' + text_of(tree));
  for (const auto& [key, value] : tree.items()) list_values(value, path + '/' + pointer_token(key), out);
}

// "edge with /matrix/rows=64, /matrix/columns=64", of the changes as many as fit into `most` bytes.
std::string with_changes(const std::string& name, const std::vector<std::string>& changes, std::size_t most) {
  for (std::size_t shown = changes.size(); shown > 0; --shown) {
    const std::vector<std::string> first(changes.begin(),
                                         changes.begin() + static_cast<std::ptrdiff_t>(shown));
    std::string text = fmt::format("{} with {}", name, fmt::join(first, ", "));
    if (shown < changes.size()) text += fmt::format(" and {} more", changes.size() - shown);
    if (text.size() <= most) return text;
  }
  return changes.empty() ? name : fmt::format("{} with {} changes", name, changes.size());
}

const Json* value_at(const Json& tree, const std::string& path) {
  const Json::json_pointer pointer(path);
  return tree.contains(pointer) ? &tree.at(pointer) : nullptr;
}

std::string text_at(const Json& tree, const std::string& path) {
  const Json* value = value_at(tree, path);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

// JSON; or a text without its quotes.
Json value_of(const Change& change) {
  Violations violations(change.source);
  Json value;
  try {
    value = parse_text(change.value, violations);
  } catch (const ConfigurationError&) {
    return change.value;
  }
  violations.throw_if_any();
  return value;
}

bool above(const std::string& path, const std::string& of) {
  return of.starts_with(path + "/");
}

}  // namespace

Merger::Merger(Layer root) : tree_(std::move(root.tree)), preset_folder_(root.file.parent_path()) {
  own(tree_, "", root.source);
}

void Merger::add(const Layer& layer) {
  const Memory before = memory();
  const std::string base = text_at(tree_, "/name");
  Json differences = layer.tree;
  for (const char* key : {"schema", "name", "description"}) differences.erase(key);
  std::vector<std::string> changes;
  list_values(differences, "", changes);
  merge(tree_, layer.tree, "", layer.source);
  if (!layer.tree.contains("name")) put("name", layer.file.stem().string(), layer.source);
  if (!layer.tree.contains("description")) {
    put("description", with_changes(base, changes, kMostListed), layer.source);
  }
  const auto given = [&](const std::string& path) { return value_at(layer.tree, path) != nullptr; };
  if (given("/dram/system/preset")) preset_folder_ = layer.file.parent_path();
  derive(before, given, layer.source);
}

void Merger::add(const std::vector<Change>& changes, const std::filesystem::path& folder) {
  if (changes.empty()) return;
  const Memory before = memory();
  std::vector<std::string> named;
  for (const Change& change : changes) {
    apply(change);
    if (change.named) named.push_back(change.path + '=' + change.value);
  }
  const auto given = [&](const std::string& path) {
    return std::any_of(changes.begin(), changes.end(),
                       [&](const Change& c) { return c.path == path || above(c.path, path); });
  };
  if (given("/dram/system/preset")) preset_folder_ = folder;
  const std::string& source = changes.front().source;
  const auto of_memory = std::find_if(changes.begin(), changes.end(),
                                      [](const Change& c) { return c.path.starts_with("/dram"); });
  derive(before, given, of_memory == changes.end() ? source : of_memory->source);
  if (named.empty()) return;
  if (!given("/name")) put("name", with_changes(text_at(tree_, "/name"), named, kMostNameBytes), source);
  if (given("/description")) return;
  const std::string about =
      with_changes("Changed", named, kMostListed) + ". " + text_at(tree_, "/description");
  if (about.size() <= kLongestText) put("description", about, source);
}

std::map<std::string, std::string> Merger::sources_but(const std::string& source) const {
  std::map<std::string, std::string> others = sources_;
  std::erase_if(others, [&](const auto& entry) { return entry.second == source; });
  return others;
}

std::vector<Provenance::Value> Merger::values_but(const std::string& source) const {
  std::vector<Provenance::Value> values;
  for (const auto& [path, of] : sources_but(source)) {
    const Json* value = value_at(tree_, path);
    values.push_back({path, value == nullptr ? "derived" : text_of(*value), of});
  }
  return values;
}

void Merger::forget(const std::string& path) {
  std::erase_if(sources_, [&](const auto& entry) { return entry.first == path || above(path, entry.first); });
}

void Merger::own(const Json& value, const std::string& path, const std::string& source) {
  forget(path);
  if (!value.is_object()) {
    sources_[path] = source;
    return;
  }
  for (const auto& [key, member] : value.items()) own(member, path + '/' + pointer_token(key), source);
}

void Merger::put(const char* key, const std::string& value, const std::string& source) {
  tree_[key] = value;
  own(tree_[key], std::string("/") + key, source);
}

void Merger::merge(Json& into, const Json& from, const std::string& path, const std::string& source) {
  for (const auto& [key, value] : from.items()) {
    const std::string at = path + '/' + pointer_token(key);
    const bool there = into.contains(key);
    if (value.is_null() && there) {
      into.erase(key);
      forget(at);
    } else if (value.is_object() && there && into[key].is_object()) {
      merge(into[key], value, at, source);
    } else {  // a null that takes nothing away is refused as a value
      into[key] = value;
      own(value, at, source);
    }
  }
}

Merger::Memory Merger::memory() const {
  const auto at = [this](const char* path) {
    const Json* value = value_at(tree_, path);
    return value == nullptr ? Json() : *value;
  };
  return {at("/dram/system/preset"), at("/dram/system/channels"), at("/dram/burst_bytes")};
}

template <class Given>
void Merger::derive(const Memory& before, const Given& given, const std::string& source) {
  const Memory now = memory();
  if (now[0].is_null()) return;
  const auto drop = [&](const std::string& section, const char* key) {
    const std::string path = section + '/' + key;
    if (given(path) || value_at(tree_, path) == nullptr) return;
    tree_[Json::json_pointer(section)].erase(key);
    own(Json(), path, source);
  };
  if (now != before) drop("/dram/system", "mapping");
  if (now[0] != before[0]) drop("/dram", "channel_gb_per_s");
}

void Merger::apply(const Change& change) {
  const auto refuse = [&](const std::string& what) {
    throw ConfigurationError(fmt::format("{}: {}: {}", change.source, change.path, what));
  };
  const Json value = value_of(change);
  if (!tree_.is_object()) refuse("the description is no object and has no keys");
  Json* at = &tree_;
  std::size_t begin = 1, end = 0;
  for (; (end = change.path.find('/', begin)) != std::string::npos; begin = end + 1) {
    Json& inside = (*at)[change.path.substr(begin, end - begin)];
    if (inside.is_null()) inside = Json::object();
    if (!inside.is_object()) {
      refuse(fmt::format("{} is {}, without keys inside; set it as a whole", change.path.substr(0, end),
                         shown_json(inside)));
    }
    at = &inside;
  }
  const std::string key = change.path.substr(begin);
  if (!value.is_null()) {
    (*at)[key] = value;
    own(value, change.path, change.source);
  } else if (at->erase(key) > 0 || !change.named) {
    forget(change.path);
  } else {
    refuse("null takes a key away, and this one is not there; leave it out");
  }
}

}  // namespace tokencycle::config
