// SPDX-License-Identifier: Apache-2.0
// The address mapping of a DRAM system, as text.
#pragma once

#include <vector>

#include "config/dram/json.h"
#include "config/dram/system.h"

namespace tokencycle::config {

// Reads /mapping, an array such as ["channel", "column:2", "bank_group", "column", "bank", "row"]: least
// significant first; a field without a number takes all its bits that no other part takes. Every bit of every
// field must be taken once; fields without bits may stand there or not. Absent: the default for requests of
// so many bursts.
std::vector<DramAddressPart> read_mapping(JsonObject& file, const DramSystem& system,
                                          std::uint32_t request_bursts = 1);

// Reads /xor, an array of {"field": "bank", "with": "row"}. Absent: none.
std::vector<DramAddressHash> read_hashes(JsonObject& file, const DramSystem& system);

}  // namespace tokencycle::config
