// SPDX-License-Identifier: Apache-2.0
// Gemma 2: norms before and behind attention and feed-forward, capped scores and logits, a window in every
// other layer. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_gemma2.py.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/gemma.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kGemma2Period = 2, kGemma2Window = 4096, kLayersOfGemma2 = 46;
constexpr float kAttentionCap = 50.0f, kLogitCap = 30.0f;  // where the file gives none

}  // namespace

void build_gemma_layers(GraphBuilder& g, const Hyperparameters& s, bool head_norm) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    Decoder::Projections p = d.project(d.norm("attn_norm", x));
    if (head_norm) {
      p.q = d.norm("attn_q_norm", p.q, s.head_dim);
      p.k = d.norm("attn_k_norm", p.k, s.head_dim);
    }
    x = d.add("attn_residual", d.norm("post_attention_norm", d.attend(p)), x);
    const ValueId f = d.gated(d.norm("ffn_norm", x), MapFunction::gelu_tanh);
    x = d.add("ffn_residual", d.norm("post_ffw_norm", f), x);
  }
  d.finish(x);
}

// No key says it: it follows from the number of layers.
float gemma_attention_scale(const Hyperparameters& s, std::uint32_t layers_of_27b) {
  const std::uint32_t width = s.layers == layers_of_27b ? s.width / s.heads : s.head_dim;
  return 1.0f / std::sqrt(static_cast<float>(width));
}

void check_gemma_scale(const ConfigObject& config, const Hyperparameters& s, std::uint32_t layers_of_27b) {
  const auto scalar = config.get_positive("query_pre_attn_scalar");
  const std::uint32_t width = s.layers == layers_of_27b ? s.width / s.heads : s.head_dim;
  if (!scalar || *scalar == width) return;
  config.fail("query_pre_attn_scalar",
              "supported is " + std::to_string(width) +
                  ", which a converted file implies; use a model with it, or fix the file");
}

void build_gemma2(GraphBuilder& g, const Hyperparameters& shape) {
  build_gemma_layers(g, shape, false);
}

void read_gemma2_file(const Metadata& m, Hyperparameters& shape) {
  read_window(m, shape, kGemma2Period, kGemma2Window);
  shape.embedding_scale = std::sqrt(static_cast<float>(shape.width));
  shape.attention_scale = gemma_attention_scale(shape, kLayersOfGemma2);
  shape.attention_cap = static_cast<float>(m.get_positive("attn_logit_softcapping").value_or(kAttentionCap));
  shape.logit_cap = static_cast<float>(m.get_positive("final_logit_softcapping").value_or(kLogitCap));
}

void read_gemma2_config(const ConfigObject& config, ConfigShape& shape) {
  refuse_config_biases(config, {"attention_bias"});
  check_gemma_scale(config, shape.size, kLayersOfGemma2);
  shape.size.tied_output = config.boolean("tie_word_embeddings", true);
  shape.size.attention_cap =
      static_cast<float>(config.get_positive("attn_logit_softcapping").value_or(kAttentionCap));
  shape.size.logit_cap =
      static_cast<float>(config.get_positive("final_logit_softcapping").value_or(kLogitCap));
  read_config_window(config, shape, kGemma2Period, kGemma2Window);
}

}  // namespace tokencycle::model
