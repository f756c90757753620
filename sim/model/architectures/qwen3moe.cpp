// SPDX-License-Identifier: Apache-2.0
// Qwen 3 with experts in every layer. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_qwen3_moe.py; of what a converted file means: llama.cpp, src/models/qwen3moe.cpp.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_qwen3moe(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.head_norm = true});
}

void read_qwen3moe_config(const ConfigObject& config, ConfigShape& shape) {
  read_qwen3_config(config, shape);
  shape.size.experts = config.size(config.first_of({"num_experts", "num_local_experts"}), kMaxExperts);
  shape.size.experts_used = config.size("num_experts_per_tok", kMaxExperts);
  shape.size.feed_forward = config.size("moe_intermediate_size", kMaxFeedForward);
  if (config.get_size("decoder_sparse_step", kMaxLayers).value_or(1) != 1 ||
      !config.texts("mlp_only_layers").value_or(std::vector<std::string>{}).empty()) {
    config.fail("decoder_sparse_step",
                "layers without experts are not supported; use a model of 1 whose "
                "mlp_only_layers are none");
  }
  if (!config.boolean("norm_topk_prob", false)) {
    config.fail("norm_topk_prob",
                "supported is true: weights of the chosen experts that sum to 1; use such a "
                "model");
  }
}

}  // namespace tokencycle::model
