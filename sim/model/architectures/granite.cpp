// SPDX-License-Identifier: Apache-2.0
// Granite: llama with factors on embedding, scores, residuals and logits. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_granite.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"

namespace tokencycle::model {

void build_granite(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.other_bias = Bias::where_present});
}

void read_granite_file(const Metadata& m, Hyperparameters& shape) {
  shape.embedding_scale = static_cast<float>(m.get_positive("embedding_scale", true).value_or(1.0));
  shape.residual_scale = static_cast<float>(m.get_positive("residual_scale", true).value_or(1.0));
  shape.attention_scale = static_cast<float>(m.get_positive("attention.scale", true).value_or(0.0));
  shape.logit_scale = 1.0f / static_cast<float>(m.require_positive("logit_scale"));  // it divides
  if (!m.boolean("rope.scaling.finetuned", true)) shape.unrotated_every = 1;
}

void read_granite_config(const ConfigObject& config, ConfigShape& shape) {
  shape.biases.qkv = shape.biases.output = config.boolean("attention_bias", false);
  shape.biases.feed_forward = config.boolean("mlp_bias", false);
  Hyperparameters& s = shape.size;
  s.embedding_scale = static_cast<float>(config.get_positive("embedding_multiplier").value_or(1.0));
  s.residual_scale = static_cast<float>(config.get_positive("residual_multiplier").value_or(1.0));
  s.attention_scale = static_cast<float>(config.get_positive("attention_multiplier").value_or(1.0));
  s.logit_scale = static_cast<float>(config.get_positive("logits_scaling").value_or(1.0));
  shape.own_keys.emplace_back("logit_scale", static_cast<double>(s.logit_scale));
}

}  // namespace tokencycle::model
