// SPDX-License-Identifier: Apache-2.0
// What the scripts draw, as JSON.
#include <fmt/format.h>

#include <algorithm>

#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

using Json = nlohmann::ordered_json;

namespace {

// Neighbours are added up until there are at most `most` values.
Json timeline_json(const Result& result, std::size_t most) {
  const Timeline& t = *result.timeline;
  std::size_t count = 0;
  for (const Series& s : t.series) count = std::max(count, s.values.size());
  std::size_t step = 1;
  while ((count + step - 1) / step > std::max<std::size_t>(most, 1)) step *= 2;
  Json series = Json::array();
  for (const Series& s : t.series) {
    std::vector<std::uint64_t> values((s.values.size() + step - 1) / step);
    for (std::size_t i = 0; i < s.values.size(); ++i) values[i / step] += s.values[i];
    series.push_back({{"name", s.name}, {"unit", s.unit}, {"values", values}});
  }
  Json ends = Json::array();
  constexpr std::size_t kMostEnds = 400;  // lines; more would be a surface
  if (result.tokens.size() <= kMostEnds) {
    for (const ResultToken& token : result.tokens) ends.push_back(token.end);
  }
  return {{"interval", t.interval_cycles * step},
          {"start", t.start},
          {"end", t.start + result.cycles},
          {"tokens", ends},
          {"series", series}};
}

std::size_t channels_of(const Result& result) {
  return static_cast<std::size_t>(
      std::count_if(result.units.begin(), result.units.end(),
                    [](const ResultUnit& u) { return u.name.starts_with("dram.channel"); }));
}

// A column as one text, "" for what a row has not: shorter than a list, and as exact.
template <class Value>
std::string column(const Pipeline& p, std::size_t rows, const Value& value) {
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::optional<std::int64_t> v = value(p.rows[i], i);
    if (i != 0) text += ',';
    if (v) text += std::to_string(*v);
  }
  return text;
}

// Times are written as the cycles since the stage before; decoding as those since the row before.
Json pipeline_json(const Pipeline& p, std::size_t rows) {
  using Time = std::optional<std::int64_t>;
  constexpr std::size_t kDecoded = 1;
  Json columns = Json::array();
  columns.push_back(column(p, rows, [](const PipelineRow& r, std::size_t) { return Time(r.op); }));
  columns.push_back(column(p, rows, [](const PipelineRow& r, std::size_t) { return Time(r.kind); }));
  columns.push_back(column(p, rows, [](const PipelineRow& r, std::size_t) { return Time(r.unit); }));
  for (std::size_t stage = 0; stage < kPipelineStages.size(); ++stage) {
    columns.push_back(column(p, rows, [&](const PipelineRow& r, std::size_t i) -> Time {
      if (!r.times[stage]) return std::nullopt;
      std::int64_t before = 0;
      if (stage == kDecoded) {
        before = i == 0 ? 0 : p.rows[i - 1].times[kDecoded].value_or(0);
      } else {
        before = r.times[stage == 0 ? kDecoded : stage - 1].value_or(r.times[kDecoded].value_or(0));
      }
      return *r.times[stage] - before;
    }));
  }
  Json operators = Json::array();
  for (const auto& [name, layer] : p.operators) operators.push_back(name);
  return {{"token", p.token},  {"start", p.start},       {"end", p.end},     {"instructions", p.instructions},
          {"rows", rows},      {"operators", operators}, {"kinds", p.kinds}, {"units", p.units},
          {"columns", columns}};
}

}  // namespace

std::string page_data(const Page& page) {
  Json results = Json::array();
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    const Result& r = page.results[i];
    Json entry = {{"label", page.label(i)},
                  {"clock_ghz", r.clock_ghz},
                  {"channels", channels_of(r)},
                  {"peak_gb_per_s", r.peak_dram_gb_per_s}};
    if (r.timeline) entry["timeline"] = timeline_json(r, page.detail.timeline_values);
    const std::size_t rows = r.pipeline ? std::min(page.detail.pipeline_rows, r.pipeline->rows.size()) : 0;
    if (rows != 0) entry["pipeline"] = pipeline_json(*r.pipeline, rows);
    results.push_back(std::move(entry));
  }
  Json causes = Json::array();
  for (int i = 0; i < observe::kCauses; ++i) {
    causes.push_back(std::string(observe::name_of(static_cast<observe::Cause>(i))));
  }
  return packed_json({{"results", results}, {"shown", page.shown()}, {"causes", causes}});
}

}  // namespace tokencycle::explore
