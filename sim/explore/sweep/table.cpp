// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>

#include "base/error.h"
#include "explore/comparison.h"
#include "explore/result/text.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

using T = ResultTechnology;
using B = BoundedFigure;

// A bound of an area or energy; null without a technology.
template <auto Figure, auto Bound>
Json bounded(const Result& result, const Figures&) {
  if (!result.technology) return {};
  const std::optional<BoundedFigure> figure = (*result.technology).*Figure;
  return figure ? Json((*figure).*Bound) : Json();
}

// A figure of a run and where it comes from.
struct RunFigure {
  Column column;
  Json (*value)(const Result& result, const Figures& figures);
};
const std::array kRunFigures = {
    RunFigure{{"cycles", "cycles", "of the whole run"},
              [](const Result&, const Figures& f) { return Json(f.cycles); }},
    RunFigure{{"first_token_cycles", "cycles", "of the prompt and the first token"},
              [](const Result&, const Figures& f) { return or_null(f.first_token); }},
    RunFigure{{"decode_median_cycles", "cycles", "of a further token, median"},
              [](const Result&, const Figures& f) { return or_null(f.decode_median); }},
    RunFigure{{"tokens_per_second", "1/s", "of the median at the machine's clock"},
              [](const Result&, const Figures& f) { return or_null(f.tokens_per_second); }},
    RunFigure{{"matrix_busy_percent", "%", "of all cycles"},
              [](const Result&, const Figures& f) { return Json(f.matrix_busy); }},
    RunFigure{{"vector_busy_percent", "%", "of all cycles"},
              [](const Result&, const Figures& f) { return Json(f.vector_busy); }},
    RunFigure{{"dram_busy_percent", "%", "of all cycles, mean of the channels"},
              [](const Result&, const Figures& f) { return Json(f.dram_busy); }},
    RunFigure{{"dram_bytes", "B", "moved"},
              [](const Result&, const Figures& f) { return Json(f.dram_bytes); }},
    RunFigure{{"dram_uj", "uJ", "energy of the DRAM; empty where its preset publishes none"},
              [](const Result& r, const Figures&) {
                return r.dram_energy ? Json(r.dram_energy->total_pj * 1e-6) : Json();
              }},
    RunFigure{{"area_mm2", "mm2", "of the chip, with the option technology"},
              bounded<&T::area_mm2, &B::typical>},
    RunFigure{{"area_mm2_low", "mm2", "least"}, bounded<&T::area_mm2, &B::low>},
    RunFigure{{"area_mm2_high", "mm2", "most"}, bounded<&T::area_mm2, &B::high>},
    RunFigure{{"energy_uj", "uJ", "of machine and DRAM, with the option technology"},
              bounded<&T::energy_uj, &B::typical>},
    RunFigure{{"energy_uj_per_token", "uJ", "of a further token, mean"}, bounded<&T::decode_uj, &B::typical>},
    RunFigure{{"energy_uj_per_token_low", "uJ", "least"}, bounded<&T::decode_uj, &B::low>},
    RunFigure{{"energy_uj_per_token_high", "uJ", "most"}, bounded<&T::decode_uj, &B::high>},
    RunFigure{{"machine_digest", "", "of the description"},
              [](const Result& r, const Figures&) { return Json(r.machine_digest); }},
    RunFigure{{"program_digest", "", "of the programs"},
              [](const Result& r, const Figures&) { return Json(r.program_digest); }},
    RunFigure{{"event_digest", "", "of every event"},
              [](const Result& r, const Figures&) { return Json(r.event_digest); }},
};

// Of products, summed over the layers.
constexpr const char* kArray = "array_cycles";
constexpr const char* kEnd = "end_to_end_cycles";
constexpr const char* kPerplexity = "perplexity";

std::vector<Column> figure_columns(const SweepPlan& plan) {
  std::vector<Column> columns;
  if (plan.command == "gemm") {
    columns.push_back({kArray, "cycles", "of the array alone, all products"});
    columns.push_back({kEnd, "cycles", "through DRAM, all products"});
    return columns;
  }
  if (plan.quality)
    columns.push_back(
        {kPerplexity, "", fmt::format("of the model on {}, by the reference", plan.quality->file)});
  for (const RunFigure& figure : kRunFigures) columns.push_back(figure.column);
  for (std::size_t c = 0; c < observe::kCauses; ++c) {
    columns.push_back({fmt::format("stack_{}", observe::name_of(static_cast<observe::Cause>(c))), "cycles",
                       "of this cause, in the whole run"});
  }
  return columns;
}

Json sum_over(const Json& layers, const char* part) {
  std::uint64_t sum = 0;
  for (const Json& layer : layers) {
    if (!layer.contains(part) || !layer[part].is_object() || !layer[part].contains("cycles")) return {};
    sum += layer[part]["cycles"].get<std::uint64_t>();
  }
  return sum;
}

std::vector<Json> gemm_figures(const std::filesystem::path& file) {
  const Json document = read_result_text(file);
  if (!document.contains("layers") || !document["layers"].is_array())
    throw IoError(fmt::format("{}: no result of gemm; remove it and run the point again", file.string()));
  return {sum_over(document["layers"], "array_alone"), sum_over(document["layers"], "end_to_end")};
}

std::vector<Json> run_figures(const std::filesystem::path& file) {
  const Result result = read_result(file);
  const Figures figures = figures_of(result);
  std::vector<Json> values;
  for (const RunFigure& figure : kRunFigures) values.push_back(figure.value(result, figures));
  for (const std::uint64_t cycles : result.stack) values.emplace_back(cycles);
  return values;
}

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

class Rows {
 public:
  Rows(const SweepPlan& plan, const SweepFolder& folder)
      : plan_(plan), folder_(folder), figures_(figure_columns(plan)) {}

  std::vector<Column> columns() const {
    std::vector<Column> columns{{"point", "", "number in the plan"}};
    for (const Axis& axis : plan_.axes) {
      for (const Knob& knob : axis.knobs) columns.push_back({knob.name, "", "set by the plan"});
    }
    columns.push_back({"state", "", "done, failed or open"});
    columns.insert(columns.end(), figures_.begin(), figures_.end());
    columns.push_back({"error", "", "of a failed point"});
    return columns;
  }

  std::vector<Json> row(const Point& point) const {
    std::vector<Json> row{point.number};
    const Settings settings = settings_of(plan_, point);
    for (std::size_t i = plan_.fixed.size(); i < settings.size(); ++i) row.push_back(settings[i].second);
    std::vector<Json> figures(figures_.size());
    std::string state = "open", error;
    switch (folder_.state(point)) {
      case SweepFolder::State::open:
        break;
      case SweepFolder::State::failed:
        state = "failed";
        error = first_line(folder_.failure(point));
        break;
      case SweepFolder::State::done:
        try {
          figures = plan_.command == "gemm" ? gemm_figures(folder_.result(point))
                                            : run_figures(folder_.result(point));
          if (plan_.quality) figures.insert(figures.begin(), perplexity(settings));
          state = "done";
        } catch (const Error& damaged) {
          state = "failed";
          error = damaged.what();
        }
        break;
    }
    row.emplace_back(state);
    row.insert(row.end(), figures.begin(), figures.end());
    row.push_back(error.empty() ? Json() : Json(error));
    return row;
  }

 private:
  // Null where it is not known.
  Json perplexity(const Settings& settings) const {
    const std::filesystem::path file = folder_.quality(quality_arguments(plan_, settings), "json");
    const auto [known, added] = perplexities_.try_emplace(file.string());
    if (added && std::filesystem::exists(file)) {
      const Json document = read_result_text(file);
      if (document.contains(kPerplexity) && document[kPerplexity].is_number())
        known->second = document[kPerplexity];
    }
    return known->second;
  }

  const SweepPlan& plan_;
  const SweepFolder& folder_;
  const std::vector<Column> figures_;
  mutable std::map<std::string, Json> perplexities_;  // many points share one
};

}  // namespace

SweepTable table_of(const SweepPlan& plan, const std::vector<Point>& points, const SweepFolder& folder) {
  const Rows rows(plan, folder);
  SweepTable table{rows.columns(), {}};
  for (const Point& point : points) table.rows.push_back(rows.row(point));
  return table;
}

Json json_of(const SweepPlan& plan, const SweepTable& table) {
  Json columns = Json::array(), rows = Json::array();
  for (const Column& c : table.columns)
    columns.push_back({{"name", c.name}, {"unit", c.unit}, {"meaning", c.meaning}});
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i].name] = row[i];
    rows.push_back(std::move(object));
  }
  return {{"schema", "tokencycle-sweep-table-1"},
          {"name", plan.name},
          {"command", plan.command},
          {"columns", columns},
          {"points", rows}};
}

}  // namespace tokencycle::explore
