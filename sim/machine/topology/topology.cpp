// SPDX-License-Identifier: Apache-2.0
#include "machine/topology/topology.h"

#include <algorithm>

namespace tokencycle::machine {

std::vector<UnitPlace> units_of_core(const config::Machine& machine) {
  std::vector<UnitPlace> units;
  const auto add = [&units](UnitKind kind, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) units.push_back({kind, i});
  };
  add(UnitKind::writeback, 1);
  add(UnitKind::load, machine.dma.engines);
  add(UnitKind::store, machine.dma.engines);
  add(UnitKind::matrix, machine.matrix.units);
  add(UnitKind::vector, machine.vector.units);
  add(UnitKind::dispatch, 1);
  add(UnitKind::decode, 1);
  return units;
}

std::uint32_t count_of(const std::vector<UnitPlace>& units, UnitKind kind) {
  return static_cast<std::uint32_t>(
      std::count_if(units.begin(), units.end(), [kind](const UnitPlace& u) { return u.kind == kind; }));
}

}  // namespace tokencycle::machine
