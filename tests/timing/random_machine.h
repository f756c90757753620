// SPDX-License-Identifier: Apache-2.0
// Machines for tests: random ones that obey every rule of the configuration, and one round, plain one.
#pragma once

#include <random>

#include "config/machine.h"

namespace tokencycle::timing {

using Random = std::mt19937_64;

// Uniform in least .. most.
inline std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}
inline bool one_in(Random& random, std::uint32_t n) {
  return number(random, 1, n) == 1;
}

// Small memories, arrays of all dataflows from 1 x 1 to 40 x 33, slow and fast DRAM, a third of it any preset
// of configs/dram with any policy: checked by config::parse_machine.
config::Machine random_machine(Random& random);

// A third of them with up to three DMA engines, matrix and vector units.
config::Machine with_several_units(Random& random, config::Machine machine);

// 8 x 8 array of all types at one row a cycle, 16 banks of 4 bytes with a write port each, ports of 64 bytes,
// one memory channel of 16 bytes a cycle, bursts of 64 bytes, 50 cycles of latency: nothing gets in the way
// of anything unless a test makes it so.
config::Machine plain_machine();

}  // namespace tokencycle::timing
