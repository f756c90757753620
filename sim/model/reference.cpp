// SPDX-License-Identifier: Apache-2.0
#include "model/reference.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "model/reference_math.h"
#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::model {
namespace {

// Writes `values` as row `position` of a cache, which grows to hold it.
void store_row(Format f, std::span<const float> values, std::uint32_t position,
               std::vector<std::byte>& cache) {
  const std::uint64_t bytes = row_bytes(f, values.size());
  cache.resize((position + 1) * bytes);
  encode_row(f, values, std::span(cache).subspan(position * bytes));
}

void add_to(std::span<float> x, std::span<const float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] + y[i];
}

}  // namespace

Reference::Reference(const LlamaModel& model, Format kv_format) : model_(model), kv_format_(kv_format) {
  if (!kCacheFormats.has(kv_format)) {
    throw ConfigurationError(fmt::format("the KV cache of the reference holds {}, not {}",
                                         kCacheFormats.names(" or "), name_of(kv_format)));
  }
  const Hyperparameters& shape = model.shape();
  x_.resize(shape.width);
  h_.resize(shape.width);
  q_.resize(shape.query_width());
  k_.resize(shape.kv_width());
  v_.resize(shape.kv_width());
  o_.resize(shape.query_width());
  gate_.resize(shape.feed_forward);
  up_.resize(shape.feed_forward);
  logits_.resize(shape.vocabulary);
  reset();
}

void Reference::reset() {
  position_ = 0;
  key_cache_.assign(model_.shape().layers, {});
  value_cache_.assign(model_.shape().layers, {});
}

std::span<const float> Reference::step(TokenId token) {
  const Hyperparameters& shape = model_.shape();
  if (position_ >= shape.context) {
    throw SimulationError(fmt::format(
        "the context of {} positions is full; generate fewer tokens or shorten the prompt", shape.context));
  }
  if (token >= shape.vocabulary) {
    throw SimulationError(fmt::format("token {} is outside the vocabulary of {} tokens (0 to {})", token,
                                      shape.vocabulary, shape.vocabulary - 1));
  }
  for (const Operator& op : model_.graph()) {
    const std::span<const float> result = execute(op, token);
    if (tap_) tap_(op, position_, result);
  }
  model_.file().check_whole();
  ++position_;
  return logits_;
}

std::span<const float> Reference::execute(const Operator& op, TokenId token) {
  const Hyperparameters& shape = model_.shape();
  switch (op.kind) {
    case OperatorKind::embedding:
      decode_row(op.weight->format, op.weight->row(token), 0, x_);
      return x_;
    case OperatorKind::rms_norm:
      rms_norm(x_, *op.weight, shape.norm_epsilon, h_);
      return h_;
    case OperatorKind::query:
      multiply(*op.weight, h_, q_);
      return q_;
    case OperatorKind::key:
      multiply(*op.weight, h_, k_);
      return k_;
    case OperatorKind::value:
      multiply(*op.weight, h_, v_);
      return v_;
    case OperatorKind::rotary_query:
      rotate(shape, rope_row(), q_);
      return q_;
    case OperatorKind::rotary_key:
      rotate(shape, rope_row(), k_);
      return k_;
    case OperatorKind::attention:
      attend(static_cast<std::size_t>(op.layer));
      return o_;
    case OperatorKind::attention_output:
      multiply(*op.weight, o_, h_);
      add_to(x_, h_);
      return x_;
    case OperatorKind::gate:
      multiply(*op.weight, h_, gate_);
      return gate_;
    case OperatorKind::up:
      multiply(*op.weight, h_, up_);
      return up_;
    case OperatorKind::activation:
      for (std::size_t i = 0; i < gate_.size(); ++i) gate_[i] = silu_f32(gate_[i]) * up_[i];
      return gate_;
    case OperatorKind::down:
      multiply(*op.weight, gate_, h_);
      add_to(x_, h_);
      return x_;
    case OperatorKind::output:
      multiply(*op.weight, h_, logits_);
      return logits_;
  }
  throw ModelError(fmt::format("the reference cannot execute operator '{}'", op.name));
}

std::span<const float> Reference::rope_row() const {
  const std::size_t length = model_.shape().rope_dims;
  return std::span(model_.rope_table()).subspan(position_ * length, length);
}

void Reference::attend(std::size_t layer) {
  const Hyperparameters& shape = model_.shape();
  const std::size_t dim = shape.head_dim, width = shape.kv_width(), positions = position_ + std::size_t{1};
  store_row(kv_format_, k_, position_, key_cache_[layer]);
  store_row(kv_format_, v_, position_, value_cache_[layer]);
  std::vector<float> keys(positions * width), values(positions * width);  // [position][kv_head][head_dim]
  decode_row(kv_format_, key_cache_[layer], 0, keys);
  decode_row(kv_format_, value_cache_[layer], 0, values);

  const std::vector<float> queries = rounded_to(kv_format_, q_);
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  scores_.resize(positions);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t kv_offset = head / (shape.heads / shape.kv_heads) * dim;
    const std::span<const float> query = std::span(queries).subspan(head * dim, dim);
    for (std::size_t t = 0; t < positions; ++t) {
      scores_[t] = grouped_dot(query, &keys[t * width + kv_offset], 1);
    }
    softmax(scores_, scale);
    const std::vector<float> probabilities = rounded_to(kv_format_, scores_);
    for (std::size_t i = 0; i < dim; ++i) {
      o_[head * dim + i] = grouped_dot(probabilities, &values[kv_offset + i], width);
    }
  }
}

}  // namespace tokencycle::model
