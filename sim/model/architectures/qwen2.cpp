// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5: llama with biases on queries, keys and values. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_qwen2.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_qwen2(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.qkv_bias = Bias::always});
}

void read_qwen_file(const Metadata& m, Hyperparameters& shape) {
  read_window(m, shape, 0);
}

void read_qwen2_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);  // its default is another than llama's
  read_qwen_window(config, shape);
}

}  // namespace tokencycle::model
