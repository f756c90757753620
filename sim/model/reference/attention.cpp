// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "model/reference/math.h"
#include "numerics/activation.h"
#include "numerics/reduce.h"
#include "numerics/scalar.h"

namespace tokencycle::model {

void softmax(std::span<float> x, float scale) {
  for (float& value : x) value = value * scale;
  const float largest = *std::max_element(x.begin(), x.end());
  for (float& value : x) value = exp_f32(value - largest);
  const float sum = pairwise_sum(x);
  for (float& value : x) value = value / sum;
}

namespace {

// The softmax of one row of scores, scaled and capped.
void to_probabilities(const AttentionShape& shape, std::span<float> scores) {
  if (shape.cap == 0.0f) return softmax(scores, shape.scale);
  for (float& score : scores) score = tanh_f32(score * (shape.scale / shape.cap));
  softmax(scores, shape.cap);
}

}  // namespace

void attention(const AttentionShape& shape, Format format, std::span<const float> q,
               std::span<const float> keys, std::span<const float> values, std::span<float> o) {
  const std::size_t dim = shape.head_dim, width = std::size_t{shape.kv_heads} * dim;
  const std::size_t end = keys.size() / width;
  const std::size_t seen = shape.window == 0 ? end : std::min<std::size_t>(end, shape.window);
  // Sums of products are made in whole groups of positions: the first one begins before the window.
  const std::size_t begin = (end - seen) / kPlainGroup * kPlainGroup;
  const std::vector<float> queries = rounded_to(format, q);
  std::vector<float> scores(end - begin);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t kv_offset = head / (shape.heads / shape.kv_heads) * dim;
    const std::span<const float> query = std::span(queries).subspan(head * dim, dim);
    std::fill(scores.begin(), scores.end(), 0.0f);
    for (std::size_t t = end - seen; t < end; ++t) {
      scores[t - begin] = grouped_dot(query, &keys[t * width + kv_offset], 1);
    }
    to_probabilities(shape, std::span(scores).last(seen));
    const std::vector<float> probabilities = rounded_to(format, scores);
    for (std::size_t i = 0; i < dim; ++i) {
      o[head * dim + i] = grouped_dot(probabilities, &values[begin * width + kv_offset + i], width);
    }
  }
}

}  // namespace tokencycle::model
