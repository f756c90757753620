// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5: llama with biases on queries, keys and values. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_qwen2.py.
#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_qwen2(GraphBuilder& g, const Hyperparameters& shape) {
  build_decoder(g, shape, {.qkv_bias = true});
}

void read_qwen2_config(const ConfigObject& config, Hyperparameters& shape) {
  shape.kv_heads = config.size("num_key_value_heads", kMaxHeads);  // its default is another one than llama's
}

}  // namespace tokencycle::model
