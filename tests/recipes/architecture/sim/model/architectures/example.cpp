// SPDX-License-Identifier: Apache-2.0
// Example of an architecture: llama with biases on queries, keys and values, and a norm of each head.
#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_example(GraphBuilder& g, const Hyperparameters& shape) {
  build_decoder(g, shape, {.qkv_bias = true, .head_norm = true});
}

void read_example_config(const ConfigObject& config, Hyperparameters& shape) {
  shape.kv_heads = config.size("num_key_value_heads", kMaxHeads);
}

}  // namespace tokencycle::model
