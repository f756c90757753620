// SPDX-License-Identifier: Apache-2.0
// The timeline and the pipeline of a result: series that sum to its totals, and indices that are some.
#include <fmt/format.h>

#include <limits>

#include "explore/result/readers.h"

namespace tokencycle::explore {

namespace {

constexpr std::size_t kMostIntervals = 512, kMostSeries = 1024;
constexpr std::int64_t kMostTime = static_cast<std::int64_t>(kMostCount);

// The total that a series of this name sums to; none where the result does not have it.
std::optional<std::uint64_t> total_of(const std::string& name, const Result& result) {
  if (name == "dram.busy") {
    std::uint64_t sum = 0;
    for (const ResultUnit& u : result.units) {
      if (u.name.starts_with("dram.channel")) sum = add_counts(sum, u.cycles("busy"));
    }
    return sum;
  }
  const auto moved = [&](const char* unit) {
    return result.counter(fmt::format("{}.moved_bytes", unit)).value_or(0);
  };
  if (name == "dram.read_bytes") return add_counts(moved("fetch"), moved("dma0.read"));
  if (name == "dram.write_bytes") return moved("dma0.write");
  for (std::size_t i = 0; i < result.stack.size(); ++i) {
    if (name == fmt::format("cause.{}", observe::name_of(static_cast<observe::Cause>(i)))) {
      return result.stack[i];
    }
  }
  constexpr std::string_view kBusy = ".busy";
  if (!name.ends_with(kBusy)) return std::nullopt;
  const ResultUnit* unit = result.unit(name.substr(0, name.size() - kBusy.size()));
  return unit == nullptr ? std::nullopt : std::optional(unit->cycles("busy"));
}

Series read_series(const Node& entry, const Result& result) {
  Series series{entry.at("name").text(), entry.at("unit").text(), {}};
  const Node values = entry.at("values");
  if (values.size() > kMostIntervals) {
    values.refuse(fmt::format("{} values; there are at most {}", values.size(), kMostIntervals));
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    series.values.push_back(values[i].count());
    sum = add_counts(sum, series.values.back());
  }
  const auto total = total_of(series.name, result);
  if (!total) entry.at("name").refuse("no total of the result has this name");
  values.check_sum(sum, *total, "the whole run");
  return series;
}

std::vector<std::string> read_texts(const Node& list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(list[i].text());
  return texts;
}

// An index into a list of `size` entries; at least `least`.
std::int64_t read_index(const Node& node, std::int64_t least, std::size_t size) {
  if (size == 0 && least == 0) node.refuse("the list that it is an index of is empty");
  return node.whole(least, static_cast<std::int64_t>(size) - 1);
}

// Cells: operator, kind, unit and the stages' times.
PipelineRow read_row(const Node& row, const Pipeline& pipeline) {
  PipelineRow read;
  if (row.size() != 3 + read.times.size()) {
    row.refuse(fmt::format("{} cells; there must be {}", row.size(), 3 + read.times.size()));
  }
  read.op = read_index(row[0], -1, pipeline.operators.size());
  read.kind = static_cast<std::size_t>(read_index(row[1], 0, pipeline.kinds.size()));
  read.unit = static_cast<std::size_t>(read_index(row[2], 0, pipeline.units.size()));
  for (std::size_t i = 0; i < read.times.size(); ++i) {
    if (!row[3 + i].is_null()) read.times[i] = row[3 + i].whole(-kMostTime, kMostTime);
  }
  return read;
}

void check_columns(const Node& columns) {
  std::vector<std::string> expected = {"operator", "kind", "unit"};
  expected.insert(expected.end(), kPipelineStages.begin(), kPipelineStages.end());
  if (read_texts(columns) != expected) columns.refuse("they are not those of this version");
}

}  // namespace

void read_timeline(const Node& timeline, Result& result) {
  Timeline read{timeline.at("interval_cycles").count(), timeline.at("start").count(), {}};
  if (read.interval_cycles == 0) timeline.at("interval_cycles").refuse("0 is no interval");
  const Node series = timeline.at("series");
  if (series.size() > kMostSeries) {
    series.refuse(fmt::format("{} series; there are at most {}", series.size(), kMostSeries));
  }
  for (std::size_t i = 0; i < series.size(); ++i) read.series.push_back(read_series(series[i], result));
  result.timeline = std::move(read);
}

void read_pipeline(const Node& pipeline, Result& result) {
  Pipeline read;
  read.token = pipeline.at("token").count();
  read.start = pipeline.at("start").count();
  read.end = pipeline.at("end").count();
  read.instructions = pipeline.at("instructions").count();
  if (read.end < read.start) pipeline.at("end").refuse("it is before the start");
  const Node operators = pipeline.at("operators");
  for (std::size_t i = 0; i < operators.size(); ++i) {
    read.operators.emplace_back(operators[i].at("name").text(),
                                operators[i].at("layer").whole(-1, std::numeric_limits<std::int32_t>::max()));
  }
  read.kinds = read_texts(pipeline.at("kinds"));
  read.units = read_texts(pipeline.at("units"));
  check_columns(pipeline.at("columns"));
  const Node rows = pipeline.at("rows");
  if (rows.size() > read.instructions) {
    rows.refuse(fmt::format("{} rows of {} instructions", rows.size(), read.instructions));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) read.rows.push_back(read_row(rows[i], read));
  result.pipeline = std::move(read);
}

}  // namespace tokencycle::explore
