// SPDX-License-Identifier: Apache-2.0
// A decoder of today's common kind: RMS norms, rotary positions, grouped query heads, gated feed-forward.
#include <cmath>
#include <vector>

#include "model/architectures/architectures.h"

namespace tokencycle::model {
namespace {

struct Cache {
  ValueId keys = kNoValue, values = kNoValue;
};

// (tokens, width) -> (tokens, width)
ValueId add_attention(GraphBuilder& g, const Hyperparameters& s, const DecoderOptions& options, ValueId table,
                      const Cache& cache, ValueId x) {
  const RotaryShape rotary{s.head_dim, s.rope_dims, s.rope_pairs};
  const float scale = 1.0f / std::sqrt(static_cast<float>(s.head_dim));
  const ValueId h = g.norm("attn_norm", x, s.norm_epsilon);
  ValueId q = g.linear("attn_q", h, s.query_width(), options.qkv_bias);
  ValueId k = g.linear("attn_k", h, s.kv_width(), options.qkv_bias);
  const ValueId v = g.linear("attn_v", h, s.kv_width(), options.qkv_bias);
  if (options.head_norm) {
    q = g.norm("attn_q_norm", q, s.norm_epsilon, s.head_dim);
    k = g.norm("attn_k_norm", k, s.norm_epsilon, s.head_dim);
  }
  q = g.rotary("rope_q", q, table, rotary);
  k = g.rotary("rope_k", k, table, rotary);
  g.append("cache_k", k, cache.keys);
  g.append("cache_v", v, cache.values);
  const ValueId o =
      g.attention("attention", q, cache.keys, cache.values, {s.heads, s.kv_heads, s.head_dim, scale});
  return g.zip("attn_residual", ZipFunction::add, g.linear("attn_output", o, s.width), x);
}

ValueId add_feed_forward(GraphBuilder& g, const Hyperparameters& s, ValueId x) {
  const ValueId h = g.norm("ffn_norm", x, s.norm_epsilon);
  const ValueId gate = g.linear("ffn_gate", h, s.feed_forward);
  const ValueId up = g.linear("ffn_up", h, s.feed_forward);
  const ValueId f = g.zip("ffn_act", ZipFunction::mul, g.map("ffn_silu", MapFunction::silu, gate), up);
  return g.zip("ffn_residual", ZipFunction::add, g.linear("ffn_down", f, s.width), x);
}

}  // namespace

void build_decoder(GraphBuilder& g, const Hyperparameters& s, const DecoderOptions& options) {
  const ValueId ids = g.token_ids();
  const ValueId table = g.rotary_table(s.rope_dims);
  std::vector<Cache> caches(s.layers);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    g.set_layer(static_cast<int>(i));
    caches[i] = {g.state("keys", "keys", s.kv_width()), g.state("values", "values", s.kv_width())};
  }
  g.set_layer(-1);
  const Weight& embedding = g.matrix("token_embd", s.vocabulary, s.width);
  ValueId x = g.gather_rows("embedding", ids, embedding);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    g.set_layer(static_cast<int>(i));
    x = add_attention(g, s, options, table, caches[i], x);
    x = add_feed_forward(g, s, x);
  }
  g.set_layer(-1);
  const ValueId h = g.norm("output_norm", x, s.norm_epsilon);
  g.outputs_only(h);
  g.set_result(g.linear("output", h, s.tied_output ? embedding : g.matrix("output", s.vocabulary, s.width)));
}

}  // namespace tokencycle::model
