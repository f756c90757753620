// SPDX-License-Identifier: Apache-2.0
// Commands times their energies, and powers times time: mW x ns = pJ. sim/config/dram/energy.cpp says how
// the energies come from a preset.
#include "memory/dram/energy.h"

namespace tokencycle::memory {

DramEnergyUse& operator+=(DramEnergyUse& sum, const DramEnergyUse& more) {
  sum.activate_pj += more.activate_pj;
  sum.read_pj += more.read_pj;
  sum.write_pj += more.write_pj;
  sum.refresh_pj += more.refresh_pj;
  sum.standby_pj += more.standby_pj;
  sum.open_bank_pj += more.open_bank_pj;
  return sum;
}

std::optional<DramEnergyUse> energy_of(const config::DramDevice& device, const DramCounters& counters,
                                       std::uint64_t open_bank_clocks, std::uint64_t clocks) {
  if (!device.energy) return {};
  const config::DramEnergy& e = *device.energy;
  const auto given = [&](DramCommand c) {
    return static_cast<double>(counters.commands[static_cast<std::size_t>(c)]);
  };
  const double ns_of_clock = static_cast<double>(device.tck_ps) / 1000;
  DramEnergyUse use;
  // The first part of a two-part activation is no activation of its own.
  use.activate_pj = given(DramCommand::activate) * e.activate_pj;
  use.read_pj = (given(DramCommand::read) + given(DramCommand::read_auto)) * e.read_pj;
  use.write_pj = (given(DramCommand::write) + given(DramCommand::write_auto)) * e.write_pj;
  use.refresh_pj = given(DramCommand::refresh_all) * e.refresh_all_pj +
                   given(DramCommand::refresh_bank) * e.refresh_bank_pj;
  use.standby_pj = e.standby_mw * static_cast<double>(clocks) * ns_of_clock;
  use.open_bank_pj = e.open_bank_mw * static_cast<double>(open_bank_clocks) * ns_of_clock;
  return use;
}

}  // namespace tokencycle::memory
