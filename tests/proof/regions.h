// SPDX-License-Identifier: Apache-2.0
// Where random work puts its sums.
#pragma once

#include <cstdint>
#include <vector>

#include "proof/trial.h"

namespace tokencycle::proof {

// Chooses regions so that nobody wants a total that the array still folds: the accumulator memory has no
// interlock for that. Time is counted in cycles of entry, of which there are at least as many in the run.
class RegionChooser {
 public:
  explicit RegionChooser(Trial& trial) : trial_(trial) {}

  // A region for `instruction` (rows, cols, transposed are set), `accumulate` by chance. The instruction
  // occupies the entry for `entry` cycles; its totals are wanted `wanted` cycles after its entry begins and
  // folded at most `folded` cycles after it.
  void choose(Random& random, isa::Instruction& instruction, bool integer, std::uint64_t entry,
              std::uint64_t wanted, std::uint64_t folded);

 private:
  struct Use {
    bool integer;
    std::uint64_t free;  // in cycles of entry
  };
  Trial& trial_;
  std::vector<Use> uses_;  // by region
  std::uint64_t now_ = 0;
};

}  // namespace tokencycle::proof
