// SPDX-License-Identifier: Apache-2.0
// GPT-NeoX and Pythia: layer norms, biases, partly rotated heads, attention and feed-forward side by side.
// Source of the config.json's keys: github.com/huggingface/transformers, configuration_gpt_neox.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"

namespace tokencycle::model {

void build_gptneox(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s, NormKind::layer);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const auto p = d.project_fused(d.norm("attn_norm", x), Bias::always);
    const ValueId o = d.attend(p, Bias::always);
    if (s.parallel_residual) {
      const ValueId f = d.plain(d.norm("ffn_norm", x), MapFunction::gelu_tanh, Bias::always);
      x = d.add("attn_residual", o, d.add("ffn_residual", f, x));
    } else {
      x = d.add("attn_residual", o, x);
      x = d.add("ffn_residual", d.plain(d.norm("ffn_norm", x), MapFunction::gelu_tanh, Bias::always), x);
    }
  }
  d.finish(x);
}

void read_gptneox_file(const Metadata& m, Hyperparameters& shape) {
  shape.parallel_residual = m.boolean("use_parallel_residual", true);
}

void read_gptneox_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.parallel_residual = config.boolean("use_parallel_residual", true);
  shape.own_keys.emplace_back("use_parallel_residual", shape.size.parallel_residual);
  shape.biases = {true, true, true};
  if (!config.boolean("attention_bias", true)) {
    config.fail("attention_bias", "supported is true in this family; use such a model");
  }
}

void set_gptneox_defaults(ConfigShape& shape) {
  shape.partly_rotated = true;
  shape.rotary_share_by_default = 0.25;
}

}  // namespace tokencycle::model
