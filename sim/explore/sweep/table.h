// SPDX-License-Identifier: Apache-2.0
// The figures of all points of a sweep, one row each: the same bytes however and in which order they were
// run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "explore/sweep/folder.h"

namespace tokencycle::explore {

// A column and what it is, in the table's order. Values that a row does not have are null.
struct Column {
  std::string name, unit, meaning;
};

struct SweepTable {
  std::vector<Column> columns;
  std::vector<std::vector<nlohmann::ordered_json>> rows;  // by point, as many values as columns
};

// point, what the axes set, state (done, failed, open), figures, and the first line of what failed. Reads the
// results in the folder; one that cannot be read counts as failed, with the reason. Points that constraints
// leave out are not given.
SweepTable table_of(const SweepPlan& plan, const std::vector<Point>& points, const SweepFolder& folder);

// Columns with units and meanings, and one object per point.
nlohmann::ordered_json json_of(const SweepPlan& plan, const SweepTable& table);

}  // namespace tokencycle::explore
