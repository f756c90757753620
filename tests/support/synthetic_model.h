// SPDX-License-Identifier: Apache-2.0
// Complete models of the known architectures with seeded random weights, made for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/architecture.h"
#include "support/gguf_writer.h"

namespace tokencycle::test {

enum class SyntheticTokenizer : std::uint8_t {
  none,   // no tokenizer.* keys
  llama,  // SentencePiece-style: 0 <unk>, 1 <s>, 2 </s>, 3..258 the bytes <0x00>..<0xFF>, then word pieces
          // with scores
  gpt2,   // byte-level: 0..255 the byte symbols, 256 <|endoftext|>, then the results of the merges
};

struct SyntheticModel {
  std::uint32_t layers = 2, width = 64, heads = 4, kv_heads = 2, feed_forward = 96;
  std::uint32_t vocabulary = 300;  // at least 259 with a tokenizer
  std::uint32_t context = 128;
  std::uint32_t head_dim = 0;            // 0: width / heads, and no key_length in the file
  std::uint32_t rope_dims = 0;           // 0: head_dim, and no dimension_count in the file
  Format matrices = Format::f32;         // f16 where a row is no multiple of the format's block
  std::optional<Format> embedding = {};  // of the embedding and output tables; as matrices when absent
  Format norms = Format::f32;
  bool tied = false;
  float rope_base = 10000.0f;
  float rope_scale = 1.0f;    // linear scaling where it is not 1
  bool rope_factors = false;  // with a rope_freqs.weight tensor
  std::uint64_t seed = 1;
  SyntheticTokenizer tokenizer = SyntheticTokenizer::llama;
  std::string architecture = "llama";  // a row of the table of architectures
  bool biases = false;                 // those that the architecture may have
  bool scales = false;                 // a factor of each linear's result, and of each expert's
  bool parallel = false;               // attention and feed-forward read the same input (gptneox, stablelm)
  std::string rope_scaling = {};       // rope.scaling.type
  // More keys behind the architecture's name and a dot.
  std::vector<std::pair<std::string, std::uint32_t>> sizes = {};
  std::vector<std::pair<std::string, float>> numbers = {};
  std::uint32_t experts = 0, experts_used = 0;        // of each layer, each with expert_width()
  bool fused_experts = false;                         // gate and up of the experts in one tensor
  std::vector<std::int32_t> layer_kv_heads = {};      // head_count_kv by layer; empty: kv_heads in all
  std::vector<std::int32_t> layer_feed_forward = {};  // the same of feed_forward_length
  std::vector<std::int32_t> sections = {};            // rope.dimension_sections; empty: no such key
  std::vector<std::int32_t> local_layers =
      {};  // attention.sliding_window_pattern by layer; empty: no such key
};

// One small model of every architecture, and some more where an architecture has variants.
std::vector<SyntheticModel> family_models();

// Whether its layers are cells of a recurrent network, which no other program's file or config.json
// describes.
bool has_cells(const SyntheticModel& spec);

// Of each expert: `feed_forward`, or less where some layers have no experts or all tokens have one.
std::uint32_t expert_width(const SyntheticModel& spec);

// The file, for tests that change it before it is written. Weights have standard deviation 1 / sqrt(row
// length), gains lie around 1. Throws std::invalid_argument for a shape that no file can have.
GgufWriter synthetic_gguf(const SyntheticModel& spec);

// The file on disk, for the command line.
TemporaryFile write_synthetic_model(const SyntheticModel& spec);

// The model, loaded; its file is already removed (and stays mapped).
std::unique_ptr<model::LlamaModel> make_synthetic_model(const SyntheticModel& spec);

}  // namespace tokencycle::test
