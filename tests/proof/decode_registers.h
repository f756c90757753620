// SPDX-License-Identifier: Apache-2.0
// The stage between a port and the array that takes numbers apart, clocked register by register. Written from
// its description in sim/machine/matrix/README.md; it checks sim/machine.
#pragma once

#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "numerics/format.h"

namespace tokencycle::proof {

// Lines of `values` numbers each, read one behind the other through a port that delivers a line in a cycle,
// and no sooner than `interval` cycles apart.
struct DecodedLines {
  std::uint64_t lines = 0, values = 0, interval = 1;
};

// In which cycle the last number of each line is at the array's edge, counted from the cycle of the first
// read.
std::vector<std::uint64_t> decoded_in(const config::Matrix& matrix, Format format, const DecodedLines& lines);

}  // namespace tokencycle::proof
