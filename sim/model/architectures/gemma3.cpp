// SPDX-License-Identifier: Apache-2.0
// Gemma 3: Gemma 2 with a norm of each head of queries and keys instead of the caps, and another rotary base
// in the layers with a window. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_gemma3.py.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/gemma.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kGemma3Period = 6, kGemma3Window = 4096, kLayersOfGemma3 = 62;
constexpr double kLocalBase = 10000.0;

}  // namespace

void build_gemma3(GraphBuilder& g, const Hyperparameters& shape) {
  build_gemma_layers(g, shape, true);
}

void read_gemma3_file(const Metadata& m, Hyperparameters& shape) {
  read_window(m, shape, kGemma3Period);
  const auto local_base = m.get_positive("rope.freq_base_swa");
  if (shape.window != 0) shape.local_rope_base = local_base.value_or(kLocalBase);
  shape.embedding_scale = std::sqrt(static_cast<float>(shape.width));
  shape.attention_scale = gemma_attention_scale(shape, kLayersOfGemma3);
  shape.logit_cap = static_cast<float>(m.get_positive("final_logit_softcapping", true).value_or(0.0));
}

void read_gemma3_config(const ConfigObject& config, ConfigShape& shape) {
  refuse_config_biases(config, {"attention_bias", "use_bidirectional_attention"});
  check_gemma_scale(config, shape.size, kLayersOfGemma3);
  if (config.has("attn_logit_softcapping")) {
    config.fail("attn_logit_softcapping", "supported is null in this family; use such a model");
  }
  shape.size.tied_output = config.boolean("tie_word_embeddings", true);
  shape.size.logit_cap = static_cast<float>(config.get_positive("final_logit_softcapping").value_or(0.0));
  const char* const name =
      config.has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern";
  read_config_window(config, shape, config.get_size(name, kMaxLayers).value_or(kGemma3Period), kGemma3Window);
}

// Files leave out what equals the library's defaults.
void set_gemma3_defaults(ConfigShape& shape) {
  set_gemma_defaults(shape);
  Hyperparameters& s = shape.size;
  s.context = 131072, s.heads = 8, s.kv_heads = 4, s.vocabulary = 262208;
  s.width = 2304, s.feed_forward = 9216, s.layers = 26, s.norm_epsilon = 1e-6f;
  shape.rope_base_by_default = 1e6;
  shape.local_base_by_default = kLocalBase;
}

}  // namespace tokencycle::model
