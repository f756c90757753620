// SPDX-License-Identifier: Apache-2.0
#include "config/technology/scaling.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tokencycle::config {

NodeTable::NodeTable(std::vector<NodeRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(),
            [](const NodeRow& a, const NodeRow& b) { return a.node_nm < b.node_nm; });
}

template <class Value>
double NodeTable::between(double node_nm, const Value& value) const {
  auto above = std::lower_bound(rows_.begin(), rows_.end(), node_nm,
                                [](const NodeRow& row, double node) { return row.node_nm < node; });
  if (above == rows_.end()) return value(rows_.back());
  if (above == rows_.begin() || above->node_nm == node_nm) return value(*above);
  const NodeRow& below = *std::prev(above);
  const double a = value(below), b = value(*above);
  if (a <= 0 || b <= 0) return std::min(a, b);
  const double at = std::log(node_nm / below.node_nm) / std::log(above->node_nm / below.node_nm);
  return a * std::pow(b / a, at);
}

double NodeTable::energy(double node_nm, double voltage_v) const {
  return between(node_nm, [voltage_v](const NodeRow& row) {
    return (row.energy[0] * voltage_v + row.energy[1]) * voltage_v + row.energy[2];
  });
}

double NodeTable::area(double node_nm) const {
  return between(node_nm, [](const NodeRow& row) { return row.area; });
}

}  // namespace tokencycle::config
