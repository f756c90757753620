// SPDX-License-Identifier: Apache-2.0
#include "numerics/products.h"

#include <cstring>

namespace tokencycle {
namespace {

// A count that the compiler knows needs no remainder.
template <std::uint32_t kCount>
void dot_rows_of(const std::int16_t* x, const std::int8_t* w, std::size_t stride, std::uint32_t rows,
                 std::int32_t* sums) {
  for (std::uint32_t r = 0; r < rows; ++r, w += stride) {
    std::int32_t sum = 0;
    for (std::uint32_t i = 0; i < kCount; ++i) sum += std::int32_t{x[i]} * std::int32_t{w[i]};
    sums[r] = sum;
  }
}

// Four lanes, each a number of its own; a compiler's extension that GCC and clang have on every host.
using Lanes = float __attribute__((vector_size(16)));
constexpr std::uint32_t kLanes = 4;

// The products of kVectors * kLanes columns, whose sums stay in registers.
template <std::uint32_t kVectors>
void add_products_of(const float* x, std::uint32_t count, const float* w, std::size_t stride, float* sums) {
  Lanes sum[kVectors];
  std::memcpy(sum, sums, sizeof sum);
  for (std::uint32_t k = 0; k < count; ++k, w += stride) {
    Lanes row[kVectors];
    std::memcpy(row, w, sizeof row);
    for (std::uint32_t v = 0; v < kVectors; ++v) sum[v] += x[k] * row[v];
  }
  std::memcpy(sums, sum, sizeof sum);
}

}  // namespace

void dot_rows(const std::int16_t* x, std::uint32_t count, const std::int8_t* w, std::size_t stride,
              std::uint32_t rows, std::int32_t* sums) {
  if (count == 32) return dot_rows_of<32>(x, w, stride, rows, sums);
  if (count == 16) return dot_rows_of<16>(x, w, stride, rows, sums);
  for (std::uint32_t r = 0; r < rows; ++r, w += stride) {
    std::int32_t sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) sum += std::int32_t{x[i]} * std::int32_t{w[i]};
    sums[r] = sum;
  }
}

void group_terms(const GroupScale& x, const float* scales, const float* offsets, const std::int32_t* sums,
                 std::uint32_t columns, float* terms) {
  const float scale = x.scale, offset = x.offset;
  if (offsets == nullptr) {
    for (std::uint32_t n = 0; n < columns; ++n) terms[n] = (scale * scales[n]) * static_cast<float>(sums[n]);
    return;
  }
  for (std::uint32_t n = 0; n < columns; ++n) {
    const float product = (scale * scales[n]) * static_cast<float>(sums[n]);
    terms[n] = product + offset * offsets[n];
  }
}

void add_products(const float* x, std::uint32_t count, const float* w, std::size_t stride,
                  std::uint32_t columns, float* sums) {
  std::uint32_t n = 0;
  for (; n + 4 * kLanes <= columns; n += 4 * kLanes) add_products_of<4>(x, count, w + n, stride, sums + n);
  for (; n + kLanes <= columns; n += kLanes) add_products_of<1>(x, count, w + n, stride, sums + n);
  for (; n < columns; ++n) {
    float sum = sums[n];
    for (std::uint32_t k = 0; k < count; ++k) sum += x[k] * w[k * stride + n];
    sums[n] = sum;
  }
}

}  // namespace tokencycle
