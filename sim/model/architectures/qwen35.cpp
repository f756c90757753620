// SPDX-License-Identifier: Apache-2.0
// Qwen 3.5: layers of linear attention by the gated delta rule beside layers of attention whose result has a
// gate. With experts: in every layer, beside one that all tokens have, as far as a gate of each token lets
// it. Source of the config.json's keys: github.com/huggingface/transformers, configuration_qwen3_5.py and
// configuration_qwen3_5_moe.py; of what a converted file means: llama.cpp, src/models/qwen35.cpp and
// qwen35moe.cpp.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kQwen35Period = 4;  // of the layers of attention, where nothing else is said

// Queries or keys of length `length` in each head.
ValueId unit_heads(GraphBuilder& g, const std::string& name, ValueId x, const Hyperparameters& s,
                   float length) {
  const std::uint32_t dim = s.delta.dim;
  const NormShape norm{NormKind::rms, dim, s.norm_epsilon / static_cast<float>(dim)};
  const float scale = length / std::sqrt(static_cast<float>(dim));
  return g.map(name + "_unit", MapFunction::scale, g.plain_norm(name + "_norm", x, norm), scale);
}

ValueId linear_attention(GraphBuilder& g, Decoder& d, const Hyperparameters& s, ValueId h) {
  const DeltaShape& delta = s.delta;
  const std::uint32_t keys = delta.key_heads * delta.dim, values = delta.heads * delta.dim;
  const std::uint32_t all = 2 * keys + values;
  const ValueId rows = g.recurrent_state("ssm_conv_rows", s.taps - 1, all);
  const ValueId state = g.recurrent_state("ssm_state", delta.heads * delta.dim, delta.dim);

  ValueId x = g.convolution("ssm_conv1d", g.linear("attn_qkv", h, all), rows, s.taps);
  x = g.map("ssm_conv_silu", MapFunction::silu, x);
  const ValueId z = g.linear("attn_gate", h, values);
  const ValueId beta = g.map("ssm_beta_sigmoid", MapFunction::sigmoid, g.linear("ssm_beta", h, delta.heads));
  ValueId decay = g.linear("ssm_alpha", h, delta.heads);
  decay = g.zip_row("ssm_alpha_biased", ZipFunction::add, decay, "ssm_dt.bias", delta.heads);
  decay = g.map("ssm_alpha_softplus", MapFunction::softplus, decay);
  decay = g.zip_row("ssm_log_decay", ZipFunction::mul, decay, "ssm_a", delta.heads);
  decay = g.map("ssm_decay", MapFunction::exp, decay);

  const ValueId q = g.columns("ssm_q", x, {all, 0, keys}), k = g.columns("ssm_k", x, {all, keys, keys});
  const ValueId v = g.columns("ssm_v", x, {all, 2 * keys, values});
  const float scale = 1.0f / std::sqrt(static_cast<float>(delta.dim));
  const ValueId o = g.delta_rule(
      "ssm_delta",
      {unit_heads(g, "ssm_q", q, s, scale), unit_heads(g, "ssm_k", k, s, 1.0f), v, decay, beta, state},
      delta);
  const ValueId gate = g.map("ssm_gate_silu", MapFunction::silu, z);
  const ValueId gated = g.zip("ssm_gated", ZipFunction::mul, d.norm("ssm_norm", o, delta.dim), gate);
  return g.linear("ssm_out", gated, s.width);
}

// The gate of each head lies behind its query.
ValueId gated_attention(GraphBuilder& g, Decoder& d, const Hyperparameters& s, std::uint32_t layer,
                        ValueId h) {
  const std::uint32_t head = s.head_dim;
  const ValueId both = g.linear("attn_q", h, 2 * s.query_width(layer));
  Decoder::Projections p;
  p.q = d.norm("attn_q_norm", g.columns("attn_query", both, {2 * head, 0, head}), head);
  const ValueId gate = g.map("attn_gate_sigmoid", MapFunction::sigmoid,
                             g.columns("attn_q_gate", both, {2 * head, head, head}));
  p.k = d.norm("attn_k_norm", g.linear("attn_k", h, s.kv_width(layer)), head);
  p.v = g.linear("attn_v", h, s.kv_width(layer));
  return d.attend(p, Bias::none, gate);
}

ValueId qwen35_feed_forward(GraphBuilder& g, Decoder& d, const Hyperparameters& s, ValueId h) {
  if (s.experts == 0) return d.gated(h, MapFunction::silu);
  const ValueId routed = d.experts(h, true), shared = d.shared_expert(h);
  const std::string_view gate = "ffn_gate_inp_shexp";
  const ValueId share =
      g.map("ffn_share_shexp", MapFunction::sigmoid, g.linear(gate, h, g.matrix(gate, 1, s.width)));
  return d.add("ffn_experts", routed, g.scale_parts("ffn_gated_shexp", shared, share));
}

}  // namespace

void build_qwen35(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const ValueId h = d.norm("attn_norm", x);
    x = d.add("mixer_residual",
              s.recurrent(i) ? linear_attention(g, d, s, h) : gated_attention(g, d, s, i, h), x);
    x = d.add("ffn_residual", qwen35_feed_forward(g, d, s, d.norm("post_attention_norm", x)), x);
  }
  d.finish(x);
}

namespace {

// Text has one position for all of the kinds that the sections interleave; a pair of no section would not
// turn.
void check_sections(const Metadata& m, const Hyperparameters& s) {
  const std::string key = m.key_of("rope.dimension_sections");
  const GgufArray* array = m.file.get_array(key);
  if (array == nullptr)
    m.file.fail(fmt::format("key '{}' (an array of 4) is missing; convert the model again", key));
  std::vector<std::uint64_t> sections = array->unsigned_values;
  for (const std::int64_t v : array->signed_values)
    sections.push_back(v < 0 ? kMaxHeadDim : static_cast<std::uint64_t>(v));
  std::uint64_t sum = 0;
  for (const std::uint64_t n : sections) sum += std::min<std::uint64_t>(n, kMaxHeadDim);
  bool whole = (sections.size() == 3 || sections.size() == 4) && sum != 0;
  for (std::uint32_t pair = 0; whole && pair < s.rope_dims / 2; ++pair) {
    const std::uint64_t at = pair % sum;
    whole = at < 3 * sections[at % 3];
  }
  if (whole) return;
  m.file.fail(fmt::format(
      "key '{}' leaves pairs of a head without a position of the text, which is not supported; use "
      "a model whose first three sections interleave over all pairs, as 11, 11, 10, 0",
      key));
}

}  // namespace

void read_qwen35_file(const Metadata& m, Hyperparameters& s) {
  check_sections(m, s);
  s.taps = m.require_size("ssm.conv_kernel", kMaxTaps);
  s.delta.dim = m.require_size("ssm.state_size", kMaxHeadDim);
  s.delta.key_heads = m.require_size("ssm.group_count", kMaxHeads);
  s.delta.heads = m.require_size("ssm.time_step_rank", kMaxHeads);
  const std::uint32_t inner = m.require_size("ssm.inner_size", kMaxWidth);
  if (s.taps < 2) {
    m.file.fail(fmt::format("key '{}ssm.conv_kernel' is 1, but should be at least 2; convert the model again",
                            m.prefix));
  }
  if (inner != std::uint64_t{s.delta.heads} * s.delta.dim) {
    m.file.fail(fmt::format(
        "key '{0}ssm.inner_size' is {1}, but supported is {2}, the {3} heads of '{0}ssm.time_step_rank' with "
        "the {4} elements of '{0}ssm.state_size'; use such a model",
        m.prefix, inner, std::uint64_t{s.delta.heads} * s.delta.dim, s.delta.heads, s.delta.dim));
  }
  if (s.delta.heads % s.delta.key_heads != 0) {
    m.file.fail(fmt::format(
        "{0} value heads cannot share {1} key heads: '{2}ssm.time_step_rank' should be a multiple of "
        "'{2}ssm.group_count'; convert the model again",
        s.delta.heads, s.delta.key_heads, m.prefix));
  }
  const auto layers = m.get_layer_flags("attention.recurrent_layers", s.layers);
  const std::uint32_t period = m.get_size("full_attention_interval", kMaxLayers).value_or(kQwen35Period);
  s.recurrent_layers = layers ? *layers : periodic_layers(s.layers, period);
  if (s.experts != 0) {
    // Of files that lack it the engine takes the width of layers without experts.
    const auto shared = m.get_size("expert_shared_feed_forward_length", kMaxFeedForward);
    s.shared_feed_forward = shared.value_or(s.dense_feed_forward);
    m.check_range("expert_shared_feed_forward_length", s.shared_feed_forward, kMaxFeedForward);
  }
  const std::string_view extra = "nextn_predict_layers";
  if (m.file.get_unsigned(m.key_of(extra)).value_or(0) == 0) return;
  s.layers_beside = m.require_size(extra, s.layers - 1);
  s.layers -= s.layers_beside;
}

void read_qwen35_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  refuse_config_biases(config, {"attention_bias"});
  if (!config.boolean("attn_output_gate", true)) {
    config.fail("attn_output_gate", "supported is true; use such a model");
  }
  const auto size = [&](const char* key, std::uint32_t limit, std::uint32_t by_default) {
    return config.get_size(key, limit).value_or(by_default);
  };
  s.taps = size("linear_conv_kernel_dim", kMaxTaps, 4);
  s.delta.dim = size("linear_key_head_dim", kMaxHeadDim, 128);
  s.delta.key_heads = size("linear_num_key_heads", kMaxHeads, 16);
  s.delta.heads = size("linear_num_value_heads", kMaxHeads, 32);
  if (s.taps < 2) config.fail("linear_conv_kernel_dim", "needed are at least 2; mend the file");
  if (size("linear_value_head_dim", kMaxHeadDim, 128) != s.delta.dim) {
    config.fail("linear_value_head_dim",
                fmt::format("supported is {}, the linear_key_head_dim; use such a model", s.delta.dim));
  }
  if (s.delta.heads % s.delta.key_heads != 0) {
    config.fail("linear_num_value_heads",
                fmt::format("allowed is a multiple of the {} key heads; mend the file", s.delta.key_heads));
  }
  // Layers that predict further tokens are not part of the model, nor is the format of a state.
  config.get_count("mtp_num_hidden_layers", kMaxLayers);
  config.has("mtp_use_dedicated_embeddings");
  config.has("mamba_ssm_dtype");
  const std::uint32_t period = size("full_attention_interval", kMaxLayers, kQwen35Period);
  s.recurrent_layers = periodic_layers(s.layers, period);
  const auto types = config.texts("layer_types");
  if (types && types->size() != s.layers) {
    config.fail("layer_types",
                fmt::format("needed is one for each of the {} layers; mend the file", s.layers));
  }
  for (std::uint32_t i = 0; types && i < s.layers; ++i) {
    const std::string& type = (*types)[i];
    if (type != "full_attention" && type != "linear_attention") {
      config.fail("layer_types", "supported are full_attention and linear_attention; use such a model");
    }
    s.recurrent_layers[i] = type == "linear_attention";
  }
  const auto put = [&](const char* key, std::uint32_t value) {
    shape.own_keys.emplace_back(key, std::uint64_t{value});
  };
  put("ssm.conv_kernel", s.taps);
  put("ssm.state_size", s.delta.dim);
  put("ssm.group_count", s.delta.key_heads);
  put("ssm.time_step_rank", s.delta.heads);
  put("ssm.inner_size", s.delta.heads * s.delta.dim);
  GgufArray recurrent;
  recurrent.bool_values = s.recurrent_layers;
  shape.own_keys.emplace_back("attention.recurrent_layers", std::move(recurrent));
  shape.sections = {11, 11, 10};
}

// As Qwen3_5TextConfig has them.
void set_qwen35_defaults(ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  s.context = 32768, s.heads = 16, s.kv_heads = 4, s.vocabulary = 248320, s.head_dim = 256;
  s.width = 4096, s.feed_forward = 12288, s.layers = 32, s.norm_epsilon = 1e-6f;
  shape.partly_rotated = true;
  shape.rotary_share_by_default = 0.25;
}

void read_qwen35moe_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  constexpr std::uint32_t kExperts = 256, kUsed = 8, kWidth = 512;  // where the file has none
  read_qwen35_config(config, shape);
  s.experts = config.get_size("num_experts", kMaxExperts).value_or(kExperts);
  s.experts_used = config.get_size("num_experts_per_tok", kMaxExperts).value_or(kUsed);
  s.feed_forward = config.get_size("moe_intermediate_size", kMaxFeedForward).value_or(kWidth);
  s.shared_feed_forward =
      config.get_size("shared_expert_intermediate_size", kMaxFeedForward).value_or(kWidth);
  if (!config.boolean("norm_topk_prob", true)) {
    config.fail("norm_topk_prob", "supported is true; use such a model");
  }
  shape.own_keys.emplace_back("expert_shared_feed_forward_length", std::uint64_t{s.shared_feed_forward});
}

// As Qwen3_5MoeTextConfig has them.
void set_qwen35moe_defaults(ConfigShape& shape) {
  set_qwen35_defaults(shape);
  Hyperparameters& s = shape.size;
  s.width = 2048, s.layers = 40, s.kv_heads = 2, s.feed_forward = 512;
}

}  // namespace tokencycle::model
