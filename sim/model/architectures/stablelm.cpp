// SPDX-License-Identifier: Apache-2.0
// StableLM: layer norms, partly rotated heads, gated feed-forward, perhaps side by side with attention.
// Source of the config.json's keys: github.com/huggingface/transformers, configuration_stablelm.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_stablelm(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s, NormKind::layer);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const ValueId h = d.norm("attn_norm", x);
    x = d.add("attn_residual", d.attend(d.project(h)), x);
    // Without a norm of its own, the feed-forward layer reads what attention reads.
    const ValueId f = d.gated(g.has("ffn_norm.weight") ? d.norm("ffn_norm", x) : h, MapFunction::silu);
    x = d.add("ffn_residual", f, x);
  }
  d.finish(x);
}

void read_stablelm_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);
  shape.size.parallel_residual = config.boolean("use_parallel_residual", false);
  if (shape.size.parallel_residual) shape.own_keys.emplace_back("use_parallel_residual", true);
  shape.biases.qkv = config.boolean("use_qkv_bias", false);
  refuse_config_biases(config, {"qk_layernorm"});
}

}  // namespace tokencycle::model
