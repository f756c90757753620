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

// The keys of one architecture: each begins with its name.
struct Metadata {
  const GgufFile& file;
  std::string prefix;
  std::string key_of(std::string_view name) const { return prefix + std::string(name); }
};

void check_range(const Metadata& m, std::string_view key, std::uint64_t value, std::uint32_t limit) {
  if (value < 1 || value > limit) {
    m.file.fail(fmt::format("key {} is {}, but should be from 1 to {}; convert the model again",
                            in_quotes(key), value, limit));
  }
}

std::uint32_t require_size(const Metadata& m, std::string_view name, std::uint32_t limit) {
  const std::string key = m.key_of(name);
  const std::uint64_t value = m.file.require_unsigned(key);
  check_range(m, key, value, limit);
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint32_t> get_size(const Metadata& m, std::string_view name, std::uint32_t limit) {
  const std::string key = m.key_of(name);
  const std::optional<std::uint64_t> value = m.file.get_unsigned(key);
  if (!value) return std::nullopt;
  check_range(m, key, *value, limit);
  return static_cast<std::uint32_t>(*value);
}

// A size that some converters store as one value for each layer; then all must be equal.
std::optional<std::uint32_t> get_uniform_size(const Metadata& m, std::string_view name, std::uint32_t layers,
                                              std::uint32_t limit) {
  const std::string key = m.key_of(name);
  const GgufValue* value = m.file.find(key);
  if (value == nullptr || !std::holds_alternative<GgufArray>(*value)) return get_size(m, name, limit);
  const GgufArray& array = std::get<GgufArray>(*value);
  std::vector<std::uint64_t> sizes = array.unsigned_values;
  for (const std::int64_t size : array.signed_values)
    sizes.push_back(size < 0 ? 0 : static_cast<std::uint64_t>(size));
  if (sizes.size() != layers || array.size() != layers) {
    m.file.fail(
        fmt::format("key {} is an array of {} values, but should be {} integers, one for each layer; convert "
                    "the model again",
                    in_quotes(key), array.size(), layers));
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != sizes[0]) {
      m.file.fail(
          fmt::format("key {} is {} in layer 0 and {} in layer {}; layers of different shapes are not "
                      "supported: use a model whose layers are equal",
                      in_quotes(key), sizes[0], sizes[i], i));
    }
  }
  check_range(m, key, sizes[0], limit);
  return static_cast<std::uint32_t>(sizes[0]);
}

// A positive, finite number that stays so as fp32 (the first comparison is false for NaN).
double positive(const Metadata& m, std::string_view key, double value) {
  const bool in_range = value > 0.0 && value <= std::numeric_limits<float>::max();
  if (!in_range || static_cast<float>(value) == 0.0f) {
    m.file.fail(
        fmt::format("key {} is {}, but should be positive and finite as fp32; convert the model again",
                    in_quotes(key), value));
  }
  return value;
}

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

// Keys that change the arithmetic of the graph. Executing without them would give another model.
void refuse_variants(const Metadata& m, const Hyperparameters& shape) {
  const std::string experts = m.key_of("expert_count");
  if (const std::uint64_t count = m.file.get_unsigned(experts).value_or(0); count > 0) {
    m.file.fail(fmt::format("key {} is {}: mixture-of-experts models are not supported; use a dense model",
                            in_quotes(experts), count));
  }
  const std::string window = m.key_of("attention.sliding_window");
  if (const std::uint64_t size = m.file.get_unsigned(window).value_or(0); size > 0 && size < shape.context) {
    m.file.fail(fmt::format(
        "key {} is {}: sliding-window attention is not supported; use a model with full attention",
        in_quotes(window), size));
  }
  const std::string causal = m.key_of("attention.causal");
  if (!m.file.get_bool(causal).value_or(true)) {
    m.file.fail(
        fmt::format("key {} is false: models without causal attention are not supported; use a generative "
                    "model",
                    in_quotes(causal)));
  }
  // Factors that converters also write where they do nothing: as 0 (unset) or as 1 (where they multiply).
  const std::pair<std::string_view, double> factors[] = {
      {"attention.scale", 0.0}, {"attention.clamp_kqv", 0.0}, {"logit_scale", 1.0},
      {"residual_scale", 1.0},  {"embedding_scale", 1.0},     {"rope.scaling.attn_factor", 1.0},
  };
  for (const auto& [name, neutral] : factors) {
    const std::string key = m.key_of(name);
    const double value = m.file.get_float(key).value_or(neutral);
    if (value != 0.0 && value != neutral) {
      m.file.fail(
          fmt::format("key {} is {}, which is not supported; use a model without it", in_quotes(key), value));
    }
  }
}

void read_heads(const Metadata& m, Hyperparameters& shape) {
  const auto heads = get_uniform_size(m, "attention.head_count", shape.layers, kMaxHeads);
  if (!heads)
    m.file.fail(fmt::format("key '{}attention.head_count' is missing; convert the model again", m.prefix));
  shape.heads = *heads;
  shape.kv_heads =
      get_uniform_size(m, "attention.head_count_kv", shape.layers, kMaxHeads).value_or(shape.heads);
  if (shape.heads % shape.kv_heads != 0) {
    m.file.fail(
        fmt::format("{} query heads cannot share {} key-value heads: head_count should be a multiple of "
                    "head_count_kv; convert the model again",
                    shape.heads, shape.kv_heads));
  }
  const auto key_length = get_size(m, "attention.key_length", kMaxHeadDim);
  const auto value_length = get_size(m, "attention.value_length", kMaxHeadDim);
  if (!key_length && !value_length) {
    if (shape.width % shape.heads != 0) {
      m.file.fail(
          fmt::format("an embedding length of {} cannot be divided among {} heads, and "
                      "'{}attention.key_length' is missing; convert the model again",
                      shape.width, shape.heads, m.prefix));
    }
    shape.head_dim = shape.width / shape.heads;
    check_range(m, "embedding_length / head_count", shape.head_dim, kMaxHeadDim);
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
double read_rope_scale(const Metadata& m) {
  const std::string type_key = m.key_of("rope.scaling.type");
  const std::string type = m.file.get_string(type_key).value_or("linear");
  if (type != "none" && type != "linear") {
    m.file.fail(
        fmt::format("key {} is {}, but only 'none' and 'linear' are supported; use a model without it",
                    in_quotes(type_key), in_quotes(type)));
  }
  for (const std::string_view name : {"rope.scaling.factor", "rope.scale_linear"}) {
    const std::string key = m.key_of(name);
    const double factor = m.file.get_float(key).value_or(0.0);
    if (factor != 0.0) return type == "none" ? 1.0 : positive(m, key, factor);
  }
  return 1.0;
}

// A file must not ask for much more memory than it has bytes; without weights no table is made.
std::uint64_t rope_table_limit(const Metadata& m) {
  if (m.file.data() == TensorData::absent) return kMaxRopeTableBytes;
  return std::clamp<std::uint64_t>(m.file.file_bytes(), kMaxRopeTableOfSmallFile, kMaxRopeTableBytes);
}

void read_rope(const Metadata& m, Hyperparameters& shape) {
  const std::string base = m.key_of("rope.freq_base");
  shape.rope_base = positive(m, base, m.file.get_float(base).value_or(10000.0));
  shape.rope_scale = read_rope_scale(m);
  shape.rope_dims = get_size(m, "rope.dimension_count", kMaxHeadDim).value_or(shape.head_dim);
  if (shape.rope_dims % 2 != 0 || shape.rope_dims > shape.head_dim) {
    m.file.fail(
        fmt::format("'{}rope.dimension_count' is {}, but should be even and at most the head dimension {}; "
                    "convert the model again",
                    m.prefix, shape.rope_dims, shape.head_dim));
  }
  const std::uint64_t table = std::uint64_t{shape.context} * shape.rope_dims * sizeof(float);
  const std::uint64_t limit = rope_table_limit(m);
  if (table > limit) {
    m.file.fail(
        fmt::format("'{}context_length': the rotary table of {} positions and {} dimensions takes {} "
                    "MiB, over the limit of {} for a file of this size; use a model with a shorter context",
                    m.prefix, shape.context, shape.rope_dims, table >> 20, limit >> 20));
  }
}

void read_vocabulary(const Metadata& m, Hyperparameters& shape) {
  const GgufTensor* table = m.file.find_tensor("token_embd.weight");
  if (table == nullptr) {
    m.file.fail(
        "tensor 'token_embd.weight' is missing: the file holds no weights of a model (a vocabulary "
        "alone cannot run); use a complete model");
  }
  check_range(m, "rows of token_embd.weight", table->rows(), kMaxVocabulary);
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

Hyperparameters read_hyperparameters(const GgufFile& file, const Architecture& architecture,
                                     std::optional<RopePairs> rope_pairs) {
  const Metadata m{file, std::string(architecture.name) + "."};
  Hyperparameters shape;
  shape.architecture = architecture.name;
  shape.rope_pairs = rope_pairs.value_or(architecture.rope_pairs);
  check_kind(m, shape);
  shape.layers = require_size(m, "block_count", kMaxLayers);
  shape.width = require_size(m, "embedding_length", kMaxWidth);
  shape.context = require_size(m, "context_length", kMaxContext);
  const auto feed_forward = get_uniform_size(m, "feed_forward_length", shape.layers, kMaxFeedForward);
  if (!feed_forward)
    m.file.fail(fmt::format("key '{}feed_forward_length' is missing; convert the model again", m.prefix));
  shape.feed_forward = *feed_forward;
  read_heads(m, shape);
  refuse_variants(m, shape);
  const std::string epsilon = m.key_of("attention.layer_norm_rms_epsilon");
  const std::optional<double> value = m.file.get_float(epsilon);
  if (!value)
    m.file.fail(fmt::format("key {} (a floating-point number) is missing; convert the model again",
                            in_quotes(epsilon)));
  shape.norm_epsilon = static_cast<float>(positive(m, epsilon, *value));
  read_rope(m, shape);
  read_vocabulary(m, shape);
  return shape;
}

}  // namespace tokencycle::model
