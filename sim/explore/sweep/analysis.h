// SPDX-License-Identifier: Apache-2.0
// What a sweep's table says about a choice: which points no other beats, and how much each axis matters.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "explore/sweep/table.h"

namespace tokencycle::explore {

// A column of figures: its values by row, nothing where a row has none.
struct Metric {
  std::size_t column = 0;
  bool more_is_better = false;
  std::vector<std::optional<double>> values;
};
// The columns of numbers behind "state" that some row has; tokens_per_second is better when it is more.
std::vector<Metric> metrics_of(const SweepTable& table);
// The metric of this column; null if no row has a figure there.
const Metric* find_metric(const SweepTable& table, const std::vector<Metric>& metrics,
                          const std::string& name);

// Rows that no other row beats in one of two metrics without being worse in the other; of equal rows the
// first. By `a`, best first.
std::vector<std::size_t> pareto_front(const Metric& a, const Metric& b);

// An axis of a plan against a metric.
struct Sensitivity {
  std::size_t axis = 0;
  std::vector<std::optional<double>> means;  // of the points at each position
  double spread = 0;                         // largest mean over smallest, less one
};
// Largest spread first. In a grid all else is the same for each position; points that are drawn differ in the
// other axes, too.
std::vector<Sensitivity> sensitivities(const SweepPlan& plan, const std::vector<Point>& points,
                                       const Metric& metric);

}  // namespace tokencycle::explore
