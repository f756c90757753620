// SPDX-License-Identifier: Apache-2.0
// A comparison as data.
#include "explore/comparison.h"

namespace tokencycle::explore {

using Json = nlohmann::ordered_json;

namespace {

template <class T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json bounds_json(const std::optional<BoundedFigure>& f) {
  return f ? Json{{"low", f->low}, {"typical", f->typical}, {"high", f->high}} : Json();
}

Json figures_json(const Figures& f) {
  Json json = {{"cycles", f.cycles},
               {"first_token_cycles", value_or_null(f.first_token)},
               {"decode_tokens", f.decode_tokens},
               {"decode_median_cycles", value_or_null(f.decode_median)},
               {"decode_max_cycles", value_or_null(f.decode_max)},
               {"clock_ghz", f.clock_ghz},
               {"decode_median_us", value_or_null(f.us_per_token)},
               {"tokens_per_second", value_or_null(f.tokens_per_second)},
               {"matrix_busy_percent", f.matrix_busy},
               {"vector_busy_percent", f.vector_busy},
               {"dram_busy_percent", f.dram_busy},
               {"dram_bytes", f.dram_bytes},
               {"dram_bytes_per_prompt_token", value_or_null(f.prefill_bytes)},
               {"dram_bytes_per_decode_token", value_or_null(f.decode_bytes)},
               {"dram_uj_per_prompt_token", value_or_null(f.prefill_uj)},
               {"dram_uj_per_decode_token", value_or_null(f.decode_uj)},
               {"dram_pj_per_bit", value_or_null(f.pj_per_bit)}};
  if (f.technology) {
    json["technology"] = f.technology->name;
    json["area_mm2"] = bounds_json(f.technology->area_mm2);
    json["energy_uj_per_prompt_token"] = bounds_json(f.technology->prefill_uj);
    json["energy_uj_per_decode_token"] = bounds_json(f.technology->decode_uj);
  }
  return json;
}

// Changes of the figures in percent; null where the baseline has none, or 0.
Json changes_json(const Json& baseline, const Json& figures) {
  Json changes = Json::object();
  for (const auto& [name, value] : figures.items()) {
    const Json before = baseline.contains(name) ? baseline[name] : Json();
    if (value.is_object() && before.is_object()) {
      changes[name] = changes_json(before, value);
      continue;
    }
    const bool known = before.is_number() && value.is_number() && before.get<double>() != 0;
    changes[name] =
        known ? Json(100 * (value.get<double>() - before.get<double>()) / before.get<double>()) : Json();
  }
  return changes;
}

Json reasons_json(const std::optional<Reasons>& reasons) {
  if (!reasons) return {};
  Json causes = Json::array();
  for (const CauseChange& change : reasons->changes) {
    causes.push_back({{"cause", std::string(observe::name_of(change.cause))},
                      {"baseline_cycles", change.baseline_cycles},
                      {"cycles", change.cycles},
                      {"difference_per_token", change.difference()}});
  }
  return {{"baseline_tokens", reasons->baseline_tokens},
          {"tokens", reasons->tokens},
          {"baseline_cycles", reasons->baseline_cycles},
          {"cycles", reasons->cycles},
          {"difference_per_token", reasons->value - reasons->baseline},
          {"causes", std::move(causes)}};
}

Json keys_json(const std::vector<DifferingKey>& keys) {
  Json all = Json::array();
  for (const DifferingKey& key : keys) all.push_back({{"path", key.path}, {"values", key.json}});
  return all;
}

}  // namespace

Json comparison_json(const Comparison& c, const std::vector<Result>& results) {
  const Json baseline = figures_json(c.figures[c.baseline]);
  Json entries = Json::array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Json figures = figures_json(c.figures[i]);
    const bool other = i != c.baseline;
    entries.push_back({{"label", c.labels[i]},
                       {"source", results[i].source},
                       {"machine", results[i].machine},
                       {"machine_digest", results[i].machine_digest},
                       {"figures", figures},
                       {"change_percent", other ? changes_json(baseline, figures) : Json()},
                       {"decode", other ? reasons_json(c.decode[i]) : Json()},
                       {"first_token", other ? reasons_json(c.first_token[i]) : Json()}});
  }
  return {
      {"schema", "tokencycle-comparison-1"},  {"baseline", c.baseline},       {"same_tokens", c.same_tokens},
      {"timing_only_results", c.timing_only}, {"warnings", c.warnings},       {"keys", keys_json(c.keys)},
      {"settings", keys_json(c.settings)},    {"results", std::move(entries)}};
}

}  // namespace tokencycle::explore
