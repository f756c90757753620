// SPDX-License-Identifier: Apache-2.0
#include "config/dram/system.h"
#include "host/result/energy_parts.h"
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

MemoryTotals operator-(const MemoryTotals& a, const MemoryTotals& b) {
  MemoryTotals rest{a.loaded_bytes - b.loaded_bytes,
                    a.stored_bytes - b.stored_bytes,
                    a.instruction_bytes - b.instruction_bytes,
                    a.bus_bytes - b.bus_bytes,
                    {}};
  for (const DramEnergyPart& part : kDramEnergyParts)
    rest.energy.*part.part = a.energy.*part.part - b.energy.*part.part;
  return rest;
}

MemoryTotals memory_totals(machine::Accelerator& accelerator) {
  MemoryTotals totals;
  totals.instruction_bytes = accelerator.traffic(memory::Requester::fetch, false).moved_bytes;
  totals.loaded_bytes = accelerator.traffic(memory::Requester::load, false).moved_bytes;
  totals.stored_bytes = accelerator.traffic(memory::Requester::store, true).moved_bytes;
  totals.bus_bytes = totals.moved_bytes();
  if (accelerator.machine().dram.system) totals.bus_bytes = dram_bus_bytes(accelerator);
  if (const DramEnergyReport energy = dram_energy(accelerator); energy.use) {
    totals.energy = *energy.use;
  }
  return totals;
}

std::uint64_t dram_bus_bytes(machine::Accelerator& accelerator) {
  const config::Machine& machine = accelerator.machine();
  std::uint64_t bursts = 0;
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    bursts += accelerator.dram_use(i).value().counters.moved();
  }
  return bursts * machine.dram.system->device.burst_bytes;
}

}  // namespace tokencycle::host
