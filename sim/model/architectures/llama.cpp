// SPDX-License-Identifier: Apache-2.0
// Llama and Mistral. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_llama.py and configuration_mistral.py.
#include <fmt/format.h>

#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_llama(GraphBuilder& g, const Hyperparameters& shape) {
  build_decoder(g, shape, {});
}

void read_llama_config(const ConfigObject& config, Hyperparameters& shape) {
  for (const char* bias : {"attention_bias", "mlp_bias"}) {
    if (config.boolean(bias, false)) config.fail(bias, "biases are not supported; use a model without them");
  }
  // Absent, it is the number of heads for Llama, and another number for Mistral: there it must be given.
  const bool llama = config.texts("architectures")->front() == "LlamaForCausalLM";
  if (!llama) shape.kv_heads = config.size("num_key_value_heads", kMaxHeads);
}

}  // namespace tokencycle::model
