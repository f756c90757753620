// SPDX-License-Identifier: Apache-2.0
// The energy part of a DRAM preset.
#pragma once

#include <optional>

#include "config/dram/device.h"
#include "config/dram/json.h"

namespace tokencycle::config {

// How the device's chips make up the channel.
struct DramChips {
  std::uint32_t width_bits = 1;  // of a device
  std::uint32_t of_rank = 1;     // devices
  std::uint32_t of_channel = 1;  // devices of all ranks
};

// Reads /energy and /energy_reason of `preset`; nothing if /energy is null, for the `reason` given there, or
// wrong. `device` has its organization and clocks already.
std::optional<DramEnergy> read_dram_energy(JsonObject& preset, const DramDevice& device,
                                           const DramChips& chips, std::string& reason);

}  // namespace tokencycle::config
