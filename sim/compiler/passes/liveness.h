// SPDX-License-Identifier: Apache-2.0
// When each fp32 value and each encoded form of it is needed. Independent of how many tokens there are.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/passes/demands.h"

namespace tokencycle::compiler {

// Moments of a step: 2 s is the preparation of stage s, in which its input is encoded, 2 s + 1 the stage.
struct Life {
  std::uint32_t first = 1, last = 0;  // both included
  bool none() const { return last < first; }
};
inline std::uint32_t preparation_of(std::uint32_t stage) {
  return 2 * stage;
}
inline std::uint32_t moment_of(std::uint32_t stage) {
  return 2 * stage + 1;
}

struct Liveness {
  std::vector<model::ValueId> place;  // by value: the value in whose place it is made; itself otherwise
  std::vector<Life> fp32;     // by value, the whole life of a place under the value that has it; none:
                              // no buffer holds it
  std::vector<Life> encoded;  // by value: from the preparation of the first linear that wants it
  std::vector<std::uint32_t> read_by_linear;  // by value: the moment of the first linear that reads it
};

Liveness find_liveness(const Demands& demands);

}  // namespace tokencycle::compiler
