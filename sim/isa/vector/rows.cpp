// SPDX-License-Identifier: Apache-2.0
#include "isa/vector/rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "numerics/reduce.h"
#include "numerics/scalar.h"

namespace tokencycle::isa {

void copy_row(const RowOperands& o) {
  std::copy(o.a.begin(), o.a.end(), o.d.begin());
}

void scale_row(const RowOperands& o) {
  const float factor = o.instruction.scalar;
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = o.a[c] * factor;
}

void square_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = o.a[c] * o.a[c];
}

void sqrt_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = std::sqrt(o.a[c]);
}

void rsqrt_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = 1.0f / std::sqrt(o.a[c]);
}

void sum_row(const RowOperands& o) {
  o.d[0] = pairwise_sum(o.a);
}

void max_row(const RowOperands& o) {
  o.d[0] = *std::max_element(o.a.begin(), o.a.end());
}

void min_row(const RowOperands& o) {
  o.d[0] = *std::min_element(o.a.begin(), o.a.end());
}

void mean_row(const RowOperands& o) {
  o.d[0] = pairwise_sum(o.a) / static_cast<float>(o.a.size());
}

void argmax_row(const RowOperands& o) {
  const auto index = std::max_element(o.a.begin(), o.a.end()) - o.a.begin();
  o.d[0] = std::bit_cast<float>(static_cast<std::uint32_t>(index));
}

// The places of the largest values, in falling order; of equal ones the earlier first.
void top_k_row(const RowOperands& o) {
  std::vector<bool> taken(o.a.size());
  for (float& place : o.d) {
    std::size_t best = o.a.size();
    for (std::size_t c = 0; c < o.a.size(); ++c) {
      if (!taken[c] && (best == o.a.size() || o.a[c] > o.a[best])) best = c;
    }
    taken[best] = true;
    place = std::bit_cast<float>(static_cast<std::uint32_t>(best));
  }
}

void rms_norm_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.a.size(); ++c) o.d[c] = o.a[c] * o.a[c];
  const float squares = pairwise_sum(o.d);
  const float r = 1.0f / std::sqrt(squares / static_cast<float>(o.a.size()) + o.instruction.scalar);
  for (std::size_t c = 0; c < o.a.size(); ++c) o.d[c] = (o.a[c] * r) * o.b[c];
}

// b: gains, then biases
void layer_norm_row(const RowOperands& o) {
  const std::size_t n = o.a.size();
  const float mean = pairwise_sum(o.a) / static_cast<float>(n);
  for (std::size_t c = 0; c < n; ++c) o.d[c] = (o.a[c] - mean) * (o.a[c] - mean);
  const float r = 1.0f / std::sqrt(pairwise_sum(o.d) / static_cast<float>(n) + o.instruction.scalar);
  for (std::size_t c = 0; c < n; ++c) o.d[c] = ((o.a[c] - mean) * r) * o.b[c] + o.b[n + c];
}

void softmax_row(const RowOperands& o) {
  const Instruction& i = o.instruction;
  const std::size_t valid = std::min<std::size_t>(o.a.size(), std::size_t{i.valid} + (i.causal ? o.row : 0));
  std::fill(o.d.begin(), o.d.end(), 0.0f);
  if (valid == 0) return;
  float largest = o.a[0] * i.scalar;
  for (std::size_t c = 1; c < valid; ++c) largest = std::max(largest, o.a[c] * i.scalar);
  for (std::size_t c = 0; c < valid; ++c) o.d[c] = exp_f32(o.a[c] * i.scalar - largest);
  const float sum = pairwise_sum(o.d.first(valid));
  for (std::size_t c = 0; c < valid; ++c) o.d[c] = o.d[c] / sum;
}

// b: a value that counts in the sum and has no result
void softmax_sink_row(const RowOperands& o) {
  const Instruction& i = o.instruction;
  const std::size_t valid = std::min<std::size_t>(o.a.size(), std::size_t{i.valid} + (i.causal ? o.row : 0));
  std::fill(o.d.begin(), o.d.end(), 0.0f);
  float largest = o.b[0];
  for (std::size_t c = 0; c < valid; ++c) largest = std::max(largest, o.a[c]);
  for (std::size_t c = 0; c < valid; ++c) o.d[c] = exp_f32(o.a[c] - largest);
  const float sum = pairwise_sum(o.d.first(valid)) + exp_f32(o.b[0] - largest);
  for (std::size_t c = 0; c < valid; ++c) o.d[c] = o.d[c] / sum;
}

// b: rotate / 2 pairs (cos, sin)
void rotary_row(const RowOperands& o) {
  const Instruction& i = o.instruction;
  copy_row(o);
  for (std::size_t head = 0; head + i.head <= o.a.size(); head += i.head) {
    for (std::size_t pair = 0; pair < i.rotate / 2; ++pair) {
      const bool adjacent = i.pairs == RotaryPairs::adjacent;
      const std::size_t first = head + (adjacent ? 2 * pair : pair);
      const std::size_t second = adjacent ? first + 1 : first + i.rotate / 2;
      const float cosine = o.b[2 * pair], sine = o.b[2 * pair + 1];
      o.d[first] = o.a[first] * cosine - o.a[second] * sine;
      o.d[second] = o.a[first] * sine + o.a[second] * cosine;
    }
  }
}

}  // namespace tokencycle::isa
