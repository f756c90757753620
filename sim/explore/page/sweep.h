// SPDX-License-Identifier: Apache-2.0
// A sweep as one page that loads nothing: fronts, the best machine under constraints, sensitivity, all
// points.
#pragma once

#include <string>
#include <vector>

#include "explore/sweep/plan.h"
#include "explore/sweep/table.h"

namespace tokencycle::explore {

inline constexpr std::size_t kSweepPageBytes = 2'000'000;

// `points` are those of the table's rows, in their order. Throws UsageError where even with fewer figures the
// page would have kSweepPageBytes, and where the program has no page.
std::string sweep_html(const SweepPlan& plan, const std::vector<Point>& points, const SweepTable& table,
                       const std::string& version);

}  // namespace tokencycle::explore
