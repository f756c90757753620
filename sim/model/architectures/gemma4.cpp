// SPDX-License-Identifier: Apache-2.0
// Gemma 4: Gemma 3 with wider heads in the layers without a window, scores that are not scaled, a norm of
// values, last layers that read an earlier layer's keys and values, and perhaps an embedding of its own for
// each layer. With experts: beside the feed-forward network of each layer, whose input the router has. Source
// of the config.json's keys: github.com/huggingface/transformers, configuration_gemma4.py; of what a
// converted file means: llama.cpp, src/models/gemma4.cpp.
#include <cmath>
#include <optional>
#include <utility>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/gemma.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr double kGemma4LocalBase = 10000.0;

float inverse_root(std::uint32_t n) {
  return 1.0f / std::sqrt(static_cast<float>(n));
}

// One row for all layers: the token's own, and the embedding's product.
ValueId layer_embeddings(GraphBuilder& g, Decoder& d, const Hyperparameters& s, ValueId x) {
  const std::uint32_t columns = s.layers * s.layer_embedding;
  ValueId own = d.embed("per_layer_embedding", g.matrix("per_layer_token_embd", s.vocabulary, columns));
  own = g.map("per_layer_embedding_scaled", MapFunction::scale, own,
              std::sqrt(static_cast<float>(s.layer_embedding)));
  ValueId made = g.linear("per_layer_model_proj", x, columns);
  made = g.map("per_layer_model_proj_scaled", MapFunction::scale, made, inverse_root(s.width));
  made = d.norm("per_layer_proj_norm", made, s.layer_embedding);
  const ValueId sum = g.zip("per_layer_sum", ZipFunction::add, made, own);
  return g.map("per_layer_input", MapFunction::scale, sum, inverse_root(2));
}

Decoder::Projections project(GraphBuilder& g, Decoder& d, const Hyperparameters& s, std::uint32_t layer,
                             ValueId h) {
  const std::uint32_t head = s.head_dim_of(layer);
  Decoder::Projections p;
  p.q = d.norm("attn_q_norm", g.linear("attn_q", h, s.query_width(layer)), head);
  if (s.cache_layer(layer) != layer) return p;
  const ValueId k = g.linear("attn_k", h, s.kv_width(layer));
  const ValueId v = g.has("attn_v.weight") ? g.linear("attn_v", h, s.kv_width(layer)) : k;
  p.k = d.norm("attn_k_norm", k, head);
  p.v = g.plain_norm("attn_v_norm", v, {NormKind::rms, head, s.norm_epsilon});
  return p;
}

// x + norm(projection(gelu(gate(x)) * this layer's part of the embeddings))
ValueId add_embedding(GraphBuilder& g, Decoder& d, const Hyperparameters& s, std::uint32_t layer, ValueId x,
                      ValueId embeddings) {
  const ColumnsShape part{s.layers * s.layer_embedding, layer * s.layer_embedding, s.layer_embedding};
  const ValueId own = g.columns("layer_input", embeddings, part);
  const ValueId gate = g.map("inp_gelu", MapFunction::gelu_tanh, g.linear("inp_gate", x, s.layer_embedding));
  const ValueId y = g.linear("proj", g.zip("inp_gated", ZipFunction::mul, gate, own), s.width);
  return d.add("layer_input_residual", d.norm("post_norm", y), x);
}

// Of its own norm, a gain without one of its kind.
ValueId router_logits(GraphBuilder& g, const Hyperparameters& s, ValueId x) {
  const std::string_view name = "ffn_gate_inp";
  ValueId h = g.plain_norm("ffn_router_norm", x, {NormKind::rms, 0, s.norm_epsilon});
  h = g.map("ffn_router_small", MapFunction::scale, h, inverse_root(s.width));
  h = g.zip_row("ffn_router_scaled", ZipFunction::mul, h, "ffn_gate_inp.scale", s.width);
  return g.linear(name, h, g.matrix(name, s.experts, s.width));
}

// The network that all tokens have and the chosen experts, each between norms of its own.
ValueId gemma4_feed_forward(GraphBuilder& g, Decoder& d, const Hyperparameters& s, ValueId x) {
  const ValueId all = d.gated(d.norm("ffn_norm", x), MapFunction::gelu_tanh);
  if (s.experts == 0) return all;
  const ValueId normed = d.norm("post_ffw_norm_1", all);
  const Decoder::Routing routing = d.route(router_logits(g, s, x), true);
  const ValueId chosen = d.chosen_experts(d.norm("pre_ffw_norm_2", x), routing, MapFunction::gelu_tanh);
  return d.add("ffn_experts", normed, d.norm("post_ffw_norm_2", chosen));
}

}  // namespace

void build_gemma4(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s);
  ValueId x = d.embed();
  const ValueId embeddings = s.layer_embedding != 0 ? layer_embeddings(g, d, s, x) : kNoValue;
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const Decoder::Projections p = project(g, d, s, i, d.norm("attn_norm", x));
    x = d.add("attn_residual", d.norm("post_attention_norm", d.attend(p)), x);
    x = d.add("ffn_residual", d.norm("post_ffw_norm", gemma4_feed_forward(g, d, s, x)), x);
    if (embeddings != kNoValue) x = add_embedding(g, d, s, i, x, embeddings);
    const std::string_view scale = "layer_output_scale.weight";
    if (g.has(scale)) x = g.zip_row("layer_output", ZipFunction::mul, x, scale, 1);
  }
  d.finish(x);
}

namespace {

// Each reads the last layer of its kind that has keys and values, which must be there and have equal heads.
void check_shared_layers(const Metadata& m, const Hyperparameters& s) {
  if (s.shared_layers == 0) return;
  const auto fail = [&](const std::string& what) {
    m.file.fail(
        fmt::format("key 'gemma4.attention.shared_kv_layers' is {} of {} layers: {}; convert the model again",
                    s.shared_layers, s.layers, what));
  };
  if (s.layers - s.shared_layers < 2) fail("at least two should have keys and values of their own");
  for (std::uint32_t i = s.layers - s.shared_layers; i < s.layers; ++i) {
    const std::uint32_t from = s.cache_layer(i);
    if (s.local(from) != s.local(i) || s.kv_width(from) != s.kv_width(i))
      fail(fmt::format("layer {} would read keys and values of layer {}, which has other heads", i, from));
  }
}

}  // namespace

void read_gemma4_file(const Metadata& m, Hyperparameters& s) {
  read_window(m, s, 0);
  if (s.window == 0 || !m.has("attention.sliding_window_pattern")) {
    m.file.fail(
        "keys 'gemma4.attention.sliding_window' and 'gemma4.attention.sliding_window_pattern' are needed, "
        "and "
        "one is missing; convert the model again");
  }
  s.local_head_dim = m.require_size("attention.key_length_swa", kMaxHeadDim);
  if (m.require_size("attention.value_length_swa", kMaxHeadDim) != s.local_head_dim) {
    m.file.fail(
        "keys 'gemma4.attention.key_length_swa' and 'gemma4.attention.value_length_swa' differ, which is "
        "not supported; use a model in which they are equal");
  }
  s.local_rope_dims = m.get_size("rope.dimension_count_swa", kMaxHeadDim).value_or(s.rope_dims);
  if (s.local_rope_dims % 2 != 0 || s.local_rope_dims > s.local_head_dim) {
    m.file.fail(
        fmt::format("key 'gemma4.rope.dimension_count_swa' is {}, but should be even and at most the heads' "
                    "{} elements; convert the model again",
                    s.local_rope_dims, s.local_head_dim));
  }
  s.local_rope_base = m.get_positive("rope.freq_base_swa").value_or(kGemma4LocalBase);
  s.embedding_scale = std::sqrt(static_cast<float>(s.width));
  s.attention_scale = 1.0f;
  s.logit_cap = static_cast<float>(m.get_positive("final_logit_softcapping", true).value_or(0.0));
  const std::string_view expert_width = "expert_feed_forward_length";
  if (!m.has(expert_width) && s.experts != 0) m.require_size(expert_width, kMaxFeedForward);
  const std::string_view width = "embedding_length_per_layer_input";
  if (m.file.require_unsigned(m.key_of(width)) != 0)
    s.layer_embedding = m.require_size(width, kMaxWidth / s.layers);
  const std::string_view shared = "attention.shared_kv_layers";
  if (m.file.get_unsigned(m.key_of(shared)).value_or(0) != 0)
    s.shared_layers = m.require_size(shared, s.layers);
  check_shared_layers(m, s);
}

namespace {

// Of the layers without a window, where they are others than those of the rest.
struct WideHeads {
  std::optional<std::uint32_t> dim, kv_heads;
  bool operator==(const WideHeads&) const = default;
};

// global_head_dim and num_global_key_value_heads or, as transformers 5 writes them, per_layer_config: an
// object for each of these layers under its number, which may have zeros before it.
WideHeads read_wide_heads(const ConfigObject& config, const Hyperparameters& s) {
  WideHeads wide{config.get_size("global_head_dim", kMaxHeadDim),
                 config.get_size("num_global_key_value_heads", kMaxHeads)};
  const std::string_view key = "per_layer_config";
  const auto layers = config.object(key);
  if (!layers) return wide;
  bool given = wide.dim || wide.kv_heads;
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    std::optional<ConfigObject> layer = layers->object(std::to_string(i));
    for (const int width : {2, 3})
      if (!layer) layer = layers->object(fmt::format("{:0{}}", i, width));
    WideHeads its;
    if (layer) {
      its = {layer->get_size("head_dim", kMaxHeadDim), layer->get_size("num_key_value_heads", kMaxHeads)};
      layer->refuse_unread({});
    }
    if (!s.local(i) && !std::exchange(given, true)) wide = its;
    if (its == (s.local(i) ? WideHeads{} : wide)) continue;
    config.fail(key,
                "supported are equal heads in all layers without a window, and none for the others; use such "
                "a model");
  }
  layers->refuse_unread({});
  return wide;
}

void read_config_experts(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  const std::string_view width = config.first_of({"moe_intermediate_size", "expert_intermediate_size"});
  if (!config.boolean("enable_moe_block", false)) {
    for (const std::string_view key :
         {std::string_view("num_experts"), std::string_view("top_k_experts"), width})
      config.has(key);  // of no effect
    return;
  }
  s.experts = config.size("num_experts", kMaxExperts);
  s.experts_used = config.size("top_k_experts", kMaxExperts);
  s.feed_forward = config.size(width, kMaxFeedForward);
  shape.expert_scales = shape.gate_up_experts = true;  // as its converter writes them
}

}  // namespace

void read_gemma4_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  constexpr std::uint32_t kPeriod = 6, kWindow = 512, kWideHead = 512, kLayerEmbedding = 256;
  refuse_config_biases(config, {"attention_bias"});
  if (config.text("use_bidirectional_attention").value_or("vision") != "vision") {
    config.fail("use_bidirectional_attention", "supported are null and \"vision\"; use such a model");
  }
  s.tied_output = config.boolean("tie_word_embeddings", true);
  s.logit_cap = static_cast<float>(config.get_positive("final_logit_softcapping").value_or(0.0));
  read_config_window(config, shape, kPeriod, kWindow);
  s.local_layers.back() = false;
  s.local_head_dim = s.local_rope_dims = s.head_dim;
  const WideHeads wide = read_wide_heads(config, s);
  s.head_dim = wide.dim.value_or(kWideHead);

  const bool keys_alone = config.boolean("attention_k_eq_v", false);
  const std::optional<std::uint32_t> wide_heads = wide.kv_heads;
  if (wide_heads && !keys_alone && *wide_heads != s.kv_heads) {
    config.fail("num_global_key_value_heads", "supported with attention_k_eq_v alone; use such a model");
  }
  s.shared_layers = config.get_count("num_kv_shared_layers", s.layers).value_or(0);
  s.layer_embedding =
      config.get_count("hidden_size_per_layer_input", kMaxWidth / s.layers).value_or(kLayerEmbedding);
  const auto table = config.get_size("vocab_size_per_layer_input", kMaxVocabulary);
  if (s.layer_embedding != 0 && table.value_or(s.vocabulary) != s.vocabulary) {
    config.fail("vocab_size_per_layer_input",
                fmt::format("supported is {}, the vocab_size; use such a model", s.vocabulary));
  }
  const bool wider = config.boolean("use_double_wide_mlp", false);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    s.layer_kv_heads.push_back(s.local(i) ? s.kv_heads : wide_heads.value_or(s.kv_heads));
    const bool shares = i >= s.layers - s.shared_layers;
    s.layer_feed_forward.push_back(wider && shares ? 2 * s.feed_forward : s.feed_forward);
    if (keys_alone && !s.local(i)) shape.absent.insert("blk." + std::to_string(i) + ".attn_v.weight");
  }
  read_config_experts(config, shape);
  for (const char* key :
       {"attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count_swa"})
    shape.own_keys.emplace_back(key, std::uint64_t{s.local_head_dim});
  shape.own_keys.emplace_back("attention.shared_kv_layers", std::uint64_t{s.shared_layers});
  shape.own_keys.emplace_back("embedding_length_per_layer_input", std::uint64_t{s.layer_embedding});
}

// As Gemma4TextConfig has them.
void set_gemma4_defaults(ConfigShape& shape) {
  set_gemma_defaults(shape);
  Hyperparameters& s = shape.size;
  s.context = 131072, s.heads = 8, s.kv_heads = 4, s.vocabulary = 262144;
  s.width = 2304, s.feed_forward = 9216, s.layers = 30, s.norm_epsilon = 1e-6f;
  shape.rope_base_by_default = 1e6;
  shape.local_base_by_default = kGemma4LocalBase;
  shape.proportional = true;
}

}  // namespace tokencycle::model
