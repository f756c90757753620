// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <utility>

#include "model/reference/math.h"
#include "numerics/activation.h"
#include "numerics/blocks.h"
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

void softmax_beside(std::span<float> x, float sink) {
  const float largest = std::max(sink, *std::max_element(x.begin(), x.end()));
  for (float& value : x) value = exp_f32(value - largest);
  const float sum = pairwise_sum(x) + exp_f32(sink - largest);
  for (float& value : x) value = value / sum;
}

namespace {

// The softmax of one row of scores, scaled and capped.
void to_probabilities(const AttentionShape& shape, std::span<float> scores) {
  if (shape.cap == 0.0f) return softmax(scores, shape.scale);
  for (float& score : scores) score = tanh_f32(score * (shape.scale / shape.cap));
  softmax(scores, shape.cap);
}

// Scores of one query head with the positions from `first` on.
using Scores =
    std::function<void(std::size_t head, std::size_t kv_head, std::size_t first, std::span<float> scores)>;

std::vector<float> decoded(Format f, std::span<const std::byte> rows, std::size_t count) {
  std::vector<float> values(count);
  decode_row(f, rows, 0, values);
  return values;
}

Scores scores_of_numbers(const AttentionShape& shape, Format cache, std::span<const float> q,
                         std::span<const std::byte> keys, std::size_t positions) {
  const std::size_t dim = shape.head_dim, width = shape.kv_heads * dim;
  return [=, queries = rounded_to(activation_format(cache), q),
          numbers = decoded(cache, keys, positions * width)](std::size_t head, std::size_t kv_head,
                                                             std::size_t first, std::span<float> scores) {
    const std::span<const float> query = std::span(queries).subspan(head * dim, dim);
    for (std::size_t t = 0; t < scores.size(); ++t) {
      scores[t] = grouped_dot(query, &numbers[(first + t) * width + kv_head * dim], 1);
    }
  };
}

Scores scores_of_blocks(const AttentionShape& shape, Format cache, std::span<const float> q,
                        std::span<const std::byte> keys) {
  const Format met = activation_format(cache);
  std::vector<std::byte> queries(row_bytes(met, q.size()));
  encode_row(met, q, queries);
  const std::uint64_t query_bytes = row_bytes(met, shape.head_dim),
                      head_bytes = row_bytes(cache, shape.head_dim);
  return [=, queries = std::move(queries)](std::size_t head, std::size_t kv_head, std::size_t first,
                                           std::span<float> scores) {
    const std::uint64_t row = shape.kv_heads * head_bytes;
    multiply_blocks({cache, shape.head_dim, keys.data() + first * row + kv_head * head_bytes, row},
                    queries.data() + head * query_bytes, scores);
  };
}

}  // namespace

void attention(const AttentionShape& shape, std::span<const float> sinks, Format cache,
               std::span<const float> q, std::span<const std::byte> keys, std::span<const std::byte> values,
               std::span<float> o) {
  const std::size_t dim = shape.head_dim, width = std::size_t{shape.kv_heads} * dim;
  const std::size_t end = keys.size() / row_bytes(cache, width);
  const std::size_t seen = shape.window == 0 ? end : std::min<std::size_t>(end, shape.window);
  // Sums of products are made in whole groups of positions: the first one begins before the window.
  const std::size_t begin = (end - seen) / kPlainGroup * kPlainGroup;
  const Scores make_scores = is_scaled(cache) ? scores_of_blocks(shape, cache, q, keys)
                                              : scores_of_numbers(shape, cache, q, keys, end);
  const Format taken = value_format(cache);
  std::vector<float> numbers = decoded(cache, values, end * width);
  if (taken != cache) numbers = rounded_to(taken, numbers);
  std::vector<float> scores(end - begin);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t kv_head = head / (shape.heads / shape.kv_heads);
    std::fill(scores.begin(), scores.end(), 0.0f);
    const std::span<float> in_window = std::span(scores).last(seen);
    make_scores(head, kv_head, end - seen, in_window);
    if (sinks.empty()) {
      to_probabilities(shape, in_window);
    } else {
      softmax_beside(in_window, sinks[head]);
    }
    const std::vector<float> probabilities = rounded_to(activation_format(taken), scores);
    const std::size_t result = shape.result_dim();
    for (std::size_t i = 0; i < result; ++i) {
      o[head * result + i] = grouped_dot(probabilities, &numbers[begin * width + kv_head * dim + i], width);
    }
  }
}

}  // namespace tokencycle::model
