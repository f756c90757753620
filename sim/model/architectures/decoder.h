// SPDX-License-Identifier: Apache-2.0
// Parts that decoders of several families share, so that a builder file reads as its model.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/architectures/architectures.h"

namespace tokencycle::model {

class Decoder {
 public:
  // Token ids, rotary tables and the states of all layers.
  Decoder(GraphBuilder& g, const Hyperparameters& shape, NormKind norms = NormKind::rms);

  // Rows of the embedding table, scaled where the model says so.
  ValueId embed();
  // Rows of another table, as they are.
  ValueId embed(std::string_view name, const Weight& table) { return g_.gather_rows(name, ids_, table); }
  // Rows of a table of learned positions.
  ValueId positions(std::string_view name);
  // What follows belongs to this layer.
  void enter(std::uint32_t layer);

  ValueId norm(std::string_view name, ValueId x, std::uint32_t columns = 0);
  ValueId add(std::string_view name, ValueId x, ValueId y) { return g_.zip(name, ZipFunction::add, x, y); }
  // x + y * residual_scale
  ValueId residual(std::string_view name, ValueId y, ValueId x);

  struct Projections {
    ValueId q = kNoValue, k = kNoValue, v = kNoValue;
  };
  Projections project(ValueId h, Bias bias = Bias::where_present);
  // Of one tensor, attn_qkv.
  Projections project_fused(ValueId h, Bias bias);
  // Rotates queries and keys where the layer does, appends to the cache, if there are keys, and attends; then
  // attn_output.
  // `gate`, where there is one, multiplies what attention finds. `sinks`: their tensor, if there is one.
  ValueId attend(Projections p, Bias bias = Bias::none, ValueId gate = kNoValue, std::string_view sinks = {});

  // The only state of a layer of latent attention.
  ValueId latent_cache() const { return caches_[layer_].keys; }
  // Rotated by the position of each row.
  ValueId rotate(std::string_view name, ValueId x, std::uint32_t head) {
    return g_.rotary(name, x, table_, {head, s_.rope_dims, s_.rope_pairs});
  }

  // down(f(gate(h)) * up(h)), and down(f(up(h))).
  ValueId gated(ValueId h, MapFunction f, Bias bias = Bias::none) {
    return gated(h, f, bias, s_.feed_forward_of(layer_));
  }
  // Of another width; the suffix is that of its tensors, as of experts that every token has.
  ValueId gated(ValueId h, MapFunction f, Bias bias, std::uint32_t columns, std::string_view suffix = {});
  ValueId plain(ValueId h, MapFunction f, Bias bias);
  // Which experts a token has, and their weights.
  struct Routing {
    ValueId chosen = kNoValue, weights = kNoValue;
  };
  // By the router's softmax or sigmoid of `logits`; the weights may be divided by their sum. `bias`: whether
  // the choice has one (exp_probs_b), which the weights lack.
  Routing route(ValueId logits, bool renormalized, Bias bias = Bias::none);
  // What the chosen ones make of h, by their weights.
  ValueId chosen_experts(ValueId h, const Routing& routing, MapFunction f = MapFunction::silu);
  // Both; the router is the tensor ffn_gate_inp.
  ValueId experts(ValueId h, bool renormalized, Bias bias = Bias::none);
  // The expert that every token has, whose tensors end in _shexp.
  ValueId shared_expert(ValueId h) {
    return gated(h, MapFunction::silu, Bias::none, s_.shared_feed_forward, "_shexp");
  }
  // The tensor ffn_up has the rows of both, those of the gate first.
  ValueId gated_fused(ValueId h, MapFunction f);

  // Norm, output head, and what the model does to its logits.
  void finish(ValueId x, std::string_view norm_name = "output_norm");

 private:
  struct Cache {
    ValueId keys = kNoValue, values = kNoValue;
  };
  ValueId activate(MapFunction f, ValueId x, std::string_view suffix = {});

  GraphBuilder& g_;
  const Hyperparameters& s_;
  NormKind norms_;
  std::uint32_t layer_ = 0;
  ValueId ids_ = kNoValue, table_ = kNoValue, local_table_ = kNoValue;
  std::vector<Cache> caches_;
  const Weight* embedding_ = nullptr;
};

// The usual layers: norm, attention, residual, norm, gated feed-forward, residual.
struct UsualLayers {
  Bias qkv_bias = Bias::where_present;  // attn_q.bias, attn_k.bias, attn_v.bias
  Bias other_bias = Bias::none;         // attn_output.bias, ffn_gate.bias, ffn_up.bias, ffn_down.bias
  bool head_norm = false;               // attn_q_norm, attn_k_norm: each head, before it is rotated
  bool row_norm = false;                // the same of whole rows
  bool renormalized = true;             // where there are experts: their weights sum to 1
  bool fused = false;                   // tensors attn_qkv, and ffn_up with the gate in it
  MapFunction activation = MapFunction::silu;
};
void build_usual(GraphBuilder& g, const Hyperparameters& shape, const UsualLayers& layers);

}  // namespace tokencycle::model
