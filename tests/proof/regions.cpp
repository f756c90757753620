// SPDX-License-Identifier: Apache-2.0
#include "proof/regions.h"

#include <algorithm>

namespace tokencycle::proof {

void RegionChooser::choose(Random& random, isa::Instruction& instruction, bool integer, std::uint64_t entry,
                           std::uint64_t wanted, std::uint64_t folded) {
  std::vector<std::uint32_t> able;
  for (std::uint32_t r = 0; r < uses_.size(); ++r) {
    if (uses_[r].integer == integer && uses_[r].free <= now_ + wanted &&
        trial_.regions[r].transposed == instruction.transposed) {
      able.push_back(r);
    }
  }
  std::uint32_t region = static_cast<std::uint32_t>(uses_.size());
  if (!able.empty() && chance(random, 0.7)) {
    region = able[pick(random, 0, static_cast<std::uint32_t>(able.size()) - 1)];
  } else {
    uses_.push_back({integer, 0});
    trial_.regions.push_back({instruction.transposed, 0, 0});
  }
  uses_[region].free = now_ + folded;
  now_ += entry;
  Region& used = trial_.regions[region];
  used.lines = std::max(used.lines, instruction.rows);
  used.columns = std::max(used.columns, instruction.cols);
  instruction.accumulate = chance(random, 0.6);
  instruction.dst = isa::LocalAddress::accumulator(region * trial_.region_bytes());
  instruction.dst_stride = 4 * (instruction.transposed ? kRegionRows : trial_.matrix().columns);
}

}  // namespace tokencycle::proof
