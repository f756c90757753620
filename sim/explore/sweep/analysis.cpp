// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/analysis.h"

#include <algorithm>

namespace tokencycle::explore {

std::vector<Metric> metrics_of(const SweepTable& table) {
  std::vector<Metric> metrics;
  bool figures = false;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& name = table.columns[c].name;
    if (figures) {
      Metric metric{c, name == "tokens_per_second", {}};
      bool any = false;
      for (const auto& row : table.rows) {
        metric.values.push_back(row[c].is_number() ? std::optional(row[c].get<double>()) : std::nullopt);
        any = any || metric.values.back();
      }
      if (any) metrics.push_back(std::move(metric));
    }
    figures = figures || name == "state";
  }
  return metrics;
}

const Metric* find_metric(const SweepTable& table, const std::vector<Metric>& metrics,
                          const std::string& name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const Metric& m) { return table.columns[m.column].name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::vector<std::size_t> pareto_front(const Metric& a, const Metric& b) {
  const auto cost = [](const Metric& m, std::size_t row) {
    return m.more_is_better ? -*m.values[row] : *m.values[row];
  };
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < a.values.size(); ++row) {
    if (a.values[row] && b.values[row]) rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) {
    return std::pair(cost(a, x), cost(b, x)) < std::pair(cost(a, y), cost(b, y));
  });
  std::vector<std::size_t> front;
  for (const std::size_t row : rows) {
    if (front.empty() || cost(b, row) < cost(b, front.back())) front.push_back(row);
  }
  return front;
}

std::vector<Sensitivity> sensitivities(const SweepPlan& plan, const std::vector<Point>& points,
                                       const Metric& metric) {
  std::vector<Sensitivity> all;
  for (std::size_t axis = 0; axis < plan.axes.size(); ++axis) {
    const std::size_t positions = plan.axes[axis].values.size();
    std::vector<double> sums(positions);
    std::vector<std::size_t> counts(positions);
    for (std::size_t row = 0; row < points.size(); ++row) {
      if (!metric.values[row]) continue;
      sums[points[row].at[axis]] += *metric.values[row];
      ++counts[points[row].at[axis]];
    }
    Sensitivity s{axis, {}, 0};
    std::optional<double> least, most;
    for (std::size_t i = 0; i < positions; ++i) {
      if (counts[i] == 0) {
        s.means.push_back(std::nullopt);
        continue;
      }
      const double mean = sums[i] / static_cast<double>(counts[i]);
      s.means.push_back(mean);
      least = std::min(least.value_or(mean), mean);
      most = std::max(most.value_or(mean), mean);
    }
    if (least && *least > 0) s.spread = *most / *least - 1;
    all.push_back(std::move(s));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Sensitivity& x, const Sensitivity& y) { return x.spread > y.spread; });
  return all;
}

}  // namespace tokencycle::explore
