// SPDX-License-Identifier: Apache-2.0
#include "explore/differing.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "config/json_text.h"

namespace tokencycle::explore {

using Json = nlohmann::ordered_json;

namespace {

// Leaves of the results' trees by path; paths in the order in which they were met.
class Leaves {
 public:
  explicit Leaves(std::size_t results) : results_(results) {}

  void add(std::size_t result, const std::string& path, const Json& value) {
    const auto [at, added] = index_.emplace(path, keys_.size());
    if (added) keys_.push_back({path, std::vector<Json>(results_), std::vector<std::string>(results_)});
    keys_[at->second].json[result] = value;
    keys_[at->second].values[result] = text_of(value);
  }

  void add_tree(std::size_t result, const std::string& path, const Json& value) {
    if (!value.is_object() || value.empty()) return add(result, path, value);
    for (const auto& [key, member] : value.items()) {
      add_tree(result, path + '/' + config::pointer_token(key), member);
    }
  }

  // Those that are not the same in all results.
  std::vector<DifferingKey> differing() && {
    std::erase_if(keys_, [](const DifferingKey& key) {
      return std::all_of(key.json.begin(), key.json.end(), [&](const Json& j) { return j == key.json[0]; });
    });
    return std::move(keys_);
  }

 private:
  static std::string text_of(const Json& value) {
    if (value.is_string()) return config::escaped(value.get<std::string>());
    if (!value.is_array()) return value.dump(-1, ' ', true, Json::error_handler_t::replace);
    std::string text;
    for (const Json& entry : value) text += (text.empty() ? "" : ", ") + text_of(entry);
    return text;
  }

  std::size_t results_;
  std::map<std::string, std::size_t> index_;
  std::vector<DifferingKey> keys_;
};

// Of several sequences one list each.
Json generated_ids(const Result& result) {
  Json ids = Json::array();
  if (!result.sequences.empty()) {
    for (const ResultSequence& s : result.sequences) ids.push_back(s.ids);
    return ids;
  }
  for (const ResultToken& t : result.tokens) ids.push_back(t.id);
  return ids;
}

Json prompts_of(const Result& result) {
  if (result.sequences.empty()) return result.prompt_tokens;
  Json prompts = Json::array();
  for (const ResultSequence& s : result.sequences) prompts.push_back(s.prompt_tokens);
  return prompts;
}

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

// "from token 3 on": where two texts part.
std::string parting(const std::vector<ResultToken>& a, const std::vector<ResultToken>& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end(),
                                    [](const ResultToken& s, const ResultToken& t) { return s.id == t.id; });
  if (x == a.end() || y == b.end()) return fmt::format("{} instead of {}", b.size(), a.size());
  return fmt::format("other ones from token {} on", x - a.begin());
}

}  // namespace

std::vector<DifferingKey> differing_machine_keys(const std::vector<Result>& results) {
  Leaves leaves(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) leaves.add_tree(i, "", results[i].values);
  std::vector<DifferingKey> keys = std::move(leaves).differing();
  std::erase_if(keys, [](const DifferingKey& k) { return k.path == "/name" || k.path == "/description"; });
  return keys;
}

std::vector<DifferingKey> differing_settings(const std::vector<Result>& results) {
  Leaves leaves(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Result& r = results[i];
    const ResultSettings& s = r.settings;
    const auto add = [&](const char* path, const Json& value) { leaves.add(i, path, value); };
    add("/version", r.version);
    add("/model/file", r.model.file);
    add("/model/name", r.model.name);
    add("/model/weights", r.model.weights);
    add("/model/digest", r.model.digest);
    add("/prompt_tokens", prompts_of(r));
    add("/tokens/id", generated_ids(r));
    add("/stop_reason", r.stop_reason);
    add("/settings/new_tokens", s.new_tokens);
    add("/settings/ignore_eos", s.ignore_eos);
    add("/settings/temperature", s.temperature);
    add("/settings/top_k", json_of(s.top_k));
    add("/settings/top_p", json_of(s.top_p));
    add("/settings/seed", json_of(s.seed));
    add("/settings/kv_format", s.kv_format);
    add("/settings/rope_pairs", s.rope_pairs);
    add("/settings/context", s.context);
    add("/settings/batch", s.batch);
    add("/settings/sequences", s.sequences);
    add("/settings/position", s.position);
    add("/settings/timing_only", s.timing_only);
  }
  return std::move(leaves).differing();
}

bool same_model(const Result& a, const Result& b) {
  if (a.settings.timing_only == b.settings.timing_only) return a.model.digest == b.model.digest;
  return a.model.name == b.model.name && a.model.architecture == b.model.architecture &&
         a.model.weights == b.model.weights;
}

bool same_tokens(const Result& a, const Result& b) {
  return prompts_of(a) == prompts_of(b) && generated_ids(a) == generated_ids(b);
}

std::vector<std::string> warnings_of(const std::vector<Result>& results, std::size_t baseline,
                                     const std::vector<std::string>& labels) {
  const Result& base = results[baseline];
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Result& r = results[i];
    const auto warn = [&](bool differs, const std::string& what) {
      if (differs) warnings.push_back(fmt::format("{}: {}", labels[i], what));
    };
    warn(r.interrupted_at.has_value(), "the run was interrupted; its figures are those of a part");
    if (i == baseline) continue;
    const std::string& of = labels[baseline];
    const std::string other = fmt::format("than {}; these are cycles of different work", of);
    warn(!same_model(base, r), fmt::format("ran another model {}", other));
    warn(prompts_of(r) != prompts_of(base), fmt::format("read another prompt {}", other));
    warn(generated_ids(r) != generated_ids(base),
         fmt::format("{} other tokens {} ({})", r.settings.timing_only ? "was given" : "generated", other,
                     parting(base.tokens, r.tokens)));
    warn(r.settings.kv_format != base.settings.kv_format,
         fmt::format("has its KV cache in another format {}", other));
    warn(r.version != base.version, "was written by another version of tokencycle");
    warn(r.values == base.values && r.machine_digest != base.machine_digest,
         fmt::format("has the values of {} but another digest: a preset of its memory changed", of));
  }
  return warnings;
}

}  // namespace tokencycle::explore
