// SPDX-License-Identifier: Apache-2.0
// The energy of the whole machine: what each operator's events take, in whole picojoules, so that parts and
// operators sum to the total exactly.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/technology/prices.h"
#include "host/result/result.h"

namespace tokencycle::host {

enum class EnergyPart : std::uint8_t {
  matrix,          // products and sums in the array's cells
  accumulator,     // sums that leave the array
  scratchpad,      // bytes through its ports
  wires,           // the same bytes, between the scratchpad and its units
  vector,          // elements through the parts of the lanes
  control,         // instructions
  dram_interface,  // bytes of DRAM, on the chip
  dram,            // the devices, as the memory preset has it
  leakage,         // cycles
};
inline constexpr int kEnergyParts = static_cast<int>(EnergyPart::leakage) + 1;
std::string_view name_of(EnergyPart part);

struct Picojoules {
  std::uint64_t low = 0, typical = 0, high = 0;
  Picojoules& operator+=(const Picojoules& more) {
    low += more.low;
    typical += more.typical;
    high += more.high;
    return *this;
  }
  bool operator==(const Picojoules&) const = default;
};
using EnergyStack = std::array<Picojoules, kEnergyParts>;
// The same energy by cause of cycles. Work belongs to the cause of the cycles in which it is done: products
// and sums to matrix, elements to vector, bytes through ports and their wires to scratchpad, instructions to
// front_end, DRAM's transfers and interface to dram_bandwidth, its activations to dram_row_conflict, its
// refreshes to dram_refresh. What time alone takes (leakage, DRAM's standby and open banks) is spread over
// the causes by their cycles, so that a wait shows what it costs.
using CauseEnergy = std::array<Picojoules, observe::kCauses>;

void add_to(EnergyStack& sum, const EnergyStack& more);
Picojoules total_of(const EnergyStack& stack);

// By operator of LlamaModel::graph(), over the complete tokens of each phase.
struct MachineEnergy {
  std::vector<EnergyStack> prefill, decode;
  std::vector<CauseEnergy> prefill_causes, decode_causes;  // empty where the run counted no causes

  EnergyStack of_prefill() const;
  EnergyStack of_decode() const;
  EnergyStack all() const;
  CauseEnergy all_causes() const;
};

// Of one operator's work; without the DRAM's devices, which MachineEnergy shares among operators by the bytes
// that they move, since a command is no operator's.
EnergyStack energy_of(const observe::OperatorUse& use, const config::Prices& prices);

// report.technology is there.
MachineEnergy machine_energy(const config::Machine& machine, const RunReport& report);

// Sections of the result: technology; area; and of `energy`, what the operators sum to.
nlohmann::ordered_json technology_json(const config::Technology& technology);
nlohmann::ordered_json area_json(const config::Machine& machine, const config::Technology& technology);
nlohmann::ordered_json energy_json(const EnergyStack& stack);
// With "causes" beside "parts".
nlohmann::ordered_json energy_json(const EnergyStack& stack, const CauseEnergy& causes);

// Two paragraphs of the summary.
std::string area_and_energy_text(const config::Machine& machine, const RunReport& report);

}  // namespace tokencycle::host
