// SPDX-License-Identifier: Apache-2.0
// Hyperparameters from metadata: which keys, their defaults, and what is refused by name.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "model/architectures/parts.h"
#include "model/gguf/limits.h"
#include "model/gguf/reader.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {
namespace {

// Text for a terminal and for JSON: valid UTF-8, without control characters, not long.
std::string readable(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  std::string out;
  for (std::size_t at = 0; at < text.size() && out.size() < kLongest;) {
    const std::size_t length = utf8_sequence_length(text, at);
    const std::uint32_t code = length == 0 ? 0xfffd : utf8_code_point(text, at, length);
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    append_utf8(out, control ? ' ' : code);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

void check_kind(const Metadata& m, Hyperparameters& shape) {
  const std::string type = m.file.get_string("general.type").value_or("model");
  if (type != "model") {
    m.file.fail(
        fmt::format("general.type is {}, not 'model'; give the file of the base model", in_quotes(type)));
  }
  shape.name = readable(m.file.get_string("general.name").value_or(""));
}

// Kinds of models that have a name of their own.
void refuse_kinds(const Metadata& m) {
  const std::string causal = m.key_of("attention.causal");
  if (!m.file.get_bool(causal).value_or(true)) {
    m.file.fail(
        fmt::format("key {} is false: models without causal attention are not supported; use a generative "
                    "model",
                    in_quotes(causal)));
  }
}

// Experts in every layer, each with a feed-forward network of expert_feed_forward_length where that is given.
void read_experts(const Metadata& m, const Architecture& architecture, Hyperparameters& shape) {
  const std::string key = m.key_of("expert_count");
  const std::uint64_t count = m.file.get_unsigned(key).value_or(0);
  if (count > 0 && architecture.experts == Experts::none) {
    m.file.fail(fmt::format("key {} is {}: experts are not supported in this architecture; use a dense model",
                            in_quotes(key), count));
  }
  if (count == 0 && architecture.experts != Experts::all) {
    m.key_of("expert_used_count");  // some converters write it as 0
    return;
  }
  shape.experts = m.require_size("expert_count", kMaxExperts);
  const std::string_view used = "expert_used_count";
  if (!m.has(used)) m.require_size(used, shape.experts);
  shape.experts_used = *m.get_uniform_size(used, shape.layers, shape.experts);
  const std::string gating = m.key_of("expert_gating_func");
  constexpr std::uint64_t kUnset = 0, kSoftmax = 1, kSigmoid = 2, kSoftmaxOfChosen = 3;
  const std::uint64_t wanted = architecture.routers == Routers::of_chosen ? kSoftmaxOfChosen : kSoftmax;
  const std::uint64_t f = m.file.get_unsigned(gating).value_or(kUnset);
  shape.sigmoid_router = architecture.routers == Routers::either && f == kSigmoid;
  if (f != kUnset && f != wanted && !shape.sigmoid_router) {
    m.file.fail(fmt::format("key {} is {}: supported in this architecture is {}, {}; use such a model",
                            in_quotes(gating), f, wanted,
                            wanted == kSoftmax ? "softmax" : "softmax of the chosen experts"));
  }
  const auto own = m.get_uniform_size("expert_feed_forward_length", shape.layers, kMaxFeedForward);
  shape.dense_feed_forward = shape.feed_forward;
  if (own) shape.feed_forward = *own;
}

void read_feed_forward(const Metadata& m, const Architecture& architecture, Hyperparameters& shape) {
  const std::string_view key = "feed_forward_length";
  // Where all layers have experts, some files lack the width of those that have none.
  if (architecture.experts == Experts::all && m.has("expert_feed_forward_length") && !m.has(key)) return;
  if (!m.has(key)) m.file.fail(fmt::format("key '{}{}' is missing; convert the model again", m.prefix, key));
  if (architecture.layers == Layers::equal) {
    shape.feed_forward = *m.get_uniform_size(key, shape.layers, kMaxFeedForward);
    return;
  }
  shape.layer_feed_forward = *m.get_layer_sizes(key, shape.layers, kMaxFeedForward);
  for (const std::uint32_t n : shape.layer_feed_forward) m.check_range(m.key_of(key), n, kMaxFeedForward);
  shape.feed_forward = *std::max_element(shape.layer_feed_forward.begin(), shape.layer_feed_forward.end());
}

void check_sharing(const Metadata& m, std::uint32_t heads, std::uint32_t kv_heads) {
  if (kv_heads != 0 && heads % kv_heads == 0) return;
  m.file.fail(
      fmt::format("{} query heads cannot share {} key-value heads: head_count should be a multiple of "
                  "head_count_kv; convert the model again",
                  heads, kv_heads));
}

void read_kv_heads(const Metadata& m, const Architecture& architecture, Hyperparameters& shape) {
  const std::string_view key = "attention.head_count_kv";
  if (architecture.layers == Layers::equal) {
    shape.kv_heads = m.get_uniform_size(key, shape.layers, kMaxHeads).value_or(shape.heads);
    return check_sharing(m, shape.heads, shape.kv_heads);
  }
  const auto given = m.get_layer_sizes(key, shape.layers, kMaxHeads);
  shape.layer_kv_heads = given.value_or(std::vector<std::uint32_t>(shape.layers, shape.heads));
  shape.kv_heads = *std::max_element(shape.layer_kv_heads.begin(), shape.layer_kv_heads.end());
  check_sharing(m, shape.heads, shape.kv_heads);
  for (const std::uint32_t n : shape.layer_kv_heads) {
    if (n != 0) check_sharing(m, shape.heads, n);
  }
}

// One head of rows of rank and rotated elements, of which values are the former.
void read_latent_heads(const Metadata& m, Hyperparameters& shape) {
  Hyperparameters::Latent& latent = shape.latent;
  if (!m.has("attention.key_length_mla")) {
    m.file.fail(
        fmt::format("key '{}attention.key_length_mla' is missing, as in old files, whose tensors 'attn_kv_b' "
                    "are not supported; convert the model again",
                    m.prefix));
  }
  shape.kv_heads = m.get_uniform_size("attention.head_count_kv", shape.layers, kMaxHeads).value_or(1);
  latent.rank = m.require_size("attention.kv_lora_rank", kMaxHeadDim);
  shape.head_dim = m.require_size("attention.key_length", kMaxHeadDim);
  const std::uint32_t rotated = m.require_size("rope.dimension_count", kMaxHeadDim);
  const std::uint32_t key = m.require_size("attention.key_length_mla", kMaxHeadDim);
  latent.value = m.require_size("attention.value_length_mla", kMaxHeadDim);
  const auto fail = [&](std::string_view name, std::uint64_t value, std::string_view wanted,
                        std::uint64_t number) {
    m.file.fail(fmt::format("key '{}{}' is {}, but should be {} {}; convert the model again", m.prefix, name,
                            value, wanted, number));
  };
  if (shape.kv_heads != 1) fail("attention.head_count_kv", shape.kv_heads, "the one row of a cache,", 1);
  if (key <= rotated) fail("attention.key_length_mla", key, "above rope.dimension_count,", rotated);
  latent.plain = key - rotated;
  if (shape.head_dim != latent.rank + rotated)
    fail("attention.key_length", shape.head_dim, "kv_lora_rank and rope.dimension_count together,",
         std::uint64_t{latent.rank} + rotated);
  const std::uint32_t value = m.require_size("attention.value_length", kMaxHeadDim);
  if (value != latent.rank) fail("attention.value_length", value, "kv_lora_rank,", latent.rank);
}

void read_heads(const Metadata& m, const Architecture& architecture, Hyperparameters& shape) {
  const auto heads = m.get_uniform_size("attention.head_count", shape.layers, kMaxHeads);
  if (!heads)
    m.file.fail(fmt::format("key '{}attention.head_count' is missing; convert the model again", m.prefix));
  shape.heads = *heads;
  if (architecture.heads == Heads::latent) return read_latent_heads(m, shape);
  read_kv_heads(m, architecture, shape);
  const auto key_length = m.get_size("attention.key_length", kMaxHeadDim);
  const auto value_length = m.get_size("attention.value_length", kMaxHeadDim);
  if (!key_length && !value_length) {
    if (shape.width % shape.heads != 0) {
      m.file.fail(
          fmt::format("an embedding length of {} cannot be divided among {} heads, and "
                      "'{}attention.key_length' is missing; convert the model again",
                      shape.width, shape.heads, m.prefix));
    }
    shape.head_dim = shape.width / shape.heads;
    m.check_range("embedding_length / head_count", shape.head_dim, kMaxHeadDim);
    return;
  }
  const std::uint32_t by_default = shape.width / shape.heads;  // where one of the two is absent
  shape.head_dim = key_length.value_or(by_default);
  if (value_length.value_or(by_default) != shape.head_dim) {
    m.file.fail(
        fmt::format("attention.key_length {} and attention.value_length {} differ, which is not supported; "
                    "use a model in which they are equal",
                    shape.head_dim, value_length.value_or(by_default)));
  }
}

// rope.scaling.factor, or its older name rope.scale_linear. 1 where scaling is "none"; a type that is absent
// means linear, as in llama.cpp, and a factor of 0 means none.
void read_rope_scaling(const Metadata& m, Hyperparameters& shape) {
  const std::string type_key = m.key_of("rope.scaling.type");
  const std::string type = m.file.get_string(type_key).value_or("linear");
  if (type == "yarn") {
    shape.rope_scaling = RopeScaling::yarn;
  } else if (type == "longrope") {
    shape.rope_scaling = RopeScaling::longrope;
  } else if (type != "none" && type != "linear") {
    m.file.fail(
        fmt::format("key {} is {}, but only 'none', 'linear', 'yarn' and 'longrope' are supported; use a "
                    "model without it",
                    in_quotes(type_key), in_quotes(type)));
  }
  const auto factor = m.get_positive("rope.scaling.factor", true),
             older = m.get_positive("rope.scale_linear", true);
  shape.rope_scale = type == "none" ? 1.0 : factor.value_or(older.value_or(1.0));
  if (shape.rope_scaling == RopeScaling::yarn && shape.rope_base <= 1.0) {
    m.file.fail(fmt::format("key {} is {}, but should be above 1 with yarn; convert the model again",
                            in_quotes(m.key_of("rope.freq_base")), shape.rope_base));
  }
  shape.rope_original_context =
      m.get_size("rope.scaling.original_context_length", kMaxContext).value_or(shape.context);
  shape.rope_magnitude = m.get_positive("rope.scaling.attn_factor", true).value_or(1.0);
  shape.yarn_fast = m.get_positive("rope.scaling.yarn_beta_fast").value_or(shape.yarn_fast);
  shape.yarn_slow = m.get_positive("rope.scaling.yarn_beta_slow").value_or(shape.yarn_slow);
}

// A file must not ask for much more memory than it has bytes; without weights no table is made.
std::uint64_t rope_table_limit(const Metadata& m) {
  if (m.file.data() == TensorData::absent) return ~std::uint64_t{0};  // there is none
  return std::clamp<std::uint64_t>(m.file.file_bytes(), kMaxRopeTableOfSmallFile, kMaxRopeTableBytes);
}

void read_rope(const Metadata& m, Hyperparameters& shape) {
  shape.rope_base = m.get_positive("rope.freq_base").value_or(10000.0);
  read_rope_scaling(m, shape);
  shape.rope_dims = m.get_size("rope.dimension_count", kMaxHeadDim).value_or(shape.head_dim);
  if (shape.rope_dims % 2 != 0 || shape.rope_dims > shape.head_dim) {
    m.file.fail(
        fmt::format("'{}rope.dimension_count' is {}, but should be even and at most the head dimension {}; "
                    "convert the model again",
                    m.prefix, shape.rope_dims, shape.head_dim));
  }
}

void check_rope_table(const Metadata& m, const Hyperparameters& shape) {
  const std::uint32_t local = shape.local_rope_dims != 0 ? shape.local_rope_dims : shape.rope_dims;
  const std::uint64_t numbers = shape.rope_dims + (shape.local_rope_base != 0.0 ? std::uint64_t{local} : 0);
  const std::uint64_t bytes = shape.run_context * numbers * sizeof(float);
  const std::uint64_t limit = rope_table_limit(m);
  if (bytes <= limit) return;
  m.file.fail(
      fmt::format("'{}context_length': the rotary table of {} positions and {} dimensions takes {} "
                  "MiB, over the limit of {} for a file of this size; use a model with a shorter context, or "
                  "choose a shorter --context",
                  m.prefix, shape.run_context, shape.rope_dims, bytes >> 20, limit >> 20));
}

void read_vocabulary(const Metadata& m, Hyperparameters& shape) {
  const GgufTensor* table = m.file.find_tensor("token_embd.weight");
  if (table == nullptr) {
    m.file.fail(
        "tensor 'token_embd.weight' is missing: the file holds no weights of a model (a vocabulary "
        "alone cannot run); use a complete model");
  }
  m.check_range("rows of token_embd.weight", table->rows(), kMaxVocabulary);
  shape.vocabulary = static_cast<std::uint32_t>(table->rows());
  const GgufArray* tokens = m.file.get_array("tokenizer.ggml.tokens");
  if (tokens != nullptr && tokens->size() != shape.vocabulary) {
    m.file.fail(fmt::format(
        "'tokenizer.ggml.tokens' has {} entries, but the embedding table has {} rows; convert the "
        "model again",
        tokens->size(), shape.vocabulary));
  }
  shape.tied_output = m.file.find_tensor("output.weight") == nullptr;
}

}  // namespace

std::vector<bool> periodic_layers(std::uint32_t layers, std::uint32_t period) {
  std::vector<bool> local(layers);
  for (std::uint32_t i = 0; i < layers; ++i) local[i] = period == 0 || i % period < period - 1;
  return local;
}

void read_leading_dense(const Metadata& m, Hyperparameters& shape) {
  const std::uint64_t count = m.file.get_unsigned(m.key_of("leading_dense_block_count")).value_or(0);
  shape.leading_dense = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, shape.layers));
}

void read_window(const Metadata& m, Hyperparameters& shape, std::uint32_t by_default,
                 std::uint32_t window_by_default) {
  const std::uint64_t window =
      m.file.get_unsigned(m.key_of("attention.sliding_window")).value_or(window_by_default);
  shape.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(window, kMaxContext));
  const std::string key = m.key_of("attention.sliding_window_pattern");
  const GgufValue* pattern = m.file.find(key);
  if (pattern == nullptr || !std::holds_alternative<GgufArray>(*pattern)) {
    const std::uint64_t period = m.file.get_unsigned(key).value_or(by_default);
    shape.local_layers = periodic_layers(
        shape.layers, static_cast<std::uint32_t>(std::min<std::uint64_t>(period, kMaxLayers + 1)));
    return;
  }
  shape.local_layers = *m.get_layer_flags("attention.sliding_window_pattern", shape.layers);
}

namespace {

// Of layers of attention and feed-forward networks.
void read_attention_layers(const Metadata& m, const Architecture& architecture, Hyperparameters& shape) {
  read_feed_forward(m, architecture, shape);
  read_heads(m, architecture, shape);
  read_experts(m, architecture, shape);
  const bool layer_norm = architecture.norm != NormKind::rms;
  m.key_of("attention.layer_norm_epsilon");
  m.key_of("attention.layer_norm_rms_epsilon");  // of the two, one is of no matter
  shape.norm_epsilon = static_cast<float>(
      m.require_positive(layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"));
  read_rope(m, shape);
}

}  // namespace

Hyperparameters read_hyperparameters(const GgufFile& file, const Architecture& architecture,
                                     std::optional<RopePairs> rope_pairs, std::uint32_t context) {
  const Metadata m(file, architecture.name);
  Hyperparameters shape;
  shape.architecture = architecture.name;
  shape.rope_pairs = rope_pairs.value_or(architecture.rope_pairs);
  check_kind(m, shape);
  refuse_kinds(m);
  shape.layers = m.require_size("block_count", kMaxLayers);
  shape.width = m.require_size("embedding_length", kMaxWidth);
  shape.context = m.require_size("context_length", kMaxContext);
  shape.run_context = context == 0 ? shape.context : std::min(context, shape.context);
  if (architecture.layers != Layers::cells) read_attention_layers(m, architecture, shape);
  if (architecture.read_file != nullptr) architecture.read_file(m, shape);
  check_rope_table(m, shape);
  if (architecture.result == Result::tokens) read_vocabulary(m, shape);
  m.refuse_unread();
  return shape;
}

}  // namespace tokencycle::model
