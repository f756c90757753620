// SPDX-License-Identifier: Apache-2.0
// DeepSeek 2 and 3: latent attention, whose cache is one row for all heads, from which keys and values are
// made by matrices on the queries' and on the results' side; leading layers without experts; experts that
// every token has. Source of the config.json's keys: github.com/huggingface/transformers,
// configuration_deepseek_v2.py and configuration_deepseek_v3.py; of what a converted file means: llama.cpp,
// src/models/deepseek2.cpp.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

ValueId latent_attention(GraphBuilder& g, Decoder& d, const Hyperparameters& s, ValueId h) {
  const Hyperparameters::Latent& latent = s.latent;
  const std::uint32_t rotated = s.rope_dims, head = latent.plain + rotated;
  ValueId q = kNoValue;
  if (latent.query_rank != 0) {
    const ValueId low = d.norm("attn_q_a_norm", g.linear("attn_q_a", h, latent.query_rank));
    q = g.linear("attn_q_b", low, s.heads * head);
  } else {
    q = g.linear("attn_q", h, s.heads * head);
  }
  const ValueId kv = g.linear("attn_kv_a_mqa", h, s.head_dim);
  const ValueId row = d.norm("attn_kv_a_norm", g.columns("kv_plain", kv, {s.head_dim, 0, latent.rank}));
  const ValueId key =
      d.rotate("rope_k", g.columns("k_rotated", kv, {s.head_dim, latent.rank, rotated}), rotated);
  g.append("cache_latent", g.join("kv_row", row, key, 1), d.latent_cache());

  const ValueId plain = g.columns("q_plain", q, {head, 0, latent.plain});
  const ValueId turned =
      d.rotate("rope_q", g.columns("q_rotated", q, {head, latent.plain, rotated}), rotated);
  const ValueId queries =
      g.join("q_rows", g.part_linear("attn_k_b", plain, s.heads, latent.rank), turned, s.heads);
  const AttentionShape shape{s.heads, 1, s.head_dim, s.attention_scale, 0, 0, latent.rank};
  const ValueId o = g.attention("attention", queries, d.latent_cache(), d.latent_cache(), shape);
  return g.linear("attn_output", g.part_linear("attn_v_b", o, s.heads, latent.value), s.width);
}

}  // namespace

void build_deepseek2(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    x = d.add("attn_residual", latent_attention(g, d, s, d.norm("attn_norm", x)), x);
    const ValueId h = d.norm("ffn_norm", x);
    ValueId f = kNoValue;
    if (i < s.leading_dense) {
      f = d.gated(h, MapFunction::silu);
    } else {
      f = d.experts(h, s.experts_normalized, Bias::where_present);
      f = d.add("ffn_experts", d.shared_expert(h), f);
    }
    x = d.add("ffn_residual", f, x);
  }
  d.finish(x);
}

namespace {

// As the engine of these files has it: the multiplier is a tenth of the configuration's mscale_all_dim; with
// one, cos and sin have no magnitude of their own; the scores' scale has its square.
void set_scales(const Metadata& m, Hyperparameters& s) {
  const double multiplier = m.get_positive("rope.scaling.yarn_log_multiplier", true).value_or(0.0);
  const bool yarn = s.rope_scaling == RopeScaling::yarn;
  if (!yarn && s.rope_scale != 1.0) {
    m.file.fail(
        fmt::format("key '{}rope.scaling.type' names none with a factor of {} but 'yarn' in this "
                    "architecture; use such a model",
                    m.prefix, s.rope_scale));
  }
  const double log = yarn ? std::log(s.rope_scale) : 0.0, usual = s.rope_scale > 1.0 ? 1.0 + 0.1 * log : 1.0;
  double magnitude = s.rope_magnitude * (multiplier == 0.0 ? usual : 1.0) * (1.0 + multiplier * log);
  if (multiplier != 0.0) s.rope_magnitude /= usual;
  s.attention_scale = static_cast<float>(magnitude * magnitude /
                                         std::sqrt(static_cast<double>(s.latent.plain + s.rope_dims)));
}

// A group of experts is chosen by its two best, so each has two at least; the chosen ones hold as many as a
// token has.
bool are_groups(const Hyperparameters& s) {
  if (s.expert_groups == 1) return true;
  return s.experts % s.expert_groups == 0 && s.experts / s.expert_groups > 1 &&
         s.expert_groups_used <= s.expert_groups &&
         s.experts / s.expert_groups * s.expert_groups_used >= s.experts_used;
}

void read_groups(const Metadata& m, Hyperparameters& s) {
  const std::string key = m.key_of("expert_group_count");
  const std::uint64_t count = m.file.get_unsigned(key).value_or(0);
  if (count <= 1) {
    m.key_of("expert_group_used_count");
    return;
  }
  s.expert_groups = m.require_size("expert_group_count", kMaxExperts);
  s.expert_groups_used = m.require_size("expert_group_used_count", kMaxExperts);
  if (are_groups(s)) return;
  m.file.fail(fmt::format(
      "key '{}' is {}: {} experts make no such groups of two and more of which {} hold the {} that a "
      "token has; convert the model again",
      key, count, s.experts, s.expert_groups_used, s.experts_used));
}

}  // namespace

void read_deepseek2_file(const Metadata& m, Hyperparameters& s) {
  set_scales(m, s);
  s.latent.query_rank = m.get_size("attention.q_lora_rank", kMaxWidth).value_or(0);
  if (s.experts == 0) {
    s.leading_dense = s.layers;
    s.dense_feed_forward = s.feed_forward;
    for (const char* key : {"leading_dense_block_count", "expert_feed_forward_length", "expert_shared_count",
                            "expert_weights_scale", "expert_weights_norm", "expert_gating_func",
                            "expert_group_count", "expert_group_used_count"})
      m.key_of(key);  // of layers that are not there
    return;
  }
  read_leading_dense(m, s);
  m.require_size("expert_feed_forward_length", kMaxFeedForward);
  const std::uint64_t shared =
      std::uint64_t{m.require_size("expert_shared_count", kMaxExperts)} * s.feed_forward;
  m.check_range("expert_shared_count * expert_feed_forward_length", shared, kMaxFeedForward);
  s.shared_feed_forward = static_cast<std::uint32_t>(shared);
  s.experts_scale = static_cast<float>(m.get_positive("expert_weights_scale", true).value_or(1.0));
  s.experts_normalized = m.boolean("expert_weights_norm", false);
  read_groups(m, s);
}

void read_deepseek2_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  const bool third = shape.is("DeepseekV3ForCausalLM", "deepseek_v3");
  refuse_config_biases(config, {"attention_bias", "mlp_bias"});
  s.latent.rank = config.size("kv_lora_rank", kMaxHeadDim);
  s.latent.query_rank = config.get_size("q_lora_rank", kMaxWidth).value_or(0);
  s.latent.plain = config.size("qk_nope_head_dim", kMaxHeadDim);
  s.latent.value = config.size("v_head_dim", kMaxHeadDim);
  const std::uint32_t rotated = config.size("qk_rope_head_dim", kMaxHeadDim);
  config.get_size("qk_head_dim", kMaxHeadDim);
  s.head_dim = s.latent.rank + rotated;
  s.kv_heads = 1;
  shape.rotated_of_head = rotated;
  const auto put = [&](const char* key, std::uint32_t value) {
    shape.own_keys.emplace_back(key, std::uint64_t{value});
  };
  put("attention.kv_lora_rank", s.latent.rank);
  if (s.latent.query_rank != 0) put("attention.q_lora_rank", s.latent.query_rank);
  put("attention.key_length_mla", s.latent.plain + rotated);
  put("attention.value_length_mla", s.latent.value);

  s.dense_feed_forward = s.feed_forward;
  const auto experts = config.get_size("n_routed_experts", kMaxExperts);
  config.has("ep_size");
  config.has("aux_loss_alpha");
  config.has("seq_aux");
  config.get_count("num_nextn_predict_layers", kMaxLayers);  // no part of the model
  if (!config.boolean("rope_interleave", true)) {
    config.fail("rope_interleave", "supported is true: pairs that lie side by side; use such a model");
  }
  if (!experts) {
    s.leading_dense = s.layers;
    return;
  }
  s.experts = *experts;
  s.experts_used = config.size("num_experts_per_tok", kMaxExperts);
  s.feed_forward = config.size("moe_intermediate_size", kMaxFeedForward);
  const std::uint32_t shared = config.size("n_shared_experts", kMaxExperts);
  s.shared_feed_forward = shared * s.feed_forward;
  s.leading_dense = std::min(config.get_count("first_k_dense_replace", kMaxLayers).value_or(0), s.layers);
  if (config.get_size("moe_layer_freq", kMaxLayers).value_or(1) != 1) {
    config.fail("moe_layer_freq",
                "supported is 1: experts in every layer behind the first; use such a model");
  }
  s.expert_groups = config.get_size("n_group", kMaxExperts).value_or(third ? 8 : 1);
  s.expert_groups_used = config.get_size("topk_group", kMaxExperts).value_or(third ? 4 : 1);
  if (!are_groups(s)) {
    config.fail("n_group",
                "allowed are divisors of the experts that leave two in a group, topk_group of which "
                "hold those that a token has; fix the file");
  }
  // Files have the groups whatever the method, and the engine chooses all in one way: by their two best.
  const std::string method = config.text("topk_method").value_or(third ? "noaux_tc" : "greedy");
  if (method != "greedy" && method != "noaux_tc" && method != "group_limited_greedy") {
    config.fail("topk_method", "supported are greedy, group_limited_greedy and noaux_tc; use such a model");
  }
  shape.biases.router = method == "noaux_tc";
  const std::string scores = config.text("scoring_func").value_or(third ? "sigmoid" : "softmax");
  if (scores != "softmax" && scores != "sigmoid") {
    config.fail("scoring_func", "supported are softmax and sigmoid; use such a model");
  }
  s.sigmoid_router = scores == "sigmoid";
  s.experts_normalized = config.boolean("norm_topk_prob", third);
  s.experts_scale =
      static_cast<float>(config.get_positive("routed_scaling_factor").value_or(third ? 2.5 : 1.0));
  put("leading_dense_block_count", s.leading_dense);
  put("expert_shared_count", shared);
  if (s.expert_groups > 1) {
    put("expert_group_count", s.expert_groups);
    put("expert_group_used_count", s.expert_groups_used);
  }
  put("expert_gating_func", s.sigmoid_router ? 2 : 1);
  shape.own_keys.emplace_back("expert_weights_norm", s.experts_normalized);
  shape.own_keys.emplace_back("expert_weights_scale", static_cast<double>(s.experts_scale));
}

}  // namespace tokencycle::model
