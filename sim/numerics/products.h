// SPDX-License-Identifier: Apache-2.0
// The inner loops of matrix products, as numerics/README.md defines them: each result's additions in their
// order, many results side by side, in the form that compilers make vectors of.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numerics/formats/row.h"

namespace tokencycle {

// x as the left operand of dot_rows.
inline void widen(const std::int8_t* x, std::uint32_t count, std::int16_t* out) {
  for (std::uint32_t i = 0; i < count; ++i) out[i] = x[i];
}

// sums[r] = sum of x[i] * w[r * stride + i], i < count; exact below 2^31 (x widened int8).
void dot_rows(const std::int16_t* x, std::uint32_t count, const std::int8_t* w, std::size_t stride,
              std::uint32_t rows, std::int32_t* sums);

// terms[n] = what group n of the weights, with sum sums[n], adds to the accumulator (group_term of blocks.h).
// The offsets of weights with a minimum; otherwise null.
void group_terms(const GroupScale& x, const float* scales, const float* offsets, const std::int32_t* sums,
                 std::uint32_t columns, float* terms);

// sums[n] = sums[n] + x[k] * w[k * stride + n], k ascending below `count`.
void add_products(const float* x, std::uint32_t count, const float* w, std::size_t stride,
                  std::uint32_t columns, float* sums);

}  // namespace tokencycle
