// SPDX-License-Identifier: Apache-2.0
// Qwen 3: llama with a norm of each head of queries and keys before it is rotated. Source of the
// config.json's keys: github.com/huggingface/transformers, configuration_qwen3.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_qwen3(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.head_norm = true});
}

void read_qwen3_config(const ConfigObject& config, ConfigShape& shape) {
  if (config.boolean("attention_bias", false)) {
    config.fail("attention_bias", "biases are not supported; use a model without them");
  }
  constexpr std::uint32_t kUsualHead = 128;  // where the file gives none
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);
  shape.size.head_dim = config.get_size("head_dim", kMaxHeadDim).value_or(kUsualHead);
  read_qwen_window(config, shape);
}

}  // namespace tokencycle::model
