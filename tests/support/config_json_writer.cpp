// SPDX-License-Identifier: Apache-2.0
#include "support/config_json_writer.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/architectures/architectures.h"

namespace tokencycle::test {
namespace {

std::string config_name(const std::string& architecture) {
  for (const model::Architecture& row : model::architectures()) {
    if (row.name == architecture) return std::string(row.config_names.substr(0, row.config_names.find(',')));
  }
  return architecture;
}

std::uint32_t size_of(const SyntheticModel& spec, std::string_view key) {
  for (const auto& [name, value] : spec.sizes) {
    if (name == key) return value;
  }
  return 0;
}

float number_of(const SyntheticModel& spec, std::string_view key) {
  for (const auto& [name, value] : spec.numbers) {
    if (name == key) return value;
  }
  return 0;
}

// What the library of each family calls the same things.
void put_family(nlohmann::json& config, const SyntheticModel& spec) {
  const std::string& family = spec.architecture;
  if (family.starts_with("gemma")) config["hidden_act"] = "gelu_pytorch_tanh";
  if (const std::uint32_t window = size_of(spec, "attention.sliding_window"))
    config["sliding_window"] = window;
  if (family == "gemma2") {
    config["attn_logit_softcapping"] = number_of(spec, "attn_logit_softcapping");
    config["final_logit_softcapping"] = number_of(spec, "final_logit_softcapping");
  } else if (family == "gpt2") {
    config = {{"architectures", {"GPT2LMHeadModel"}},
              {"model_type", "gpt2"},
              {"n_embd", spec.width},
              {"n_layer", spec.layers},
              {"n_head", spec.heads},
              {"n_inner", spec.feed_forward},
              {"n_ctx", spec.context},
              {"n_positions", spec.context},
              {"vocab_size", spec.vocabulary},
              {"layer_norm_epsilon", 1e-5},
              {"activation_function", "gelu_new"},
              {"torch_dtype", "bfloat16"}};
  } else if (family == "gptneox") {
    config.erase("num_key_value_heads");
    config["hidden_act"] = "gelu";
    config["rotary_pct"] = 0.25;
    config["use_parallel_residual"] = spec.parallel;
  } else if (family == "stablelm") {
    config["partial_rotary_factor"] = 0.25;
    config["use_parallel_residual"] = spec.parallel;
    config["use_qkv_bias"] = spec.biases;
  } else if (family == "granite") {
    config["embedding_multiplier"] = number_of(spec, "embedding_scale");
    config["residual_multiplier"] = number_of(spec, "residual_scale");
    config["attention_multiplier"] = number_of(spec, "attention.scale");
    config["logits_scaling"] = number_of(spec, "logit_scale");
  } else if (family == "command-r") {
    config["logit_scale"] = number_of(spec, "logit_scale");
  } else if (family == "phi3") {
    config["partial_rotary_factor"] = 0.75;
    config["original_max_position_embeddings"] = size_of(spec, "rope.scaling.original_context_length");
    const std::vector<double> factors(spec.rope_dims / 2, 1.0);
    config["rope_scaling"] = {{"type", "longrope"}, {"short_factor", factors}, {"long_factor", factors}};
  } else if (family == "gemma4") {
    std::vector<std::string> types;
    for (const std::int32_t local : spec.local_layers)
      types.push_back(local != 0 ? "sliding_attention" : "full_attention");
    config["layer_types"] = types;
    config["global_head_dim"] = spec.head_dim;
    config["head_dim"] = size_of(spec, "attention.key_length_swa");
    config["num_kv_shared_layers"] = size_of(spec, "attention.shared_kv_layers");
    config["hidden_size_per_layer_input"] = size_of(spec, "embedding_length_per_layer_input");
    config["vocab_size_per_layer_input"] = spec.vocabulary;
    config["use_double_wide_mlp"] = !spec.layer_feed_forward.empty();
    config["attention_k_eq_v"] = spec.parallel;
    if (spec.parallel) {
      config["num_key_value_heads"] = spec.layer_kv_heads.front();
      config["num_global_key_value_heads"] = spec.layer_kv_heads.back();
    }
    if (spec.experts != 0) {
      config["enable_moe_block"] = true;
      config["top_k_experts"] = spec.experts_used;
      config["moe_intermediate_size"] = expert_width(spec);
      config.erase("num_experts_per_tok");
      config.erase("norm_topk_prob");
    }
    if (const float cap = number_of(spec, "final_logit_softcapping"); cap != 0)
      config["final_logit_softcapping"] = cap;
    config["rope_parameters"] = {
        {"full_attention",
         {{"rope_type", "proportional"}, {"partial_rotary_factor", 0.25}, {"rope_theta", spec.rope_base}}},
        {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}};
    config.erase("rope_theta");
    config.erase("rope_scaling");
  } else if (family.starts_with("qwen35")) {
    if (spec.experts != 0) {
      config["moe_intermediate_size"] = expert_width(spec);
      config["shared_expert_intermediate_size"] = size_of(spec, "expert_shared_feed_forward_length");
      config.erase("intermediate_size");
    }
    config["linear_conv_kernel_dim"] = size_of(spec, "ssm.conv_kernel");
    config["linear_key_head_dim"] = config["linear_value_head_dim"] = size_of(spec, "ssm.state_size");
    config["linear_num_key_heads"] = size_of(spec, "ssm.group_count");
    config["linear_num_value_heads"] = size_of(spec, "ssm.time_step_rank");
    if (const std::uint32_t period = size_of(spec, "full_attention_interval"))
      config["full_attention_interval"] = period;
    config["rope_parameters"] = {
        {"rope_type", "default"},
        {"rope_theta", spec.rope_base},
        {"mrope_interleaved", true},
        {"mrope_section", {spec.sections[0], spec.sections[1], spec.sections[2]}},
        {"partial_rotary_factor", static_cast<double>(spec.rope_dims) / spec.head_dim}};
    config.erase("rope_theta");
  } else if (family == "deepseek2") {
    const std::uint32_t rank = size_of(spec, "attention.kv_lora_rank");
    config["kv_lora_rank"] = rank;
    if (const std::uint32_t low = size_of(spec, "attention.q_lora_rank")) config["q_lora_rank"] = low;
    config["qk_rope_head_dim"] = spec.rope_dims;
    config["qk_nope_head_dim"] = size_of(spec, "attention.key_length_mla") - spec.rope_dims;
    config["v_head_dim"] = size_of(spec, "attention.value_length_mla");
    config["num_key_value_heads"] = spec.heads;
    config["n_routed_experts"] = spec.experts;
    config["moe_intermediate_size"] = expert_width(spec);
    config["n_shared_experts"] = size_of(spec, "expert_shared_count");
    config["first_k_dense_replace"] = size_of(spec, "leading_dense_block_count");
    config["n_group"] = std::max(size_of(spec, "expert_group_count"), 1u);
    config["topk_group"] = std::max(size_of(spec, "expert_group_used_count"), 1u);
    config["topk_method"] = spec.biases ? "noaux_tc" : "greedy";
    config["scoring_func"] = spec.biases ? "sigmoid" : "softmax";
    config["norm_topk_prob"] = spec.biases;
    const float scale = number_of(spec, "expert_weights_scale");
    config["routed_scaling_factor"] = scale == 0 ? 1.0f : scale;
    if (const float log = number_of(spec, "rope.scaling.yarn_log_multiplier"); log != 0)
      config["rope_scaling"]["mscale"] = config["rope_scaling"]["mscale_all_dim"] = log * 10;
    config.erase("num_experts");
  } else if (family.starts_with("lfm2")) {
    std::vector<std::string> types;
    for (const std::int32_t n : spec.layer_kv_heads) types.push_back(n == 0 ? "conv" : "full_attention");
    config["layer_types"] = types;
    config["num_key_value_heads"] = *std::max_element(spec.layer_kv_heads.begin(), spec.layer_kv_heads.end());
    config["conv_L_cache"] = size_of(spec, "shortconv.l_cache");
    if (spec.experts == 0) {
      config["block_ff_dim"] = spec.feed_forward * 3 / 2;
      config["block_multiple_of"] = 32;
    } else {
      config["moe_intermediate_size"] = expert_width(spec);
      config["num_dense_layers"] = size_of(spec, "leading_dense_block_count");
    }
    config["norm_eps"] = config["rms_norm_eps"];
    config.erase("rms_norm_eps");
  } else if (family == "llama" && spec.biases) {
    config["attention_bias"] = config["mlp_bias"] = true;
  } else if (family == "olmo2" && spec.layers > 4) {
    config["architectures"] = {"Olmo3ForCausalLM"};
  }
  if (family == "gptneox" || family == "stablelm" || family == "command-r") {
    config.erase("rms_norm_eps");
    config["layer_norm_eps"] = 1e-5;
  }
}

void put_scaling(nlohmann::json& config, const SyntheticModel& spec) {
  if (spec.rope_factors) {
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", 8.0},
                              {"low_freq_factor", 1.0},
                              {"high_freq_factor", 4.0},
                              {"original_max_position_embeddings", 64}};
  } else if (spec.rope_scale != 1.0f) {
    config["rope_scaling"] = {{"type", "linear"}, {"factor", spec.rope_scale}};
  } else if (spec.rope_scaling == "yarn") {
    config["rope_scaling"] = {
        {"rope_type", "yarn"},
        {"factor", number_of(spec, "rope.scaling.factor")},
        {"original_max_position_embeddings", size_of(spec, "rope.scaling.original_context_length")}};
  } else if (spec.rope_scaling == "longrope") {
    const std::vector<double> factors(spec.width / spec.heads / 2, 1.0);
    config["rope_scaling"] = {
        {"type", "longrope"},
        {"short_factor", factors},
        {"long_factor", factors},
        {"original_max_position_embeddings", size_of(spec, "rope.scaling.original_context_length")}};
  }
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
  if (spec.experts != 0) {
    const bool mixtral = spec.architecture == "llama", gpt_oss = spec.architecture == "gpt-oss";
    if (mixtral) config["architectures"] = {"MixtralForCausalLM"};
    config[mixtral || gpt_oss ? "num_local_experts" : "num_experts"] = spec.experts;
    config["num_experts_per_tok"] = spec.experts_used;
    if (!mixtral && !gpt_oss) config["norm_topk_prob"] = spec.architecture != "olmoe";
    if (spec.architecture == "qwen3moe") config["moe_intermediate_size"] = spec.feed_forward;
  }
  if (spec.head_dim != 0) config["head_dim"] = spec.head_dim;
  put_scaling(config, spec);
  put_family(config, spec);
  return config;
}

TemporaryFile write_config_json(const nlohmann::json& config) {
  const std::string text = config.dump(2);
  return TemporaryFile(std::as_bytes(std::span(text)), ".json");
}

}  // namespace tokencycle::test
