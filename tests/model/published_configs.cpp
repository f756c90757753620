// SPDX-License-Identifier: Apache-2.0
// Configurations as their families publish them, and as transformers 5 writes them: sizes that are known from
// the models' names, and keys that are read or refused.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/architecture.h"
#include "model/config_json.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using nlohmann::json;

namespace {

std::string outcome(const json& config) {
  try {
    const LlamaModel model(read_config_json(test::write_config_json(config).path()));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "accepted";
}

// Weights of the converted model, in billions.
double billions(const LlamaModel& model) {
  double count = 0;
  for (const GgufTensor& tensor : model.file().tensors()) {
    double values = 1;
    for (const std::uint64_t size : tensor.shape) values *= static_cast<double>(size);
    count += values;
  }
  return count / 1e9;
}

// The first small model of the family, as a config.json.
json small(const std::string& architecture, bool experts) {
  for (const test::SyntheticModel& spec : test::family_models()) {
    if (spec.architecture == architecture && (spec.experts != 0) == experts)
      return test::config_json_of(spec);
  }
  throw std::logic_error("no model of " + architecture);
}

}  // namespace

TEST_CASE("Qwen 3.5 and Gemma 4 E2B as their published configurations have them") {
  const auto qwen = json::parse(R"({
    "architectures": ["Qwen3_5ForConditionalGeneration"], "model_type": "qwen3_5", "image_token_id": 248056,
    "video_token_id": 248057, "vision_start_token_id": 248053, "vision_end_token_id": 248054,
    "tie_word_embeddings": true, "vision_config": {"depth": 12}, "text_config": {
      "model_type": "qwen3_5_text", "attn_output_gate": true, "dtype": "bfloat16", "full_attention_interval": 4,
      "head_dim": 256, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3584,
      "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16,
      "linear_num_value_heads": 16, "linear_value_head_dim": 128, "mamba_ssm_dtype": "float32",
      "max_position_embeddings": 262144, "mtp_num_hidden_layers": 1, "mtp_use_dedicated_embeddings": false,
      "num_attention_heads": 8, "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
      "tie_word_embeddings": true, "vocab_size": 248320, "rope_parameters": {"mrope_interleaved": true,
        "mrope_section": [11, 11, 10], "rope_type": "default", "rope_theta": 10000000,
        "partial_rotary_factor": 0.25}}})");
  const LlamaModel small(read_config_json(test::write_config_json(qwen).path()));
  CHECK(small.shape().rope_dims == 64);
  CHECK(small.shape().delta.heads == 16);
  CHECK(std::count(small.shape().recurrent_layers.begin(), small.shape().recurrent_layers.end(), true) == 18);

  json gemma = {{"architectures", {"Gemma4ForConditionalGeneration"}},
                {"model_type", "gemma4"},
                {"audio_config", {{"hidden_size", 1024}}},
                {"tie_word_embeddings", true},
                {"text_config",
                 {{"model_type", "gemma4_text"},
                  {"dtype", "bfloat16"},
                  {"attention_k_eq_v", false},
                  {"final_logit_softcapping", 30.0},
                  {"global_head_dim", 512},
                  {"head_dim", 256},
                  {"hidden_activation", "gelu_pytorch_tanh"},
                  {"hidden_size", 1536},
                  {"hidden_size_per_layer_input", 256},
                  {"intermediate_size", 6144},
                  {"num_attention_heads", 8},
                  {"num_global_key_value_heads", nullptr},
                  {"num_hidden_layers", 35},
                  {"num_key_value_heads", 1},
                  {"num_kv_shared_layers", 20},
                  {"sliding_window", 512},
                  {"use_double_wide_mlp", true},
                  {"vocab_size", 262144},
                  {"vocab_size_per_layer_input", 262144}}}};
  std::vector<std::string> types;
  for (int i = 0; i < 35; ++i) types.push_back(i % 5 == 4 ? "full_attention" : "sliding_attention");
  gemma["text_config"]["layer_types"] = types;
  const LlamaModel e2b(read_config_json(test::write_config_json(gemma).path()));
  CHECK(e2b.shape().head_dim_of(4) == 512);
  CHECK(e2b.shape().head_dim_of(3) == 256);
  CHECK(e2b.shape().feed_forward_of(14) == 6144);
  CHECK(e2b.shape().feed_forward_of(15) == 12288);
  CHECK(e2b.shape().cache_layer(15) == 13);
  CHECK(e2b.shape().cache_layer(19) == 14);
}

TEST_CASE("mixtures as their published configurations have them have the weights that their names say") {
  json lfm = json::parse(R"({
    "architectures": ["Lfm2MoeForCausalLM"], "model_type": "lfm2_moe", "conv_L_cache": 3, "conv_bias": false,
    "hidden_size": 2048, "intermediate_size": 7168, "max_position_embeddings": 128000,
    "moe_intermediate_size": 1792, "norm_eps": 1e-05, "norm_topk_prob": true, "num_attention_heads": 32,
    "num_dense_layers": 2, "num_experts": 32, "num_experts_per_tok": 4, "num_hidden_layers": 24,
    "num_key_value_heads": 8, "rope_theta": 1000000.0, "routed_scaling_factor": 1.0, "torch_dtype": "bfloat16",
    "use_expert_bias": true, "vocab_size": 65536})");
  for (int i = 0; i < 24; ++i)
    lfm["layer_types"].push_back((i % 4 == 2 && i != 22) || i == 21 ? "full_attention" : "conv");
  const LlamaModel a1b(read_config_json(test::write_config_json(lfm).path()));
  CHECK(billions(a1b) == Approx(8.34).margin(0.05));  // LFM2-8B-A1B
  CHECK(a1b.shape().sigmoid_router);

  const json qwen = json::parse(R"({
    "architectures": ["Qwen3_5MoeForConditionalGeneration"], "model_type": "qwen3_5_moe",
    "tie_word_embeddings": false, "vision_config": {"depth": 27}, "text_config": {
      "model_type": "qwen3_5_moe_text", "dtype": "bfloat16", "head_dim": 256, "hidden_act": "silu",
      "hidden_size": 2048, "num_attention_heads": 16, "num_hidden_layers": 40, "num_key_value_heads": 2,
      "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512, "num_experts": 256,
      "num_experts_per_tok": 8, "rms_norm_eps": 1e-06, "vocab_size": 248320, "router_aux_loss_coef": 0.001,
      "max_position_embeddings": 262144, "rope_parameters": {"mrope_interleaved": true,
        "mrope_section": [11, 11, 10], "rope_type": "default", "rope_theta": 10000000,
        "partial_rotary_factor": 0.25}}})");
  const LlamaModel a3b(read_config_json(test::write_config_json(qwen).path()));
  CHECK(billions(a3b) == Approx(35).margin(0.5));  // Qwen3.5-35B-A3B
  CHECK(a3b.shape().recurrent(38));
  CHECK(!a3b.shape().recurrent(39));

  const json gemma = json::parse(R"({
    "architectures": ["Gemma4ForConditionalGeneration"], "model_type": "gemma4", "text_config": {
      "model_type": "gemma4_text", "dtype": "bfloat16", "hidden_size": 2816, "intermediate_size": 2112,
      "enable_moe_block": true, "moe_intermediate_size": 704, "num_experts": 128, "top_k_experts": 8,
      "num_hidden_layers": 30, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256,
      "global_head_dim": 512, "num_global_key_value_heads": 2, "attention_k_eq_v": true, "sliding_window": 1024,
      "hidden_size_per_layer_input": 0, "final_logit_softcapping": 30.0, "vocab_size": 262144}})");
  const LlamaModel a4b(read_config_json(test::write_config_json(gemma).path()));
  CHECK(billions(a4b) == Approx(25.5).margin(0.5));  // Gemma 4 26B A4B
  CHECK(a4b.shape().feed_forward_of(0) == 2112);

  json deepseek = json::parse(R"({
    "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "hidden_size": 5120,
    "intermediate_size": 12288, "moe_intermediate_size": 1536, "num_hidden_layers": 60,
    "num_attention_heads": 128, "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 160,
    "n_shared_experts": 2, "num_experts_per_tok": 6, "n_group": 8, "topk_group": 3,
    "topk_method": "group_limited_greedy", "scoring_func": "softmax", "norm_topk_prob": false,
    "routed_scaling_factor": 16.0, "first_k_dense_replace": 1, "moe_layer_freq": 1, "rms_norm_eps": 1e-06,
    "hidden_act": "silu", "vocab_size": 102400, "max_position_embeddings": 163840, "rope_theta": 10000,
    "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0,
      "original_max_position_embeddings": 4096, "type": "yarn"}, "torch_dtype": "bfloat16"})");
  const LlamaModel v2(read_config_json(test::write_config_json(deepseek).path()));
  CHECK(billions(v2) == Approx(236).margin(0.5));  // DeepSeek-V2
  CHECK(v2.shape().expert_groups == 8);
  CHECK(v2.shape().expert_groups_used == 3);
  deepseek["n_group"] = 7;
  CHECK_THAT(outcome(deepseek), Contains("/n_group is 7"));
  deepseek["topk_method"] = "best";
  deepseek["n_group"] = 8;
  CHECK_THAT(outcome(deepseek), Contains("topk_method is \"best\""));
}

TEST_CASE("what transformers 5 writes beside older keys or instead of them is read or refused") {
  json qwen = small("qwen3moe", true);
  qwen["num_local_experts"] = qwen["num_experts"];
  qwen.erase("num_experts");
  CHECK(outcome(qwen) == "accepted");

  const auto with = [](json config, const std::string& key, const json& value) {
    config[key] = value;
    return outcome(config);
  };
  const json oss = small("gpt-oss", true), deepseek = small("deepseek2", true), phi = small("phi3", false);
  CHECK(with(oss, "swiglu_alpha", 1.702) == "accepted");
  CHECK_THAT(with(oss, "swiglu_alpha", 1.5), Contains("/swiglu_alpha is 1.5"));
  CHECK(with(deepseek, "rope_interleave", true) == "accepted");
  CHECK_THAT(with(deepseek, "rope_interleave", false), Contains("/rope_interleave is false"));
  CHECK(with(phi, "num_beams", 1) == "accepted");
  CHECK(with(phi, "rope_scaling", nullptr) == "accepted");  // with original_max_position_embeddings
}

TEST_CASE("heads of Gemma 4's wide layers in per_layer_config, as transformers 5 writes them") {
  json config = small("gemma4", true);  // layers 0 and 1 with a window, 2 without
  const std::uint32_t dim = config["global_head_dim"];
  config.erase("global_head_dim");
  const auto with = [&](const json& layers) {
    config["per_layer_config"] = layers;
    return outcome(config);
  };
  CHECK(with({{"02", {{"head_dim", dim}}}}) == "accepted");
  const LlamaModel model(read_config_json(test::write_config_json(config).path()));
  CHECK(model.shape().head_dim_of(2) == dim);
  CHECK(model.shape().head_dim_of(1) == 32);
  CHECK(with({{"2", {{"head_dim", dim}, {"num_key_value_heads", 2}}}}) == "accepted");
  CHECK_THAT(with({{"01", {{"head_dim", dim}}}}), Contains("/per_layer_config"));
  CHECK_THAT(with({{"02", {{"head_dim", dim}, {"hidden_size", 8}}}}),
             Contains("/per_layer_config/02/hidden_size is 8"));
  CHECK_THAT(with({{"2", {{"head_dim", dim}}}, {"3", {{"head_dim", dim}}}}), Contains("/per_layer_config/3"));
}
