// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"

#include <fmt/format.h>

#include "model/architecture_parts.h"

namespace tokencycle::model {
namespace {

LayerWeights load_layer(WeightLoader& loader, const Hyperparameters& shape, std::uint32_t layer) {
  const auto name = [layer](std::string_view part) { return fmt::format("blk.{}.{}.weight", layer, part); };
  LayerWeights weights;
  weights.attn_norm = loader.gain(name("attn_norm"), shape.width);
  weights.attn_q = loader.matrix(name("attn_q"), shape.query_width(), shape.width);
  weights.attn_k = loader.matrix(name("attn_k"), shape.kv_width(), shape.width);
  weights.attn_v = loader.matrix(name("attn_v"), shape.kv_width(), shape.width);
  weights.attn_output = loader.matrix(name("attn_output"), shape.width, shape.query_width());
  weights.ffn_norm = loader.gain(name("ffn_norm"), shape.width);
  weights.ffn_gate = loader.matrix(name("ffn_gate"), shape.feed_forward, shape.width);
  weights.ffn_up = loader.matrix(name("ffn_up"), shape.feed_forward, shape.width);
  weights.ffn_down = loader.matrix(name("ffn_down"), shape.width, shape.feed_forward);
  return weights;
}

void append_layer(std::vector<Operator>& graph, const Hyperparameters& shape, const LayerWeights& w,
                  int layer) {
  const auto add = [&](OperatorKind kind, std::string_view name, const Weight* weight,
                       std::uint32_t columns) {
    graph.push_back({kind, fmt::format("blk.{}.{}", layer, name), layer, weight, columns});
  };
  add(OperatorKind::rms_norm, "attn_norm", &w.attn_norm, shape.width);
  add(OperatorKind::query, "attn_q", &w.attn_q, shape.query_width());
  add(OperatorKind::key, "attn_k", &w.attn_k, shape.kv_width());
  add(OperatorKind::value, "attn_v", &w.attn_v, shape.kv_width());
  add(OperatorKind::rotary_query, "rope_q", nullptr, shape.query_width());
  add(OperatorKind::rotary_key, "rope_k", nullptr, shape.kv_width());
  add(OperatorKind::attention, "attention", nullptr, shape.query_width());
  add(OperatorKind::attention_output, "attn_output", &w.attn_output, shape.width);
  add(OperatorKind::rms_norm, "ffn_norm", &w.ffn_norm, shape.width);
  add(OperatorKind::gate, "ffn_gate", &w.ffn_gate, shape.feed_forward);
  add(OperatorKind::up, "ffn_up", &w.ffn_up, shape.feed_forward);
  add(OperatorKind::activation, "ffn_act", nullptr, shape.feed_forward);
  add(OperatorKind::down, "ffn_down", &w.ffn_down, shape.width);
}

}  // namespace

LlamaModel::LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs)
    : file_(std::move(file)), shape_(read_hyperparameters(file_, rope_pairs)) {
  WeightLoader loader(file_);
  embedding_ = loader.matrix("token_embd.weight", shape_.vocabulary, shape_.width);
  output_norm_ = loader.gain("output_norm.weight", shape_.width);
  if (!shape_.tied_output) output_ = loader.matrix("output.weight", shape_.vocabulary, shape_.width);
  for (std::uint32_t i = 0; i < shape_.layers; ++i) layers_.push_back(load_layer(loader, shape_, i));
  const std::vector<float> factors = loader.rope_factors(shape_.rope_dims / 2);
  loader.refuse_unused();
  if (file_.data() == TensorData::present) rope_table_ = make_rope_table(shape_, factors);

  // The graph points at the weights, so it comes after the last of them found its place.
  graph_.push_back({OperatorKind::embedding, "embedding", -1, &embedding_, shape_.width});
  for (std::uint32_t i = 0; i < shape_.layers; ++i)
    append_layer(graph_, shape_, layers_[i], static_cast<int>(i));
  graph_.push_back({OperatorKind::rms_norm, "output_norm", -1, &output_norm_, shape_.width});
  graph_.push_back({OperatorKind::output, "output", -1, &output(), shape_.vocabulary});
  file_.check_whole();
}

}  // namespace tokencycle::model
