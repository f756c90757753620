// SPDX-License-Identifier: Apache-2.0
// Random preloads and multiplies for an array that holds a tile.
#pragma once

#include "proof/trial.h"

namespace tokencycle::proof {

// At least one and about `passes` multiplies, over as many tiles as it happens; groups of 32 in one or
// several passes, tiles loaded just before their first pass or ahead of it.
void add_tile_work(Trial& trial, Random& random, std::uint32_t passes);

}  // namespace tokencycle::proof
