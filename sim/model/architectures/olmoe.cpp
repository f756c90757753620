// SPDX-License-Identifier: Apache-2.0
// OLMoE: experts in every layer, whose weights stay as the softmax over all of them gave them, and a norm of
// whole rows of queries and keys. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_olmoe.py; of what a converted file means: llama.cpp, src/models/olmoe.cpp.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_olmoe(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.row_norm = true, .renormalized = false});
}

void read_olmoe_config(const ConfigObject& config, ConfigShape& shape) {
  shape.size.experts = config.size("num_experts", kMaxExperts);
  shape.size.experts_used = config.size("num_experts_per_tok", kMaxExperts);
  for (const char* key : {"attention_bias", "norm_topk_prob"}) {
    if (config.boolean(key, false)) config.fail(key, "supported is false; use such a model");
  }
  if (config.has("clip_qkv")) config.fail("clip_qkv", "supported is null; use a model without it");
}

}  // namespace tokencycle::model
