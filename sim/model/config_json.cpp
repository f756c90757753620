// SPDX-License-Identifier: Apache-2.0
#include "model/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "base/quantity.h"
#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/limits.h"
#include "model/gguf/parse.h"

namespace tokencycle::model {
namespace {

// What would make the graph compute something else is refused; keys of training, tokens and the like are not
// looked at.
void refuse_variants(const ConfigObject& config, std::uint32_t context) {
  if (config.text("hidden_act").value_or("silu") != "silu") {
    config.fail("hidden_act", "supported is \"silu\"; use a model with this activation");
  }
  if (config.get_positive("partial_rotary_factor").value_or(1.0) != 1.0) {
    config.fail("partial_rotary_factor", "supported is 1: heads that are rotated whole; use such a model");
  }
  // Some files name a window and say that it is not used.
  const bool windowed = config.boolean("use_sliding_window", true);
  const auto window = windowed ? config.get_size("sliding_window", kMaxContext) : std::nullopt;
  if (window && *window < context) {
    config.fail("sliding_window",
                fmt::format("supported is null, or at least the context of {}: full attention; "
                            "use such a model",
                            context));
  }
  for (const std::string& type : config.texts("layer_types").value_or(std::vector<std::string>{})) {
    if (type != "full_attention") {
      config.fail("layer_types", "supported are layers of \"full_attention\" alone; use such a model");
    }
  }
}

void read_heads(const ConfigObject& config, Hyperparameters& s) {
  s.heads = config.size("num_attention_heads", kMaxHeads);
  s.kv_heads = config.get_size("num_key_value_heads", kMaxHeads).value_or(s.heads);
  const auto head_dim = config.get_size("head_dim", kMaxHeadDim);
  if (!head_dim && s.width % s.heads != 0) {
    config.fail("head_dim",
                fmt::format("needed, since {} heads do not divide the width {}; add it to the file", s.heads,
                            s.width));
  }
  s.head_dim = head_dim.value_or(s.width / s.heads);
}

void check_heads(const ConfigObject& config, const Hyperparameters& s) {
  if (s.heads % s.kv_heads != 0) {
    config.fail("num_key_value_heads",
                fmt::format("allowed is a divisor of the {} heads; mend the file", s.heads));
  }
  if (s.head_dim % 2 != 0 || s.head_dim > kMaxHeadDim) {
    config.fail("head_dim",
                fmt::format("the heads' dimension of {} should be even and at most {}; mend the file",
                            s.head_dim, kMaxHeadDim));
  }
}

class Keys {
 public:
  Keys(GgufContents& contents, std::string_view architecture)
      : contents_(contents), architecture_(architecture) {}
  void put(std::string_view key, GgufValue value) {
    contents_.metadata.emplace_back(fmt::format("{}.{}", architecture_, key), std::move(value));
  }
  void put_size(std::string_view key, std::uint32_t value) { put(key, std::uint64_t{value}); }

 private:
  GgufContents& contents_;
  std::string_view architecture_;
};

// Rotary base and scaling: rope_theta and rope_scaling, or both in rope_parameters (transformers 5). Scaling
// of the type llama3 changes the values of the rotary table and nothing else; a converted file holds its
// factors: whether there are such.
bool read_rope(const ConfigObject& config, Keys& keys) {
  const char* name = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const std::optional<ConfigObject> scaling = config.object(name);
  const ConfigObject& base = scaling && scaling->has("rope_theta") ? *scaling : config;
  keys.put("rope.freq_base", base.get_positive("rope_theta").value_or(10000.0));
  if (!scaling) return false;
  const char* type_key = scaling->has("rope_type") ? "rope_type" : "type";
  const std::string type = scaling->text(type_key).value_or("default");
  if (type == "linear") {
    keys.put("rope.scaling.type", std::string("linear"));
    keys.put("rope.scaling.factor", scaling->positive("factor"));
  } else if (type == "llama3") {
    for (const char* key : {"factor", "low_freq_factor", "high_freq_factor"}) scaling->positive(key);
    scaling->size("original_max_position_embeddings", kMaxContext);
    return true;
  } else if (type != "default") {
    scaling->fail(type_key, "supported are default, linear and llama3; use a model with one of them");
  }
  return false;
}

Format weight_format(const ConfigObject& config, std::optional<Format> asked) {
  if (asked) return *asked;
  if (config.has("quantization_config")) {
    config.fail("quantization_config",
                fmt::format("the weights are stored in a format of their own; choose --weights {}",
                            kModelFormats.names()));
  }
  const char* key = config.has("dtype") ? "dtype" : "torch_dtype";
  const std::string type = config.text(key).value_or("");
  if (type == "float32") return Format::f32;
  if (type == "float16") return Format::f16;
  if (type == "bfloat16") return Format::bf16;
  config.fail(key, fmt::format("supported are float32, float16 and bfloat16; choose --weights {}",
                               kModelFormats.names()));
}

// Lays out the tensors that a builder asks for one after the other, aligned as in a file.
class Directory final : public TensorSource {
 public:
  Directory(GgufContents& contents, Format format) : contents_(contents), format_(format) {}

  Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    return add(name, rows, cols, format_);
  }
  Weight vector(const std::string& name, std::uint32_t cols) override {
    return add(name, 1, cols, Format::f32);
  }

 private:
  Weight add(const std::string& name, std::uint32_t rows, std::uint32_t cols, Format format) {
    GgufTensor tensor;
    tensor.name = name;
    tensor.shape = {cols, rows};
    tensor.format = format;
    tensor.supported = true;
    for (const char c : name_of(format)) tensor.type_name += static_cast<char>(std::toupper(c));
    tensor.bytes = rows * row_bytes(format, cols);
    tensor.file_offset = next_;
    next_ = round_up(next_ + tensor.bytes, kDefaultAlignment);
    const Weight weight{name, format, rows, cols, tensor.file_offset, {}};
    contents_.tensors.push_back(std::move(tensor));
    return weight;
  }

  GgufContents& contents_;
  Format format_;
  std::uint64_t next_ = 0;
};

// Rows of block formats are whole blocks; a converter would choose another format for such a tensor.
void check_blocks(const ConfigObject& config, const Hyperparameters& s, Format format) {
  const std::uint32_t unit = block_elements(format);
  const auto check = [&](const char* key, std::uint64_t row, const char* what) {
    if (row % unit == 0) return;
    config.fail(key,
                fmt::format("{} of {} values are no whole blocks of {}, which {} asks for; choose --weights "
                            "f16 or another plain format",
                            what, row, unit, name_of(format)));
  };
  check("hidden_size", s.width, "rows");
  check("intermediate_size", s.feed_forward, "rows");
  check("num_attention_heads", std::uint64_t{s.heads} * s.head_dim, "rows (heads x head dimension)");
}

}  // namespace

bool looks_like_config_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  char first = 0;
  return in && (in >> first) && first == '{';  // >> skips white space
}

GgufFile read_config_json(const std::filesystem::path& path, std::optional<Format> weights) {
  std::vector<std::byte> bytes = read_config_bytes(path);
  const ConfigObject config(path, bytes);
  const std::uint32_t context = config.size("max_position_embeddings", kMaxContext);
  const Architecture& architecture = architecture_of(config);
  refuse_variants(config, context);

  GgufContents contents;
  contents.metadata.emplace_back("general.architecture", std::string(architecture.name));
  if (const auto name = config.text("_name_or_path")) contents.metadata.emplace_back("general.name", *name);
  Keys keys(contents, architecture.name);
  Hyperparameters s;
  s.layers = config.size("num_hidden_layers", kMaxLayers);
  s.width = config.size("hidden_size", kMaxWidth);
  s.feed_forward = config.size("intermediate_size", kMaxFeedForward);
  s.vocabulary = config.size("vocab_size", kMaxVocabulary);
  s.tied_output = config.boolean("tie_word_embeddings", false);
  read_heads(config, s);
  architecture.read_config(config, s);
  check_heads(config, s);
  s.rope_dims = s.head_dim;
  if (std::uint64_t{context} * s.head_dim * sizeof(float) > kMaxRopeTableBytes) {
    config.fail(
        "max_position_embeddings",
        fmt::format("the rotary table of so many positions and {} dimensions would take more than {} MiB; "
                    "write a smaller context into the file",
                    s.head_dim, kMaxRopeTableBytes >> 20));
  }
  keys.put_size("block_count", s.layers);
  keys.put_size("embedding_length", s.width);
  keys.put_size("context_length", context);
  keys.put_size("feed_forward_length", s.feed_forward);
  keys.put_size("attention.head_count", s.heads);
  keys.put_size("attention.head_count_kv", s.kv_heads);
  keys.put_size("attention.key_length", s.head_dim);
  keys.put_size("attention.value_length", s.head_dim);
  keys.put("attention.layer_norm_rms_epsilon", config.positive("rms_norm_eps"));
  const bool rope_factors = read_rope(config, keys);
  const Format format = weight_format(config, weights);
  check_blocks(config, s, format);
  Directory directory(contents, format);
  if (rope_factors) directory.vector("rope_freqs.weight", s.rope_dims / 2);  // first, as converters write it
  Graph graph;
  GraphBuilder builder(graph, directory);
  architecture.build(builder, s);
  contents.directory_end = bytes.size();
  return GgufFile(path, std::move(contents), std::move(bytes));
}

}  // namespace tokencycle::model
