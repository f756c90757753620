// SPDX-License-Identifier: Apache-2.0
// What the commands of a DRAM channel cost, by the energies of its preset.
#pragma once

#include <cstdint>
#include <optional>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

// Energy of one channel or of several, in picojoules; a part is 0 where the preset's form has no such part.
struct DramEnergyUse {
  double activate_pj = 0;  // activations, each with its precharge
  double read_pj = 0, write_pj = 0;
  double refresh_pj = 0;
  double standby_pj = 0;    // with all banks closed
  double open_bank_pj = 0;  // that open banks add to it

  double total() const { return activate_pj + read_pj + write_pj + refresh_pj + standby_pj + open_bank_pj; }
};
DramEnergyUse& operator+=(DramEnergyUse& sum, const DramEnergyUse& more);

// Of one channel in `clocks` of its command clock, in which these commands were given and `open_bank_clocks`
// is the sum over the banks of the clocks in which they had a row open. Nothing when the preset has no
// energies.
std::optional<DramEnergyUse> energy_of(const config::DramDevice& device, const DramCounters& counters,
                                       std::uint64_t open_bank_clocks, std::uint64_t clocks);

}  // namespace tokencycle::memory
