// SPDX-License-Identifier: Apache-2.0
// Example of an architecture: llama with biases on queries, keys and values, and a norm of each head.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_example(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.qkv_bias = Bias::always, .head_norm = true});
}

void read_example_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);
}

}  // namespace tokencycle::model
