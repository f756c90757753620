// SPDX-License-Identifier: Apache-2.0
// What each event of a machine takes, in pJ, from a technology's figures.
#pragma once

#include <array>

#include "config/technology/area.h"

namespace tokencycle::config {

struct Prices {
  std::array<Range, kMultiplyTypes> product{};  // multiplier, adder, the cell's registers
  std::array<Range, kVectorFunctions> lane{};   // an element through a part of a lane
  Range scratchpad_byte;                        // one access, its share of a bank's word
  Range wire_byte;                              // between a scratchpad port and its unit
  Range sum;                                    // a sum that leaves the array: read, and written back
  Range instruction;
  Range interface_byte;  // chip's side of DRAM
  Range leakage_cycle;   // of the whole chip
};

// A wire between the scratchpad and a unit is taken as half the edge of a square with the core's area.
Prices prices(const Machine& machine, const Technology& technology);

}  // namespace tokencycle::config
