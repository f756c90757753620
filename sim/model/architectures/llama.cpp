// SPDX-License-Identifier: Apache-2.0
// Llama, Mistral and Mixtral. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_llama.py, configuration_mistral.py and configuration_mixtral.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_llama(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.other_bias = Bias::where_present});
}

void read_llama_file(const Metadata& m, Hyperparameters& shape) {
  read_window(m, shape, 0);  // of Mistral's first version: in all layers
}

void read_llama_config(const ConfigObject& config, ConfigShape& shape) {
  shape.biases.qkv = shape.biases.output = config.boolean("attention_bias", false);
  shape.biases.feed_forward = config.boolean("mlp_bias", false);
  // Absent, it is the number of heads for Llama, and another number for Mistral: there it must be given.
  const bool mixtral = shape.is("MixtralForCausalLM", "mixtral");
  if (mixtral) {
    shape.size.experts = config.size("num_local_experts", kMaxExperts);
    shape.size.experts_used = config.size("num_experts_per_tok", kMaxExperts);
  }
  if (!mixtral && !shape.is("MistralForCausalLM", "mistral")) return;
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);
  read_config_window(config, shape, 0);
}

}  // namespace tokencycle::model
