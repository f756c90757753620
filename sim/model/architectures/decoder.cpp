// SPDX-License-Identifier: Apache-2.0
#include "model/architectures/decoder.h"

#include <cmath>

namespace tokencycle::model {

Decoder::Decoder(GraphBuilder& g, const Hyperparameters& shape, NormKind norms)
    : g_(g), s_(shape), norms_(norms) {
  ids_ = g.token_ids();
  if (s_.rope_dims != 0) table_ = g.rotary_table(s_.rotary);
  local_table_ = s_.local_rope_base != 0.0 ? g.rotary_table(s_.local_rotary) : table_;
  for (std::uint32_t i = 0; i < s_.layers; ++i) {
    g.set_layer(static_cast<int>(i));
    if (s_.latent.rank != 0) {
      const ValueId rows = g.state("latent", "latent", s_.head_dim);
      caches_.push_back({rows, rows});
      continue;
    }
    if (s_.recurrent(i) || s_.cache_layer(i) != i) {
      caches_.push_back(s_.recurrent(i) ? Cache{} : caches_[s_.cache_layer(i)]);
      continue;
    }
    caches_.push_back({g.state("keys", "keys", s_.kv_width(i)), g.state("values", "values", s_.kv_width(i))});
  }
  g.set_layer(-1);
}

ValueId Decoder::embed() {
  embedding_ = &g_.matrix("token_embd", s_.vocabulary, s_.width);
  const ValueId x = g_.gather_rows("embedding", ids_, *embedding_);
  if (s_.embedding_scale == 1.0f) return x;
  return g_.map("embedding_scaled", MapFunction::scale, x, s_.embedding_scale);
}

ValueId Decoder::positions(std::string_view name) {
  return g_.position_rows(name, ids_, g_.matrix(name, s_.context, s_.width));
}

void Decoder::enter(std::uint32_t layer) {
  layer_ = layer;
  g_.set_layer(static_cast<int>(layer));
}

ValueId Decoder::norm(std::string_view name, ValueId x, std::uint32_t columns) {
  return g_.norm(name, x, {norms_, columns, s_.norm_epsilon});
}

ValueId Decoder::residual(std::string_view name, ValueId y, ValueId x) {
  if (s_.residual_scale != 1.0f)
    y = g_.map(std::string(name) + "_scaled", MapFunction::scale, y, s_.residual_scale);
  return add(name, y, x);
}

Decoder::Projections Decoder::project(ValueId h, Bias bias) {
  Projections p;
  p.q = g_.linear("attn_q", h, s_.query_width(layer_), bias);
  p.k = g_.linear("attn_k", h, s_.kv_width(layer_), bias);
  p.v = g_.linear("attn_v", h, s_.kv_width(layer_), bias);
  return p;
}

Decoder::Projections Decoder::project_fused(ValueId h, Bias bias) {
  const std::vector<ValueId> p = g_.linears(
      "attn_qkv", h,
      {{"attn_q", s_.query_width(layer_)}, {"attn_k", s_.kv_width(layer_)}, {"attn_v", s_.kv_width(layer_)}},
      bias);
  return {p[0], p[1], p[2]};
}

ValueId Decoder::attend(Projections p, Bias bias, ValueId gate, std::string_view sinks) {
  const bool local = s_.local(layer_);
  if (s_.rotated(layer_)) {
    const RotaryShape rotary{s_.head_dim_of(layer_), s_.rope_dims_of(layer_), s_.rope_pairs};
    p.q = g_.rotary("rope_q", p.q, local ? local_table_ : table_, rotary);
    if (p.k != kNoValue) p.k = g_.rotary("rope_k", p.k, local ? local_table_ : table_, rotary);
  }
  const Cache& cache = caches_[layer_];
  if (p.k != kNoValue) g_.append("cache_k", p.k, cache.keys);
  if (p.v != kNoValue) g_.append("cache_v", p.v, cache.values);
  AttentionShape shape{s_.heads,           s_.kv_heads_of(layer_), s_.head_dim_of(layer_),
                       s_.attention_scale, s_.attention_cap,       local ? s_.window : 0};
  if (shape.scale == 0.0f) shape.scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim));
  if (!sinks.empty()) {  // which stand beside scores that have their scale
    p.q = g_.map("attn_q_scaled", MapFunction::scale, p.q, shape.scale);
    shape.scale = 1.0f;
  }
  ValueId o = g_.attention("attention", p.q, cache.keys, cache.values, shape, sinks);
  if (gate != kNoValue) o = g_.zip("attention_gated", ZipFunction::mul, o, gate);
  return g_.linear("attn_output", o, s_.width, bias);
}

ValueId Decoder::activate(MapFunction f, ValueId x, std::string_view suffix) {
  return g_.map(std::string(f == MapFunction::silu ? "ffn_silu" : "ffn_gelu").append(suffix), f, x);
}

ValueId Decoder::gated(ValueId h, MapFunction f, Bias bias, std::uint32_t columns, std::string_view suffix) {
  const auto named = [&](std::string name) { return name.append(suffix); };
  const ValueId gate = g_.linear(named("ffn_gate"), h, columns, bias);
  const ValueId up = g_.linear(named("ffn_up"), h, columns, bias);
  const ValueId act = g_.zip(named("ffn_act"), ZipFunction::mul, activate(f, gate, suffix), up);
  return g_.linear(named("ffn_down"), act, s_.width, bias);
}

ValueId Decoder::plain(ValueId h, MapFunction f, Bias bias) {
  return g_.linear("ffn_down", activate(f, g_.linear("ffn_up", h, s_.feed_forward_of(layer_), bias)),
                   s_.width, bias);
}

Decoder::Routing Decoder::route(ValueId logits, bool renormalized, Bias bias) {
  const ValueId scores =
      s_.sigmoid_router ? g_.map("ffn_probs", MapFunction::sigmoid, logits) : g_.softmax("ffn_probs", logits);
  const std::string_view tensor = "exp_probs_b.bias";
  const bool biased = bias == Bias::always || (bias == Bias::where_present && g_.has(tensor));
  ValueId ranked =
      biased ? g_.zip_row("ffn_probs_biased", ZipFunction::add, scores, tensor, s_.experts) : scores;
  if (s_.expert_groups > 1)
    ranked = g_.keep_groups("ffn_probs_masked", ranked, {s_.expert_groups, s_.expert_groups_used});
  Routing routing;
  routing.chosen = g_.top_k("ffn_chosen", ranked, s_.experts_used);
  routing.weights = g_.take("ffn_weights", scores, routing.chosen);
  if (renormalized) routing.weights = g_.normalize("ffn_weights_norm", routing.weights);
  if (s_.experts_scale != 1.0f)
    routing.weights = g_.map("ffn_weights_scaled", MapFunction::scale, routing.weights, s_.experts_scale);
  return routing;
}

ValueId Decoder::chosen_experts(ValueId h, const Routing& routing, MapFunction f) {
  const std::uint32_t columns = s_.feed_forward;
  const std::string_view names[] = {"ffn_gate_exps", "ffn_up_exps"};
  std::vector<ValueId> p;
  if (g_.has("ffn_gate_up_exps.weight")) {
    p = g_.expert_linears("ffn_gate_up_exps", h, routing.chosen, s_.experts,
                          {{names[0], columns}, {names[1], columns}});
  } else {
    for (const std::string_view name : names) {
      ValueId y = g_.expert_linear(name, h, routing.chosen, s_.experts, columns);
      const ValueId scales = g_.expert_scales(name, routing.chosen, s_.experts);
      if (scales != kNoValue) y = g_.scale_parts(std::string(name) + "_scaled", y, scales);
      p.push_back(y);
    }
  }
  const ValueId act = g_.zip("ffn_act", ZipFunction::mul, activate(f, p[0]), p[1]);
  const ValueId down = g_.expert_linear("ffn_down_exps", act, routing.chosen, s_.experts, s_.width, true);
  // Their factors scale the weights, of which there are fewer than of the results.
  ValueId weights = routing.weights;
  const ValueId scales = g_.expert_scales("ffn_down_exps", routing.chosen, s_.experts);
  if (scales != kNoValue) weights = g_.zip("ffn_weights_by_expert", ZipFunction::mul, weights, scales);
  return g_.weighted_sum("ffn_sum", down, weights);
}

ValueId Decoder::experts(ValueId h, bool renormalized, Bias bias) {
  const ValueId logits = g_.linear("ffn_gate_inp", h, g_.matrix("ffn_gate_inp", s_.experts, s_.width));
  return chosen_experts(h, route(logits, renormalized, bias));
}

ValueId Decoder::gated_fused(ValueId h, MapFunction f) {
  const std::vector<ValueId> p =
      g_.linears("ffn_up", h, {{"ffn_gate", s_.feed_forward}, {"ffn_up", s_.feed_forward}});
  return g_.linear("ffn_down", g_.zip("ffn_act", ZipFunction::mul, activate(f, p[0]), p[1]), s_.width);
}

void Decoder::finish(ValueId x, std::string_view norm_name) {
  g_.set_layer(-1);
  const ValueId h = norm(norm_name, x);
  g_.outputs_only(h);
  ValueId logits =
      s_.tied_output ? g_.linear("output", h, *embedding_) : g_.linear("output", h, s_.vocabulary);
  if (s_.logit_scale != 1.0f) logits = g_.map("output_scaled", MapFunction::scale, logits, s_.logit_scale);
  if (s_.logit_cap != 0.0f) {
    logits = g_.map("output_share", MapFunction::scale, logits, 1.0f / s_.logit_cap);
    logits = g_.map("output_tanh", MapFunction::tanh, logits);
    logits = g_.map("output_capped", MapFunction::scale, logits, s_.logit_cap);
  }
  g_.set_result(logits);
}

void build_usual(GraphBuilder& g, const Hyperparameters& s, const UsualLayers& layers) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    ValueId h = d.norm("attn_norm", x);
    Decoder::Projections p =
        layers.fused ? d.project_fused(h, layers.qkv_bias) : d.project(h, layers.qkv_bias);
    if (layers.head_norm) {
      p.q = d.norm("attn_q_norm", p.q, s.head_dim);
      p.k = d.norm("attn_k_norm", p.k, s.head_dim);
    } else if (layers.row_norm) {
      p.q = d.norm("attn_q_norm", p.q);
      p.k = d.norm("attn_k_norm", p.k);
    }
    x = d.residual("attn_residual", d.attend(p, layers.other_bias), x);
    h = d.norm("ffn_norm", x);
    const ValueId f = s.experts != 0 ? d.experts(h, layers.renormalized)
                      : layers.fused ? d.gated_fused(h, layers.activation)
                                     : d.gated(h, layers.activation, layers.other_bias);
    x = d.residual("ffn_residual", f, x);
  }
  d.finish(x);
}

}  // namespace tokencycle::model
