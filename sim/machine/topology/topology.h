// SPDX-License-Identifier: Apache-2.0
// What a machine consists of, as lists made from its description: its cores, and the units of each.
#pragma once

#include <cstdint>
#include <vector>

#include "config/machine.h"

namespace tokencycle::machine {

enum class UnitKind : std::uint8_t { writeback, load, store, matrix, vector, dispatch, decode };

// A clocked unit of a core. Fetch is none: memory and decode call it.
struct UnitPlace {
  UnitKind kind = UnitKind::writeback;
  std::uint32_t index = 0;  // among those of its kind in the core
};

// The units of a core in the order of their edges within a cycle: from the end of the pipeline to its
// beginning.
std::vector<UnitPlace> units_of_core(const config::Machine& machine);
// Of a kind.
std::uint32_t count_of(const std::vector<UnitPlace>& units, UnitKind kind);

}  // namespace tokencycle::machine
