// SPDX-License-Identifier: Apache-2.0
// The one order in which the vector unit adds the elements of a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tokencycle {

// Pairwise sum in fp32 over neighbouring pairs: level by level, s[i] = s[2i] + s[2i+1]; an element
// without a neighbour passes to the next level as it is. 0 for an empty row.
// A machine with any power-of-two number of lanes produces exactly this order: each beat of L lanes is a
// complete subtree, and beats are combined by a binary counter of partial sums. So the result does
// not depend on the number of lanes.
float pairwise_sum(std::span<const float> values);

}  // namespace tokencycle
