// SPDX-License-Identifier: Apache-2.0
// Phi 3 and 4: one tensor for queries, keys and values, one for gate and up; longrope. Source of the
// config.json's keys: github.com/huggingface/transformers, configuration_phi3.py.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_phi3(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.fused = true});
}

void read_phi3_file(const Metadata& m, Hyperparameters& shape) {
  // Converters write a window that the model does not have, and no type of scaling beside the factors.
  m.key_of("attention.sliding_window");
  if (m.file.find_tensor("rope_factors_long.weight") != nullptr) shape.rope_scaling = RopeScaling::longrope;
}

void read_phi3_config(const ConfigObject& config, ConfigShape&) {
  refuse_config_biases(config, {"attention_bias"});
  config.get_size("sliding_window", kMaxContext);                    // as in a file
  config.get_size("original_max_position_embeddings", kMaxContext);  // of effect with longrope alone
  refuse_config_biases(config, {"lm_head_bias", "mlp_bias"});
  constexpr std::uint32_t kEvery = 1;
  if (config.get_size("full_attn_mod", kMaxLayers).value_or(kEvery) != kEvery) {
    config.fail("full_attn_mod", "supported is 1: attention without gaps in every layer; use such a model");
  }
}

void set_phi3_defaults(ConfigShape& shape) {
  shape.partly_rotated = true;
}

}  // namespace tokencycle::model
