// SPDX-License-Identifier: Apache-2.0
// The machines of configs/ that tests loop over.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "config/machine.h"

namespace tokencycle::test {

// Those on which models and products run: with one core, by name. Machines of several cores run programs
// alone (sim/host/one_core.h).
inline std::vector<config::Machine> one_core_machines() {
  std::vector<config::Machine> machines;
  for (const auto& entry : std::filesystem::directory_iterator(TOKENCYCLE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    config::Machine machine = config::read_machine(entry.path());
    if (machine.cores == 1) machines.push_back(std::move(machine));
  }
  std::sort(machines.begin(), machines.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return machines;
}

}  // namespace tokencycle::test
