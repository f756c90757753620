// SPDX-License-Identifier: Apache-2.0
// What joins several keys of a DRAM preset: arithmetic of its organization, times that no device can have.
#pragma once

#include <map>
#include <string>

#include "config/dram/json.h"
#include "config/dram/standard.h"
#include "config/dram/timing.h"

namespace tokencycle::config {

struct DramOrganization {
  std::uint64_t channel_width_bits = 1, rank_width_bits = 1, device_width_bits = 1, device_gbit = 1;
  std::uint64_t devices_per_rank = 1, ranks = 1, stack_ids = 1, bank_groups = 1, banks_per_group = 1;
  std::uint64_t rows = 1, columns = 1, burst_length = 1, burst_bytes = 1, channels_per_device = 1,
                capacity_mib = 1;
  std::uint64_t metadata_bits = 0;  // of a burst, beside burst_bytes of data

  // Pseudo-channels of a channel are on the same devices.
  std::uint64_t devices() const {
    return devices_per_rank * (rank_width_bits == channel_width_bits ? ranks : 1);
  }
};

// Reads /organization, each value in its range.
DramOrganization read_organization(JsonObject& preset);

// Only for an organization and a clock without violations.
void check_organization(const DramOrganization& o, const DramStandard& standard, const DramClocking& clock,
                        Violations& violations);

// Only for `clocks` that are complete. `places`: the JSON pointer of each.
void check_times(const std::map<std::string, std::uint32_t>& clocks,
                 const std::map<std::string, std::string>& places, Violations& violations);

}  // namespace tokencycle::config
