// SPDX-License-Identifier: Apache-2.0
// GPT-2: learned positions, layer norms, biases everywhere, one tensor for queries, keys and values. Source
// of the config.json's keys: github.com/huggingface/transformers, configuration_gpt2.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"

namespace tokencycle::model {

void build_gpt2(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s, NormKind::layer);
  const ValueId tokens = d.embed();
  ValueId x = d.add("embedding_sum", d.positions("position_embd"), tokens);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const auto p = d.project_fused(d.norm("attn_norm", x), Bias::always);
    x = d.add("attn_residual", d.attend(p, Bias::always), x);
    x = d.add("ffn_residual", d.plain(d.norm("ffn_norm", x), MapFunction::gelu_tanh, Bias::always), x);
  }
  d.finish(x);
}

void read_gpt2_file(const Metadata&, Hyperparameters& shape) {
  shape.rope_dims = 0;
}

void read_gpt2_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.rope_dims = 0;
  shape.size.tied_output = config.boolean("tie_word_embeddings", true);
  shape.biases = {true, true, true};
  refuse_config_biases(config, {"add_cross_attention", "scale_attn_by_inverse_layer_idx"});
  if (!config.boolean("scale_attn_weights", true)) {
    config.fail("scale_attn_weights", "supported is true; use such a model");
  }
}

void set_gpt2_defaults(ConfigShape& shape) {
  shape.feed_forward_by_width = 4;
}

}  // namespace tokencycle::model
