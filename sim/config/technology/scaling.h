// SPDX-License-Identifier: Apache-2.0
// From one process node and voltage to another, by the tables of Stillmaker and Baas (2017), which a
// technology's file holds.
#pragma once

#include <array>
#include <vector>

namespace tokencycle::config {

struct NodeRow {
  double node_nm = 0;
  std::array<double, 3> energy{};  // a V^2 + b V + c, of an operation, relative
  double area = 0;                 // of a gate, relative
};

class NodeTable {
 public:
  NodeTable() = default;
  // At least one row; sorted here.
  explicit NodeTable(std::vector<NodeRow> rows);

  double smallest() const { return rows_.front().node_nm; }
  double largest() const { return rows_.back().node_nm; }
  // Of an operation, relative; nodes between rows are interpolated, both axes logarithmic. Not positive:
  // the voltage is far from those that the polynomials were made for.
  double energy(double node_nm, double voltage_v) const;
  double area(double node_nm) const;

 private:
  template <class Value>
  double between(double node_nm, const Value& value) const;

  std::vector<NodeRow> rows_;
};

}  // namespace tokencycle::config
