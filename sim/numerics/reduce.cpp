// SPDX-License-Identifier: Apache-2.0
#include "numerics/reduce.h"

#include <array>

namespace tokencycle {
namespace {

constexpr std::size_t kTree = 16;  // elements of one unrolled subtree; a power of two

// The pairwise sum of exactly kTree elements.
float tree_sum(const float* v) {
  float s[kTree / 2];
  for (std::size_t i = 0; i < kTree / 2; ++i) s[i] = v[2 * i] + v[2 * i + 1];
  for (std::size_t n = kTree / 4; n > 0; n /= 2) {
    for (std::size_t i = 0; i < n; ++i) s[i] = s[2 * i] + s[2 * i + 1];
  }
  return s[0];
}

}  // namespace

// A binary counter of partial sums: partial[j] holds a complete subtree of 2^j leaves when bit j of the
// number of leaves so far is set. A new leaf carries upwards as an increment does. At the end the
// partial sums fold from the smallest, which is where the definition's odd last elements wait.
float pairwise_sum(std::span<const float> values) {
  const std::size_t trees = values.size() / kTree;
  std::array<float, 64> partial;
  for (std::size_t t = 0; t < trees; ++t) {
    float sum = tree_sum(values.data() + t * kTree);
    std::size_t level = 0;
    for (; (t >> level & 1) != 0; ++level) sum = partial[level] + sum;
    partial[level] = sum;
  }

  // The ragged end, at most kTree - 1 elements, level by level.
  std::array<float, kTree> rest;
  std::size_t n = values.size() - trees * kTree;
  const bool has_rest = n > 0;
  for (std::size_t i = 0; i < n; ++i) rest[i] = values[trees * kTree + i];
  while (n > 1) {
    for (std::size_t i = 0; i < n / 2; ++i) rest[i] = rest[2 * i] + rest[2 * i + 1];
    if (n % 2 != 0) rest[n / 2] = rest[n - 1];
    n = n / 2 + n % 2;
  }

  bool started = has_rest;
  float sum = has_rest ? rest[0] : 0.0f;
  for (std::size_t level = 0; trees >> level != 0; ++level) {
    if ((trees >> level & 1) == 0) continue;
    sum = started ? partial[level] + sum : partial[level];
    started = true;
  }
  return sum;
}

}  // namespace tokencycle
