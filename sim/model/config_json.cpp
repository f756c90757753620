// SPDX-License-Identifier: Apache-2.0
#include "model/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <vector>

#include "base/quantity.h"
#include "model/architectures/architectures.h"
#include "model/architectures/config_shape.h"
#include "model/architectures/parts.h"
#include "model/config_json_text.h"
#include "model/gguf/limits.h"
#include "model/gguf/parse.h"

namespace tokencycle::model {
namespace {

// Keys that are of training, of tokens, or of parts that are not the text model: they change no graph.
constexpr std::string_view kHarmless[] = {
    "architectures",
    "model_type",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "quantization_config",
    "auto_map",
    "initializer_range",
    "initializer_cutoff_factor",
    "use_cache",
    "cache_implementation",
    "pretraining_tp",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "unk_token_id",
    "sep_token_id",
    "decoder_start_token_id",
    "attention_dropout",
    "hidden_dropout",
    "classifier_dropout",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
    "dropout",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "task_specific_params",
    "reorder_and_upcast_attn",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "torchscript",
    "is_decoder",
    "is_encoder_decoder",
    "chunk_size_feed_forward",
    "tokenizer_class",
    "prefix",
    "finetuning_task",
    "vocab_size",
    "tie_word_embeddings",
    "use_flash_attn",
    "attn_implementation",
    "interpolate_factor",
    "keys_to_ignore_at_inference",
    "base_model_pp_plan",
    "base_model_tp_plan",
    "unsloth_version",
    "unsloth_fixed",
    "bad_words_ids",
    "temperature",
    "top_k",
    "top_p",
    "do_sample",
    "norm_position",
    "mlp_hidden_size",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "output_router_logits",
    // Of generation, as older files have them.
    "begin_suppress_tokens",
    "cross_attention_hidden_size",
    "diversity_penalty",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_scores",
    "pruned_heads",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict_in_generate",
    "suppress_tokens",
    "tie_encoder_decoder",
    "typical_p",
};
// The same, and those of images and sound, beside the part that describes the text.
constexpr std::string_view kHarmlessOutside[] = {
    "vision_config",         "boi_token_index",     "eoi_token_index", "image_token_index",
    "mm_tokens_per_image",   "boi_token_id",        "eoi_token_id",    "image_token_id",
    "text_config",           "audio_config",        "audio_token_id",  "boa_token_id",
    "eoa_token_id",          "eoa_token_index",     "video_token_id",  "vision_soft_tokens_per_image",
    "vision_start_token_id", "vision_end_token_id",
};

void refuse_variants(const ConfigObject& config, const Architecture& architecture) {
  for (const char* key : {"hidden_act", "hidden_activation", "activation_function"}) {
    const auto name = config.text(key);
    if (!name || is_listed(architecture.activations, *name)) continue;
    config.fail(key, fmt::format("supported is one of {}; use a model with this activation",
                                 architecture.activations));
  }
}

// Under the first of its names that is there; `by_default` where none is, unless that is 0.
std::uint32_t size_of(const ConfigObject& config, std::initializer_list<std::string_view> names,
                      std::uint32_t limit, std::uint32_t by_default = 0) {
  const std::string_view name = config.first_of(names);
  if (by_default != 0) return config.get_size(name, limit).value_or(by_default);
  return config.size(name, limit);
}

void read_heads(const ConfigObject& config, Hyperparameters& s) {
  s.heads = size_of(config, {"num_attention_heads", "n_head"}, kMaxHeads, s.heads);
  if (s.kv_heads == 0) s.kv_heads = s.heads;
  s.kv_heads = config.get_size("num_key_value_heads", kMaxHeads).value_or(s.kv_heads);
  const auto head_dim = config.get_size("head_dim", kMaxHeadDim);
  if (!head_dim && s.head_dim == 0 && s.width % s.heads != 0) {
    config.fail("head_dim",
                fmt::format("needed, since {} heads do not divide the width {}; add it to the file", s.heads,
                            s.width));
  }
  s.head_dim = head_dim.value_or(s.head_dim != 0 ? s.head_dim : s.width / s.heads);
}

void check_heads(const ConfigObject& config, const Hyperparameters& s) {
  if (s.heads % s.kv_heads != 0) {
    config.fail("num_key_value_heads", fmt::format("it must divide the {} heads; fix the file", s.heads));
  }
  if (s.head_dim % 2 != 0 || s.head_dim > kMaxHeadDim) {
    config.fail("head_dim",
                fmt::format("the heads' dimension of {} should be even and at most {}; fix the file",
                            s.head_dim, kMaxHeadDim));
  }
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
  Directory(GgufContents& contents, Format format, const ConfigShape& shape)
      : contents_(contents),
        format_(format),
        // A mixture's mxfp4 files have it in the experts alone (llama.cpp, src/llama-quant.cpp).
        single_format_(name_of(format) == "mxfp4" && shape.size.experts != 0 ? Format::q8_0 : format),
        shape_(shape) {}

  Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    // Converters leave routers in f32 (llama.cpp, conversion/base.py).
    const bool router =
        name.ends_with(".ffn_gate_inp.weight") || name.ends_with(".ffn_gate_inp_shexp.weight");
    return add(name, rows, cols, router ? Format::f32 : single_format_);
  }
  Weight matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                  std::uint32_t cols) override {
    return add(name, rows, cols, format_, experts);
  }
  Weight vector(const std::string& name, std::uint32_t cols) override {
    return add(name, 1, cols, Format::f32);
  }
  Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    return add(name, rows, cols, Format::f32);
  }
  // Of the tensors that some models of a family lack, those that the file's keys ask for.
  bool has(const std::string& name) const override {
    if (shape_.absent.contains(name)) return false;
    if (name.ends_with(".scale")) return shape_.expert_scales && name.ends_with(".ffn_down_exps.scale");
    if (name.ends_with(".ffn_gate_up_exps.weight")) return shape_.gate_up_experts;
    if (name.ends_with("attn_v.weight") || name.ends_with("layer_output_scale.weight")) return true;
    if (name.ends_with("ffn_norm.weight")) return !shape_.size.parallel_residual;
    if (!name.ends_with(".bias")) return false;
    if (name.ends_with(".exp_probs_b.bias")) return shape_.biases.router;
    if (name.find(".ffn_") != std::string::npos) return shape_.biases.feed_forward;
    return name.find(".attn_output") != std::string::npos ? shape_.biases.output : shape_.biases.qkv;
  }

 private:
  Weight add(const std::string& name, std::uint32_t rows, std::uint32_t cols, Format format,
             std::uint32_t experts = 1) {
    GgufTensor tensor;
    tensor.name = name;
    tensor.shape = {cols, rows};
    if (experts > 1) tensor.shape.push_back(experts);
    tensor.format = format;
    tensor.supported = true;
    for (const char c : name_of(format)) tensor.type_name += static_cast<char>(std::toupper(c));
    tensor.bytes = std::uint64_t{experts} * rows * row_bytes(format, cols);
    tensor.file_offset = next_;
    next_ = round_up(next_ + tensor.bytes, kDefaultAlignment);
    const Weight weight{name, format, rows, cols, tensor.file_offset, {}, experts};
    contents_.tensors.push_back(std::move(tensor));
    return weight;
  }

  GgufContents& contents_;
  Format format_, single_format_;  // of matrices of which a tensor has several, and of the others
  const ConfigShape& shape_;
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
  check(config.has("moe_intermediate_size") ? "moe_intermediate_size" : "intermediate_size", s.feed_forward,
        "rows");
  check("linear_key_head_dim", std::uint64_t{s.delta.heads} * s.delta.dim, "rows (heads x their dimension)");
  check("hidden_size_per_layer_input", s.layer_embedding, "rows");
  check("head_dim", std::uint64_t{s.heads} * s.local_head_dim, "rows (heads x head dimension)");
  check("intermediate_size", s.dense_feed_forward, "rows");
  for (const std::uint32_t n : s.layer_feed_forward) check("intermediate_size", n, "rows");
  check("shared_expert_intermediate_size", s.shared_feed_forward, "rows");
  if (s.latent.rank != 0) {
    check("kv_lora_rank", s.latent.rank, "rows");
    check("q_lora_rank", s.latent.query_rank, "rows");
    check("qk_nope_head_dim", s.latent.plain, "rows");
    check("v_head_dim", std::uint64_t{s.heads} * s.latent.value, "rows (heads x their values)");
    return;
  }
  check("num_attention_heads", std::uint64_t{s.heads} * s.head_dim, "rows (heads x head dimension)");
}

}  // namespace

constexpr std::array<char, 3> kByteOrderMark = {'\xEF', '\xBB', '\xBF'};

bool looks_like_config_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<char, 3> mark{};
  if (!in.read(mark.data(), mark.size()) || mark != kByteOrderMark) in.clear(), in.seekg(0);
  char first = 0;
  return in && (in >> first) && first == '{';  // >> skips white space
}

namespace {

void put_by_layer(Keys& keys, std::string_view key, const std::vector<std::uint32_t>& layers,
                  std::uint32_t all) {
  if (layers.empty()) return keys.put_size(key, all);
  GgufArray array;
  array.unsigned_values.assign(layers.begin(), layers.end());
  keys.put(key, std::move(array));
}

// Everything but rotary positions, as keys of a GGUF file.
void put_shape(Keys& keys, const ConfigShape& shape, const Architecture& architecture) {
  const Hyperparameters& s = shape.size;
  keys.put_size("block_count", s.layers);
  keys.put_size("embedding_length", s.width);
  keys.put_size("context_length", s.context);
  put_by_layer(keys, "feed_forward_length", s.layer_feed_forward,
               s.dense_feed_forward != 0 ? s.dense_feed_forward : s.feed_forward);
  if (s.experts != 0) {
    keys.put_size("expert_count", s.experts);
    keys.put_size("expert_used_count", s.experts_used);
    keys.put_size("expert_feed_forward_length", s.feed_forward);
  }
  keys.put_size("attention.head_count", s.heads);
  put_by_layer(keys, "attention.head_count_kv", s.layer_kv_heads, s.kv_heads);
  keys.put_size("attention.key_length", s.head_dim);
  keys.put_size("attention.value_length", s.latent.rank != 0 ? s.latent.rank : s.head_dim);
  if (s.rope_dims != 0 && s.rope_dims != s.head_dim) keys.put_size("rope.dimension_count", s.rope_dims);
  keys.put(architecture.norm != NormKind::rms ? "attention.layer_norm_epsilon"
                                              : "attention.layer_norm_rms_epsilon",
           static_cast<double>(s.norm_epsilon));
  const auto put_factor = [&](std::string_view key, float value, float neutral) {
    if (value != neutral) keys.put(key, static_cast<double>(value));
  };
  put_factor("attn_logit_softcapping", s.attention_cap, 0.0f);
  put_factor("final_logit_softcapping", s.logit_cap, 0.0f);
  put_factor("residual_scale", s.residual_scale, 1.0f);
  put_factor("embedding_scale", s.embedding_scale, 1.0f);
  put_factor("attention.scale", s.attention_scale, 0.0f);
  for (const auto& [key, value] : shape.own_keys) keys.put(key, value);
  if (s.window == 0) return;
  keys.put_size("attention.sliding_window", s.window);
  GgufArray layers;
  layers.bool_values = s.local_layers;
  keys.put("attention.sliding_window_pattern", std::move(layers));
}

void read_sizes(const ConfigObject& config, const ConfigObject& outer, const Architecture& architecture,
                ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  s.norm_epsilon = 0.0f;
  if (architecture.set_config_defaults != nullptr) architecture.set_config_defaults(shape);
  s.context = size_of(config, {"max_position_embeddings", "n_ctx", "n_positions", "max_sequence_length"},
                      kMaxContext, s.context);
  s.layers = size_of(config, {"num_hidden_layers", "n_layer"}, kMaxLayers, s.layers);
  s.width = size_of(config, {"hidden_size", "n_embd"}, kMaxWidth, s.width);
  if (shape.feed_forward_by_width != 0)
    s.feed_forward = std::min(shape.feed_forward_by_width * s.width, kMaxFeedForward);
  s.feed_forward = size_of(config, {"intermediate_size", "n_inner"}, kMaxFeedForward, s.feed_forward);
  s.vocabulary = size_of(config, {"vocab_size"}, kMaxVocabulary, s.vocabulary);
  const ConfigObject& tied = config.has("tie_word_embeddings") ? config : outer;
  s.tied_output = tied.boolean("tie_word_embeddings", false);
  const std::string_view epsilon = architecture.norm != NormKind::rms
                                       ? config.first_of({"layer_norm_eps", "layer_norm_epsilon", "norm_eps"})
                                       : std::string_view("rms_norm_eps");
  const auto given = config.get_positive(epsilon);
  s.norm_epsilon = static_cast<float>(s.norm_epsilon == 0.0f ? config.positive(epsilon)
                                                             : given.value_or(double{s.norm_epsilon}));
}

}  // namespace

GgufFile read_config_json(const std::filesystem::path& path, std::optional<Format> weights) {
  std::vector<std::byte> bytes = read_config_bytes(path);
  const ConfigObject outer(path, bytes);
  const std::optional<ConfigObject> text = outer.object("text_config");
  const ConfigObject& config = text ? *text : outer;
  const Architecture& architecture = architecture_of(config, outer);
  refuse_variants(config, architecture);

  GgufContents contents;
  contents.metadata.emplace_back("general.architecture", std::string(architecture.name));
  if (const auto name = outer.text("_name_or_path")) contents.metadata.emplace_back("general.name", *name);
  Keys keys(contents, architecture.name);
  ConfigShape shape;
  Hyperparameters& s = shape.size;
  const auto names =
      config.has("architectures") ? config.texts("architectures") : outer.texts("architectures");
  shape.config_name = names && !names->empty() ? names->front() : config.text("model_type").value_or("");
  read_sizes(config, outer, architecture, shape);
  read_heads(config, s);
  s.rope_dims = s.head_dim;
  architecture.read_config(config, shape);
  check_heads(config, s);
  if (s.experts_used > s.experts) {
    config.fail(config.first_of({"num_experts_per_tok", "experts_per_token", "top_k_experts"}),
                fmt::format("allowed: 1 to {}, the number of experts; fix the file", s.experts));
  }
  if (s.rope_dims != 0) s.rope_dims = read_config_rope_dims(config, shape);
  put_shape(keys, shape, architecture);
  const Factors factors = s.rope_dims != 0 ? read_config_rope(config, keys, shape) : Factors::none;
  const bool own_format =
      config.has("dtype") || config.has("torch_dtype") || config.has("quantization_config");
  const Format format = weight_format(own_format ? config : outer, weights);
  check_blocks(config, s, format);
  config.refuse_unread(kHarmless);
  if (text) {
    std::vector<std::string_view> outside(std::begin(kHarmless), std::end(kHarmless));
    outside.insert(outside.end(), std::begin(kHarmlessOutside), std::end(kHarmlessOutside));
    outer.refuse_unread(outside);
  }
  Directory directory(contents, format, shape);
  // First, as converters write them.
  if (factors == Factors::one) directory.vector("rope_freqs.weight", s.rope_dims / 2);
  if (factors == Factors::long_and_short) {
    directory.vector("rope_factors_long.weight", s.rope_dims / 2);
    directory.vector("rope_factors_short.weight", s.rope_dims / 2);
  }
  Graph graph;
  s.rotary.rates.resize(s.rope_dims / 2);
  GraphBuilder builder(graph, directory);
  architecture.build(builder, s);
  contents.directory_end = bytes.size();
  return GgufFile(path, std::move(contents), std::move(bytes));
}

}  // namespace tokencycle::model
