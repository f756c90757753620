// SPDX-License-Identifier: Apache-2.0
// OLMo 2 and 3: norms behind attention and feed-forward alone, and of whole queries and keys. OLMo 3 has a
// window in three layers of four, whose positions are rotated without scaling. Source of the config.json's
// keys: github.com/huggingface/transformers, configuration_olmo2.py and configuration_olmo3.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kOlmo3Period = 4;

}  // namespace

void build_olmo2(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    Decoder::Projections p = d.project(x);
    p.q = d.norm("attn_q_norm", p.q);
    p.k = d.norm("attn_k_norm", p.k);
    x = d.add("attn_residual", d.norm("post_attention_norm", d.attend(p)), x);
    x = d.add("ffn_residual", d.norm("post_ffw_norm", d.gated(x, MapFunction::silu)), x);
  }
  d.finish(x);
}

void read_olmo2_file(const Metadata& m, Hyperparameters& shape) {
  read_window(m, shape, kOlmo3Period);
  if (shape.window == 0) return;
  shape.local_rope_base = m.get_positive("rope.freq_base_swa").value_or(shape.rope_base);
  if (shape.local_rope_base != shape.rope_base) {
    m.file.fail(
        "key 'olmo2.rope.freq_base_swa' differs from 'olmo2.rope.freq_base', which is not supported; "
        "use a model with one base");
  }
}

void read_olmo2_config(const ConfigObject& config, ConfigShape& shape) {
  refuse_config_biases(config, {"attention_bias"});
  if (shape.is("Olmo3ForCausalLM", "olmo3")) read_config_window(config, shape, kOlmo3Period);
}

}  // namespace tokencycle::model
