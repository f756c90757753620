// SPDX-License-Identifier: Apache-2.0
#include "config/dram/system.h"
#include "host/result/result.h"

namespace tokencycle::host {

DramEnergyReport dram_energy(machine::Accelerator& accelerator) {
  const config::Machine& machine = accelerator.machine();
  if (!machine.dram.system) return {{}, "ideal memory has no commands whose energy could be counted", 0, 0};
  const config::DramDevice& device = machine.dram.system->device;
  if (!device.energy) return {{}, device.name + ": " + device.energy_reason, 0, 0};
  DramEnergyReport report{memory::DramEnergyUse{}, device.energy->source, 0, 0};
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    const memory::DramUse use = accelerator.dram_use(i).value();
    *report.use += use.energy.value();
    report.bits += use.counters.moved() * device.burst_bytes * 8;
    report.seconds = static_cast<double>(use.clocks) * static_cast<double>(device.tck_ps) * 1e-12;
  }
  return report;
}

}  // namespace tokencycle::host
