// SPDX-License-Identifier: Apache-2.0
// A random array with random work: instructions, operands, places for the sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "config/machine.h"
#include "isa/instruction.h"

namespace tokencycle::proof {

using Random = std::mt19937_64;
inline std::uint32_t pick(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}
inline bool chance(Random& random, double p) {
  return std::bernoulli_distribution(p)(random);
}

// The accumulator memory is cut into regions that hold one instruction's sums each. A transposed one
// holds the sums of a moving row as a column.
struct Region {
  bool transposed = false;
  std::uint32_t lines = 0;  // rows m in use
  std::uint32_t columns = 0;
};

inline constexpr std::uint32_t kRegionRows = 48;  // most rows m of one instruction

struct Wish {
  std::uint32_t rows = 0, columns = 0;  // of the array; 0: random
  std::uint32_t step = 0;               // of all multiplier types; 0: random
  std::uint32_t passes = 6;             // at most
  bool full = false;      // work fills the array, which is double-buffered and takes passes back to back
  bool integers = false;  // plain integers alone, tiles in order kn
  bool decode = false;    // stages of random width and latency take numbers apart
};

// `program` has preloads and multiplies, or matmuls of an output-stationary array; addresses point into
// `moving` and `stationary` by byte. dst
// points to a region's beginning.
struct Trial {
  config::Machine machine;
  std::vector<isa::Instruction> program;
  std::vector<std::byte> moving, stationary;
  std::vector<Region> regions;
  Wish wish;

  const config::Matrix& matrix() const { return machine.matrix; }
  std::uint32_t region_bytes() const { return kRegionRows * matrix().columns * 4; }
  // A size up to `most`; often all of it, so that the array's far corner works too.
  std::uint32_t size(Random& random, std::uint32_t most) const {
    return wish.full || chance(random, 0.6) ? most : pick(random, 1, most);
  }
  // Byte of the accumulator memory that holds the sum of row m and column n.
  std::size_t place(std::uint32_t region, std::uint32_t m, std::uint32_t n) const {
    const std::size_t within =
        regions[region].transposed ? std::size_t{n} * kRegionRows + m : std::size_t{m} * matrix().columns + n;
    return std::size_t{region} * region_bytes() + 4 * within;
  }
};

// A trial on an array of this dataflow; `seed` decides everything else.
Trial random_trial(config::Dataflow dataflow, std::uint64_t seed, const Wish& wish = {});

// The array and the instructions as text, for messages.
std::string describe(const Trial& trial);

}  // namespace tokencycle::proof
