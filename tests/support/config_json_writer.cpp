// SPDX-License-Identifier: Apache-2.0
#include "support/config_json_writer.h"

#include <span>
#include <string>

namespace tokencycle::test {
namespace {

const char* config_name(const std::string& architecture) {
  if (architecture == "qwen2") return "Qwen2ForCausalLM";
  return architecture == "qwen3" ? "Qwen3ForCausalLM" : "LlamaForCausalLM";
}

}  // namespace

nlohmann::json config_json_of(const SyntheticModel& spec) {
  nlohmann::json config = {{"architectures", {config_name(spec.architecture)}},
                           {"model_type", spec.architecture},
                           {"hidden_act", "silu"},
                           {"hidden_size", spec.width},
                           {"intermediate_size", spec.feed_forward},
                           {"num_hidden_layers", spec.layers},
                           {"num_attention_heads", spec.heads},
                           {"num_key_value_heads", spec.kv_heads},
                           {"vocab_size", spec.vocabulary},
                           {"max_position_embeddings", spec.context},
                           {"rms_norm_eps", 1e-5},
                           {"rope_theta", spec.rope_base},
                           {"tie_word_embeddings", spec.tied},
                           {"torch_dtype", "bfloat16"}};
  if (spec.head_dim != 0) config["head_dim"] = spec.head_dim;
  if (spec.rope_scale != 1.0f) config["rope_scaling"] = {{"type", "linear"}, {"factor", spec.rope_scale}};
  return config;
}

TemporaryFile write_config_json(const nlohmann::json& config) {
  const std::string text = config.dump(2);
  return TemporaryFile(std::as_bytes(std::span(text)), ".json");
}

}  // namespace tokencycle::test
