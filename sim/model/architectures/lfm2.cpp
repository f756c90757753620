// SPDX-License-Identifier: Apache-2.0
// LFM 2: layers of a gated convolution over the last positions beside layers of attention with a norm of each
// head of queries and keys. With experts: behind some layers without them, chosen by scores that have a bias.
// Source of the config.json's keys: github.com/huggingface/transformers, configuration_lfm2.py and
// configuration_lfm2_moe.py; of what a converted file means: llama.cpp, src/models/lfm2.cpp and lfm2moe.cpp.
#include <algorithm>

#include "base/quantity.h"
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

// c * convolution(b * x): what earlier positions leave is b * x of the last ones.
ValueId short_convolution(GraphBuilder& g, const Hyperparameters& s, ValueId h) {
  const ValueId rows = g.recurrent_state("shortconv.rows", s.taps - 1, s.width);
  const std::vector<ValueId> p = g.linears(
      "shortconv.in_proj", h, {{"shortconv.b", s.width}, {"shortconv.c", s.width}, {"shortconv.x", s.width}});
  const ValueId bx = g.zip("shortconv.bx", ZipFunction::mul, p[0], p[2]);
  const ValueId y = g.convolution("shortconv.conv", bx, rows, s.taps);
  return g.linear("shortconv.out_proj", g.zip("shortconv.cy", ZipFunction::mul, p[1], y), s.width);
}

}  // namespace

void build_lfm2(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const ValueId h = d.norm("attn_norm", x);
    ValueId y = kNoValue;
    if (s.recurrent(i)) {
      y = short_convolution(g, s, h);
    } else {
      Decoder::Projections p = d.project(h, Bias::none);
      p.q = d.norm("attn_q_norm", p.q, s.head_dim);
      p.k = d.norm("attn_k_norm", p.k, s.head_dim);
      y = d.attend(p);
    }
    x = d.add("mixer_residual", y, x);
    const ValueId normed = d.norm("ffn_norm", x);
    const bool dense = s.experts == 0 || i < s.leading_dense;
    x = d.add("ffn_residual",
              dense ? d.gated(normed, MapFunction::silu) : d.experts(normed, true, Bias::always), x);
  }
  d.finish(x, "token_embd_norm");
}

namespace {

void read_mixers(const Metadata& m, Hyperparameters& s) {
  const std::string_view taps = "shortconv.l_cache";
  s.taps = m.require_size(taps, kMaxTaps);
  if (s.taps < 2) {
    m.file.fail(
        fmt::format("key '{}{}' is 1, but should be at least 2; convert the model again", m.prefix, taps));
  }
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    const std::uint32_t n = s.layer_kv_heads[i];
    s.recurrent_layers.push_back(n == 0);
    if (n == 0 || n == s.kv_heads) continue;
    m.file.fail(
        fmt::format("key '{}attention.head_count_kv' is {} in one layer and {} in layer {}; "
                    "supported is one number in all layers of attention, and 0 in the others: use such "
                    "a model",
                    m.prefix, s.kv_heads, n, i));
  }
}

// The same of both.
void read_config_convolutions(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  constexpr std::uint32_t kTaps = 3;  // where the file has none
  s.norm_epsilon = static_cast<float>(config.get_positive("norm_eps").value_or(double{s.norm_epsilon}));
  const char* const tied = config.has("tie_embedding") ? "tie_embedding" : "tie_word_embeddings";
  s.tied_output = config.boolean(tied, true);
  s.taps = config.get_size("conv_L_cache", kMaxTaps).value_or(kTaps);
  if (s.taps < 2) config.fail("conv_L_cache", "needed are at least 2; mend the file");
  refuse_config_biases(config, {"conv_bias"});
  read_config_mixers(config, s, "conv");
  shape.own_keys.emplace_back("shortconv.l_cache", std::uint64_t{s.taps});
}

}  // namespace

void read_lfm2moe_file(const Metadata& m, Hyperparameters& s) {
  read_mixers(m, s);
  read_leading_dense(m, s);
}

void read_lfm2_file(const Metadata& m, Hyperparameters& s) {
  read_mixers(m, s);
  const std::uint64_t window = m.file.get_unsigned(m.key_of("attention.sliding_window")).value_or(0);
  s.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(window, kMaxContext));
  s.local_layers.assign(s.layers, true);
}

// As Lfm2Config has them; block_ff_dim and norm_eps are other names in its files.
void set_lfm2_defaults(ConfigShape& shape) {
  shape.size.feed_forward = 12288;
  shape.size.norm_epsilon = 1e-5f;
  shape.rope_base_by_default = 1e6;
}

void read_lfm2_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  constexpr std::uint32_t kUnit = 256;  // where the file has none
  read_config_convolutions(config, shape);
  s.feed_forward = config.get_size("block_ff_dim", kMaxFeedForward).value_or(s.feed_forward);
  for (const char* key : {"block_use_swiglu", "use_pos_enc"}) {
    if (!config.boolean(key, true)) config.fail(key, "supported is true; use such a model");
  }
  const auto repeats = [&](const char* key, std::uint32_t value) {
    if (config.get_size(key, kMaxWidth).value_or(value) == value) return;
    config.fail(key, fmt::format("supported is {}, as other keys say; use such a model", value));
  };
  for (const char* key : {"block_dim", "conv_dim", "conv_dim_out"}) repeats(key, s.width);
  repeats("num_heads", s.heads);
  // Of weights before training.
  for (const char* key : {"block_mlp_init_scale", "block_out_init_scale", "block_norm_eps"})
    config.get_positive(key);
  for (const char* key : {"block_use_xavier_init", "conv_use_xavier_init"}) config.boolean(key, true);

  const std::uint32_t unit = config.get_size("block_multiple_of", kMaxFeedForward).value_or(kUnit);
  const double factor = config.get_positive("block_ffn_dim_multiplier").value_or(1.0);
  if (config.boolean("block_auto_adjust_ff_dim", true)) {
    const double wanted = factor * (2 * s.feed_forward / 3);
    if (wanted > kMaxFeedForward) config.fail("block_ffn_dim_multiplier", "too large; mend the file");
    s.feed_forward = static_cast<std::uint32_t>(round_up(static_cast<std::uint64_t>(wanted), unit));
  }
}

// As Lfm2MoeConfig has them.
void set_lfm2moe_defaults(ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  s.vocabulary = 65536, s.width = 2048, s.feed_forward = 7168, s.layers = 32, s.context = 128000;
  s.heads = 32, s.kv_heads = 8, s.norm_epsilon = 1e-5f;
  shape.rope_base_by_default = 1e6;
}

void read_lfm2moe_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  constexpr std::uint32_t kExperts = 32, kUsed = 4, kWidth = 1792, kDense = 2;  // where the file has none
  constexpr std::uint64_t kSigmoid = 2;
  read_config_convolutions(config, shape);
  s.experts = config.get_size("num_experts", kMaxExperts).value_or(kExperts);
  s.experts_used = config.get_size("num_experts_per_tok", kMaxExperts).value_or(kUsed);
  s.dense_feed_forward = s.feed_forward;
  s.feed_forward = config.get_size("moe_intermediate_size", kMaxFeedForward).value_or(kWidth);
  s.leading_dense = std::min(config.get_count("num_dense_layers", kMaxLayers).value_or(kDense), s.layers);
  for (const char* key : {"use_expert_bias", "norm_topk_prob"}) {
    if (!config.boolean(key, true)) config.fail(key, "supported is true; use such a model");
  }
  if (config.get_positive("routed_scaling_factor").value_or(1.0) != 1.0) {
    config.fail("routed_scaling_factor",
                "supported is 1, as converted files have no other; use such a model");
  }
  s.sigmoid_router = true;
  shape.biases.router = true;
  shape.own_keys.emplace_back("leading_dense_block_count", std::uint64_t{s.leading_dense});
  shape.own_keys.emplace_back("expert_gating_func", kSigmoid);
}

}  // namespace tokencycle::model
