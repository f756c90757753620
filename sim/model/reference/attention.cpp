// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "model/reference/math.h"
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

void attention(const AttentionShape& shape, Format format, std::span<const float> q,
               std::span<const float> keys, std::span<const float> values, std::span<float> o) {
  const std::size_t dim = shape.head_dim, width = std::size_t{shape.kv_heads} * dim;
  const std::size_t positions = keys.size() / width;
  const std::vector<float> queries = rounded_to(format, q);
  std::vector<float> scores(positions);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t kv_offset = head / (shape.heads / shape.kv_heads) * dim;
    const std::span<const float> query = std::span(queries).subspan(head * dim, dim);
    for (std::size_t t = 0; t < positions; ++t) {
      scores[t] = grouped_dot(query, &keys[t * width + kv_offset], 1);
    }
    softmax(scores, shape.scale);
    const std::vector<float> probabilities = rounded_to(format, scores);
    for (std::size_t i = 0; i < dim; ++i) {
      o[head * dim + i] = grouped_dot(probabilities, &values[kv_offset + i], width);
    }
  }
}

}  // namespace tokencycle::model
