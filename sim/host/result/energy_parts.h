// SPDX-License-Identifier: Apache-2.0
// The parts of a DRAM's energy, as every report names them.
#pragma once

#include <nlohmann/json.hpp>

#include "memory/dram/energy.h"

namespace tokencycle::host {

// The parts of an energy, with their names in the JSON ("activate_pj") and in the table ("activate").
struct DramEnergyPart {
  double memory::DramEnergyUse::*part;
  const char *name, *heading;
};
inline constexpr DramEnergyPart kDramEnergyParts[] = {
    {&memory::DramEnergyUse::activate_pj, "activate_pj", "activate, precharge"},
    {&memory::DramEnergyUse::read_pj, "read_pj", "read"},
    {&memory::DramEnergyUse::write_pj, "write_pj", "write"},
    {&memory::DramEnergyUse::refresh_pj, "refresh_pj", "refresh"},
    {&memory::DramEnergyUse::standby_pj, "standby_pj", "standby"},
    {&memory::DramEnergyUse::open_bank_pj, "open_bank_pj", "open banks"}};

// The parts as members of a JSON object.
void add_energy_parts(nlohmann::ordered_json& object, const memory::DramEnergyUse& energy);

}  // namespace tokencycle::host
