// SPDX-License-Identifier: Apache-2.0
#include "support/synthetic_model.h"

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

#include "model/architectures/parts.h"

namespace tokencycle::test {
namespace {

// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // Uniform in [-1, 1).
  float symmetric() {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return static_cast<float>(static_cast<std::int64_t>(z >> 40) - (std::int64_t{1} << 23)) / 8388608.0f;
  }

 private:
  std::uint64_t state_;
};

// UTF-8 of a code point below 0x800.
std::string utf8(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

// GPT-2's printable symbol of each byte: itself where it is printable, else the next code point from 256 on.
std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    symbols.push_back(utf8(printable ? byte : next++));
  }
  return symbols;
}

constexpr int kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;  // token types of the format

void put_vocabulary(GgufWriter& writer, const std::vector<std::string>& tokens,
                    const std::vector<std::int32_t>& types) {
  writer.strings("tokenizer.ggml.tokens", tokens).i32_array("tokenizer.ggml.token_type", types);
}

void put_llama_tokenizer(GgufWriter& writer, std::uint32_t size) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> types = {kUnknown, kControl, kControl};
  for (unsigned byte = 0; byte < 256; ++byte) {
    tokens.push_back(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">");
    types.push_back(kByte);
  }
  std::vector<float> scores(tokens.size(), 0.0f);
  const std::string space = "\xe2\x96\x81";  // U+2581
  // Earlier pieces merge first. Every piece can be built from two earlier or single-letter ones.
  std::vector<std::string> pieces = {space + "t", "he", space + "the", space + "a",
                                     "in",        "nd", space + "and"};
  for (char c = 'a'; c <= 'z'; ++c) pieces.push_back(std::string(1, c));
  for (const std::string& mark : {space, std::string("."), std::string(",")}) pieces.push_back(mark);
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) pieces.push_back({a, b});
  }
  std::set<std::string> seen;
  for (const std::string& piece : pieces) {
    if (tokens.size() == size) break;
    if (!seen.insert(piece).second) continue;
    tokens.push_back(piece);
    types.push_back(kNormal);
    scores.push_back(-static_cast<float>(seen.size()));
  }
  while (tokens.size() < size) {  // unused entries, as padded vocabularies have
    tokens.push_back("<pad" + std::to_string(tokens.size()) + ">");
    types.push_back(kControl);
    scores.push_back(0.0f);
  }
  writer.string("tokenizer.ggml.model", "llama").f32_array("tokenizer.ggml.scores", scores);
  put_vocabulary(writer, tokens, types);
  writer.u32("tokenizer.ggml.unknown_token_id", 0).u32("tokenizer.ggml.bos_token_id", 1);
  writer.u32("tokenizer.ggml.eos_token_id", 2).boolean("tokenizer.ggml.add_bos_token", true);
}

void put_gpt2_tokenizer(GgufWriter& writer, std::uint32_t size) {
  std::vector<std::string> tokens = byte_symbols();
  std::vector<std::int32_t> types(tokens.size(), kNormal);
  tokens.push_back("<|endoftext|>");
  types.push_back(kControl);
  const std::string space = utf8(0x120);
  std::vector<std::pair<std::string, std::string>> pairs = {
      {space, "t"}, {"h", "e"}, {space + "t", "he"}, {space, "a"},
      {"i", "n"},   {"n", "d"}, {space + "a", "nd"}};
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) pairs.emplace_back(std::string(1, a), std::string(1, b));
  }
  std::set<std::string> seen;
  std::vector<std::string> merges;
  for (const auto& [left, right] : pairs) {
    if (tokens.size() == size) break;
    if (!seen.insert(left + right).second) continue;
    merges.push_back(left + " " + right);
    tokens.push_back(left + right);
    types.push_back(kNormal);
  }
  while (tokens.size() < size) {
    tokens.push_back("<|pad" + std::to_string(tokens.size()) + "|>");
    types.push_back(kControl);
  }
  writer.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "gpt-2");
  put_vocabulary(writer, tokens, types);
  writer.strings("tokenizer.ggml.merges", merges);
  writer.u32("tokenizer.ggml.bos_token_id", 256).u32("tokenizer.ggml.eos_token_id", 256);
}

// Writes tensors with values from one stream, so that a seed fixes the whole file.
class TensorMaker {
 public:
  TensorMaker(GgufWriter& writer, const SyntheticModel& spec)
      : writer_(writer), spec_(spec), random_(spec.seed) {}

  void matrix(const std::string& name, std::uint64_t rows, std::uint64_t cols, Format format,
              std::uint64_t experts = 0, float largest = 0) {
    if (cols % block_elements(format) != 0) format = Format::f16;
    // Uniform, so variance 1 / cols where nothing else is asked for.
    const float scale = largest != 0 ? largest : std::sqrt(3.0f / static_cast<float>(cols));
    std::vector<float> values(rows * cols * std::max<std::uint64_t>(experts, 1));
    for (float& value : values) value = random_.symmetric() * scale;
    std::vector<std::uint64_t> shape = {cols, rows};
    if (experts > 0) shape.push_back(experts);
    writer_.tensor(name, shape, format, values);
  }

  void table(const std::string& name, std::uint64_t rows, std::uint64_t cols) {
    matrix(name, rows, cols, spec_.embedding.value_or(spec_.matrices));
  }

  void gain(const std::string& name, std::uint64_t width, float around = 1.0f) {
    std::vector<float> values(width);
    for (float& value : values) value = around * (1.0f + 0.25f * random_.symmetric());
    writer_.tensor(name, {width}, spec_.norms, values);
  }

  // In f32, around a value.
  void row(const std::string& name, std::uint64_t width, float around) {
    std::vector<float> values(width);
    for (float& value : values) value = around + 0.25f * random_.symmetric();
    writer_.tensor(name, {width}, Format::f32, values);
  }

  void bias(const std::string& name, std::uint64_t width) {
    std::vector<float> values(width);
    for (float& value : values) value = 0.5f * random_.symmetric();
    writer_.tensor(name, {width}, Format::f32, values);
  }

 private:
  GgufWriter& writer_;
  const SyntheticModel& spec_;
  Random random_;
};

const model::Architecture& row_of(const SyntheticModel& spec) {
  for (const model::Architecture& row : model::architectures()) {
    if (row.name == spec.architecture) return row;
  }
  throw std::invalid_argument("no architecture " + spec.architecture);
}

void put_hyperparameters(GgufWriter& writer, const SyntheticModel& spec) {
  const std::string prefix = spec.architecture + ".";
  writer.string("general.architecture", spec.architecture).string("general.name", "synthetic");
  writer.u32(prefix + "context_length", spec.context).u32(prefix + "embedding_length", spec.width);
  writer.u32(prefix + "block_count", spec.layers);
  if (has_cells(spec)) return;
  if (spec.layer_feed_forward.empty()) writer.u32(prefix + "feed_forward_length", spec.feed_forward);
  if (!spec.layer_feed_forward.empty()) {
    writer.i32_array(prefix + "feed_forward_length", spec.layer_feed_forward);
  }
  if (!spec.sections.empty()) writer.i32_array(prefix + "rope.dimension_sections", spec.sections);
  if (!spec.local_layers.empty()) {
    writer.i32_array(prefix + "attention.sliding_window_pattern", spec.local_layers);
  }
  writer.u32(prefix + "attention.head_count", spec.heads);
  if (spec.layer_kv_heads.empty()) writer.u32(prefix + "attention.head_count_kv", spec.kv_heads);
  if (!spec.layer_kv_heads.empty()) writer.i32_array(prefix + "attention.head_count_kv", spec.layer_kv_heads);
  if (spec.experts != 0) {
    writer.u32(prefix + "expert_count", spec.experts).u32(prefix + "expert_used_count", spec.experts_used);
    writer.u32(prefix + "expert_feed_forward_length", expert_width(spec));
    if (spec.architecture == "deepseek2") writer.boolean(prefix + "expert_weights_norm", spec.biases);
  }
  if (spec.head_dim != 0) {
    writer.u32(prefix + "attention.key_length", spec.head_dim)
        .u32(prefix + "attention.value_length", spec.head_dim);
  }
  if (spec.rope_dims != 0) writer.u32(prefix + "rope.dimension_count", spec.rope_dims);
  if (spec.rope_scale != 1.0f) {
    writer.string(prefix + "rope.scaling.type", "linear")
        .f32(prefix + "rope.scaling.factor", spec.rope_scale);
  }
  if (!spec.rope_scaling.empty()) writer.string(prefix + "rope.scaling.type", spec.rope_scaling);
  for (const auto& [key, value] : spec.sizes) writer.u32(prefix + key, value);
  for (const auto& [key, value] : spec.numbers) writer.f32(prefix + key, value);
  if (spec.architecture == "gptneox") writer.boolean(prefix + "use_parallel_residual", spec.parallel);
  if (spec.architecture != "gpt2") writer.f32(prefix + "rope.freq_base", spec.rope_base);
  const bool layer_norm = row_of(spec).norm != model::NormKind::rms;
  writer.f32(prefix + (layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
             1e-5f);
}

void put_layer(TensorMaker& maker, const SyntheticModel& spec, std::uint32_t head_dim, std::uint32_t layer) {
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const std::uint64_t query = std::uint64_t{spec.heads} * head_dim,
                      kv = std::uint64_t{spec.kv_heads} * head_dim;
  maker.gain(prefix + "attn_norm.weight", spec.width);
  if (spec.architecture == "olmoe") {
    maker.gain(prefix + "attn_q_norm.weight", query);
    maker.gain(prefix + "attn_k_norm.weight", kv);
  }
  if (spec.architecture == "qwen3" || spec.architecture == "qwen3moe") {
    maker.gain(prefix + "attn_q_norm.weight", head_dim);
    maker.gain(prefix + "attn_k_norm.weight", head_dim);
  }
  if (spec.architecture == "qwen2") {
    maker.bias(prefix + "attn_q.bias", query);
    maker.bias(prefix + "attn_k.bias", kv);
    maker.bias(prefix + "attn_v.bias", kv);
  }
  maker.matrix(prefix + "attn_q.weight", query, spec.width, spec.matrices);
  maker.matrix(prefix + "attn_k.weight", kv, spec.width, spec.matrices);
  maker.matrix(prefix + "attn_v.weight", kv, spec.width, spec.matrices);
  maker.matrix(prefix + "attn_output.weight", spec.width, query, spec.matrices);
  maker.gain(prefix + "ffn_norm.weight", spec.width);
  if (spec.experts != 0) {
    maker.matrix(prefix + "ffn_gate_inp.weight", spec.experts, spec.width, Format::f32);
    maker.matrix(prefix + "ffn_gate_exps.weight", spec.feed_forward, spec.width, spec.matrices, spec.experts);
    maker.matrix(prefix + "ffn_up_exps.weight", spec.feed_forward, spec.width, spec.matrices, spec.experts);
    maker.matrix(prefix + "ffn_down_exps.weight", spec.width, spec.feed_forward, spec.matrices, spec.experts);
    return;
  }
  maker.matrix(prefix + "ffn_gate.weight", spec.feed_forward, spec.width, spec.matrices);
  maker.matrix(prefix + "ffn_up.weight", spec.feed_forward, spec.width, spec.matrices);
  maker.matrix(prefix + "ffn_down.weight", spec.width, spec.feed_forward, spec.matrices);
}

// Makes the tensors that a builder asks for, as it asks.
class TensorRecorder final : public model::TensorSource {
 public:
  TensorRecorder(TensorMaker& maker, const SyntheticModel& spec) : maker_(maker), spec_(spec) {}
  model::Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    // They are there already.
    const bool table = name == "token_embd.weight" || name == "output.weight" || name == "cls.output.weight";
    const bool router = name.find(".ffn_gate_inp") != std::string::npos;
    const Format format = router ? Format::f32 : spec_.matrices;
    if (!table) maker_.matrix(name, rows, cols, format);
    return {name, format, rows, cols, 0, {}};
  }
  model::Weight matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                         std::uint32_t cols) override {
    maker_.matrix(name, rows, cols, spec_.matrices, experts);
    return {name, spec_.matrices, rows, cols, 0, {}, experts};
  }
  model::Weight vector(const std::string& name, std::uint32_t cols) override {
    // Where scores are not scaled, the gains of the queries keep them small.
    const bool scales = spec_.architecture == "gemma4" && name.ends_with(".attn_q_norm.weight");
    if (name.ends_with(".bias")) {
      maker_.bias(name, cols);
    } else {
      maker_.gain(name, cols, scales ? 1.0f / std::sqrt(static_cast<float>(cols)) : 1.0f);
    }
    return {name, Format::f32, 1, cols, 0, {}};
  }
  model::Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    if (name.ends_with(".bias") && rows > 1) {
      maker_.matrix(name, rows, cols, Format::f32, 0, 8.0f);  // beyond the limits of some activations
    } else if (rows == 1) {
      maker_.row(name, cols, name.ends_with(".ssm_a") ? -1.0f : 1.0f);
    } else {
      maker_.matrix(name, rows, cols, Format::f32);
    }
    return {name, Format::f32, rows, cols, 0, {}};
  }
  bool has(const std::string& name) const override {
    // Files with fused experts, as gemma4's, have the factors of these in any case.
    if (spec_.fused_experts && name.ends_with(".ffn_down_exps.scale")) return true;
    if (name.ends_with(".scale")) return spec_.scales && name.starts_with("blk.");
    if (name.ends_with(".ffn_gate_up_exps.weight")) return spec_.fused_experts;
    if (spec_.architecture == "gemma4") {  // `parallel`: values are the keys' products in the wide layers
      const bool values = name.ends_with(".attn_v.weight");
      return !spec_.parallel || !values || spec_.local_layers.at(std::stoul(name.substr(4))) != 0;
    }
    return name.ends_with(".bias") ? spec_.biases : !spec_.parallel;
  }

 private:
  TensorMaker& maker_;
  const SyntheticModel& spec_;
};

bool has_classes(const SyntheticModel& spec) {
  return row_of(spec).result == model::Result::classes;
}

void put_labels(GgufWriter& writer, const SyntheticModel& spec) {
  std::vector<std::string> labels;
  for (std::uint32_t i = 0; i < spec.vocabulary; ++i) labels.push_back("class " + std::to_string(i));
  writer.strings(spec.architecture + ".classifier.output_labels", labels);
}

void put_layers_of_builder(GgufWriter& writer, TensorMaker& maker, const SyntheticModel& spec) {
  if (!spec.tied && !has_classes(spec)) maker.table("output.weight", spec.vocabulary, spec.width);
  const TemporaryFile start(writer.bytes());
  const model::GgufFile file(start.path());
  model::Hyperparameters shape = model::read_hyperparameters(file, row_of(spec), std::nullopt, 0);
  model::set_rotary_angles(shape, std::vector<float>(shape.rope_dims / 2, 1.0f));
  model::Graph graph;
  TensorRecorder recorder(maker, spec);
  model::GraphBuilder builder(graph, recorder);
  row_of(spec).build(builder, shape);
}

// As converters write them: small ones for short texts, large ones for long texts.
void put_longrope(GgufWriter& writer, const SyntheticModel& spec, std::size_t pairs) {
  std::vector<float> shorts(pairs), longs(pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    shorts[i] = 1.0f + 0.1f * static_cast<float>(i);
    longs[i] = 1.0f + static_cast<float>(i);
  }
  if (spec.rope_scaling != "longrope" && spec.architecture != "phi3") return;
  writer.tensor("rope_factors_long.weight", {pairs}, Format::f32, longs);
  writer.tensor("rope_factors_short.weight", {pairs}, Format::f32, shorts);
}

}  // namespace

bool has_cells(const SyntheticModel& spec) {
  return row_of(spec).layers == model::Layers::cells;
}

std::uint32_t expert_width(const SyntheticModel& spec) {
  static const std::set<std::string> kNarrow = {"deepseek2", "lfm2moe", "qwen35moe", "gemma4"};
  return kNarrow.contains(spec.architecture) ? spec.feed_forward / 3 : spec.feed_forward;
}

GgufWriter synthetic_gguf(const SyntheticModel& spec) {
  const std::uint32_t head_dim = spec.head_dim != 0 ? spec.head_dim : spec.width / spec.heads;
  if (spec.tokenizer != SyntheticTokenizer::none && spec.vocabulary < 259) {
    throw std::invalid_argument("a synthetic vocabulary has at least 259 tokens");
  }
  GgufWriter writer;
  put_hyperparameters(writer, spec);
  if (spec.tokenizer == SyntheticTokenizer::llama) put_llama_tokenizer(writer, spec.vocabulary);
  if (spec.tokenizer == SyntheticTokenizer::gpt2) put_gpt2_tokenizer(writer, spec.vocabulary);
  TensorMaker maker(writer, spec);
  maker.table(has_classes(spec) ? "cls.output.weight" : "token_embd.weight", spec.vocabulary, spec.width);
  if (has_classes(spec)) put_labels(writer, spec);
  static const std::set<std::string> kByHand = {"llama", "qwen2", "qwen3", "qwen3moe", "olmoe"};
  if (kByHand.contains(spec.architecture) && !spec.biases && !spec.scales && !spec.fused_experts) {
    for (std::uint32_t layer = 0; layer < spec.layers; ++layer) put_layer(maker, spec, head_dim, layer);
    maker.gain("output_norm.weight", spec.width);
    if (!spec.tied) maker.table("output.weight", spec.vocabulary, spec.width);
  } else {
    put_layers_of_builder(writer, maker, spec);
  }
  put_longrope(writer, spec, (spec.rope_dims != 0 ? spec.rope_dims : head_dim) / 2);
  if (spec.rope_factors) {
    std::vector<float> factors((spec.rope_dims != 0 ? spec.rope_dims : head_dim) / 2);
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = 1.0f + static_cast<float>(i);
    if (spec.architecture == "gemma4") {  // as converters write it: a quarter turns, the others do not
      for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = i < factors.size() / 4 ? 1.0f : 1e30f;
    }
    writer.tensor("rope_freqs.weight", {factors.size()}, Format::f32, factors);
  }
  return writer;
}

TemporaryFile write_synthetic_model(const SyntheticModel& spec) {
  return TemporaryFile(synthetic_gguf(spec).bytes());
}

std::unique_ptr<model::LlamaModel> make_synthetic_model(const SyntheticModel& spec) {
  const TemporaryFile file = write_synthetic_model(spec);
  return std::make_unique<model::LlamaModel>(model::GgufFile(file.path()));
}

}  // namespace tokencycle::test
