// SPDX-License-Identifier: Apache-2.0
// gpt-oss: attention with a sink for each head, a window in every other layer, and experts with biases, whose
// weights are the softmax of the chosen ones' scores. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_gpt_oss.py; of what a converted file means: llama.cpp,
// src/models/openai-moe.cpp.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kGptOssPeriod = 2;  // of the layers without a window
constexpr float kLimit = 7.0f, kSlope = 1.702f;

// g * sigmoid(slope * g) * (u + 1), g at most the limit, u within it on both sides.
ValueId activate(GraphBuilder& g, ValueId gate, ValueId up) {
  gate = g.map("ffn_gate_limited", MapFunction::minimum, gate, kLimit);
  gate = g.map("ffn_gate_steep", MapFunction::scale, gate, kSlope);
  gate =
      g.map("ffn_gate_flat", MapFunction::scale, g.map("ffn_silu", MapFunction::silu, gate), 1.0f / kSlope);
  up = g.map("ffn_up_below", MapFunction::minimum, up, kLimit);
  up = g.map("ffn_up_limited", MapFunction::maximum, up, -kLimit);
  return g.zip("ffn_act", ZipFunction::mul, gate, g.map("ffn_up_plus_one", MapFunction::add, up, 1.0f));
}

ValueId biased_experts(GraphBuilder& g, const Hyperparameters& s, ValueId h) {
  const ValueId scores = g.linear("ffn_gate_inp", h, s.experts, Bias::always);
  const ValueId chosen = g.top_k("ffn_chosen", scores, s.experts_used);
  const ValueId weights = g.softmax("ffn_weights", g.take("ffn_scores", scores, chosen));
  const auto linear = [&](std::string_view name, ValueId x, std::uint32_t rows, bool parts) {
    return g.expert_linear(name, x, chosen, s.experts, rows, parts, Bias::always);
  };
  const ValueId gate = linear("ffn_gate_exps", h, s.feed_forward, false);
  const ValueId up = linear("ffn_up_exps", h, s.feed_forward, false);
  return g.weighted_sum("ffn_sum", linear("ffn_down_exps", activate(g, gate, up), s.width, true), weights);
}

}  // namespace

void build_gptoss(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const Decoder::Projections p = d.project(d.norm("attn_norm", x));
    x = d.add("attn_residual", d.attend(p, Bias::always, kNoValue, "attn_sinks"), x);
    x = d.add("ffn_residual", biased_experts(g, s, d.norm("post_attention_norm", x)), x);
  }
  d.finish(x);
}

void read_gptoss_file(const Metadata& m, Hyperparameters& s) {
  m.require_size("attention.sliding_window", kMaxContext);
  read_window(m, s, kGptOssPeriod);
  if (s.rope_dims != s.head_dim) {
    m.file.fail(
        fmt::format("key 'gpt-oss.rope.dimension_count' is {}, but heads of {} are rotated whole; convert "
                    "the model again",
                    s.rope_dims, s.head_dim));
  }
  const double local = m.get_positive("rope.freq_base_swa").value_or(s.rope_base);
  if (local == s.rope_base) return;
  m.file.fail(fmt::format(
      "key 'gpt-oss.rope.freq_base_swa' is {}: another base in the layers with a window than {} is "
      "not supported in this architecture; use a model of one base",
      local, s.rope_base));
}

void read_gptoss_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  const auto experts = config.get_size("num_local_experts", kMaxExperts);
  const auto used = config.get_size("num_experts_per_tok", kMaxExperts),
             older = config.get_size("experts_per_token", kMaxExperts);
  s.experts = experts.value_or(128);
  s.experts_used = used ? *used : older.value_or(4);
  if (used && older && *used != *older) {
    config.fail("experts_per_token", fmt::format("num_experts_per_tok is {}; fix the file", *used));
  }
  if (!config.boolean("attention_bias", true)) {
    config.fail("attention_bias", "supported is true in this family; use such a model");
  }
  shape.biases.qkv = shape.biases.output = true;
  if (config.get_positive("swiglu_limit").value_or(double{kLimit}) != double{kLimit}) {
    config.fail("swiglu_limit", "supported is 7; use such a model");
  }
  if (static_cast<float>(config.get_positive("swiglu_alpha").value_or(double{kSlope})) != kSlope) {
    config.fail("swiglu_alpha", "supported is 1.702; use such a model");
  }
  config.get_size("initial_context_length", kMaxContext);  // rope_scaling says it, too
  constexpr std::uint32_t kWindow = 128;
  read_config_window(config, shape, kGptOssPeriod, kWindow);
}

// As GptOssConfig has them.
void set_gptoss_defaults(ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  s.layers = 36, s.width = 2880, s.feed_forward = 2880, s.vocabulary = 201088, s.context = 131072;
  s.heads = 64, s.kv_heads = 8, s.head_dim = 64, s.norm_epsilon = 1e-5f;
  shape.rope_base_by_default = 150000.0;
}

}  // namespace tokencycle::model
