// SPDX-License-Identifier: Apache-2.0
// From a model file to a graph of operators: what the reference executes and the compiler translates.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/gguf/gguf.h"

namespace tokencycle::model {

enum class RopePairs : std::uint8_t { adjacent, split };  // (2i, 2i+1), or (i, i + rotate/2)

// The shape of a llama-architecture transformer.
struct Hyperparameters {
  std::string architecture, name;
  std::uint32_t layers = 0;
  std::uint32_t width = 0;         // embedding length D
  std::uint32_t heads = 0;         // query heads
  std::uint32_t kv_heads = 0;      // divides heads; 1: MQA, = heads: MHA
  std::uint32_t head_dim = 0;      // of keys and values
  std::uint32_t feed_forward = 0;  // F
  std::uint32_t vocabulary = 0;    // rows of the embedding table
  std::uint32_t context = 0;       // positions
  float norm_epsilon = 1e-5f;
  double rope_base = 10000.0;
  double rope_scale = 1.0;      // linear scaling: theta_i is divided by it
  std::uint32_t rope_dims = 0;  // rotated elements of a head, even
  RopePairs rope_pairs = RopePairs::adjacent;
  bool tied_output = false;  // the output head is the embedding table
  std::uint32_t kv_width() const { return kv_heads * head_dim; }
  std::uint32_t query_width() const { return heads * head_dim; }
};

// A weight as stored: rows x cols (n x k), row-major, in its file format. Data stays in the mapped file; it
// is empty when the file's tensor data is absent.
struct Weight {
  std::string name;
  Format format = Format::f32;
  std::uint32_t rows = 0, cols = 0;
  std::uint64_t offset = 0;  // within GgufFile::tensor_data()
  std::span<const std::byte> data;
  std::span<const std::byte> row(std::uint32_t r) const {
    const std::uint64_t n = row_bytes(format, cols);
    return data.subspan(r * n, n);
  }
};

struct LayerWeights {
  Weight attn_norm, attn_q, attn_k, attn_v, attn_output, ffn_norm, ffn_gate, ffn_up, ffn_down;
};

enum class OperatorKind : std::uint8_t {
  embedding,  // x = table[token]
  rms_norm,   // h = norm(x) * gain
  query,
  key,
  value,  // q, k, v = h * W (fp32)
  rotary_query,
  rotary_key,
  attention,         // append k, v to the cache; o = softmax(q K^T / sqrt(d)) V
  attention_output,  // x = x + o * W
  gate,
  up,          // g, u = h * W
  activation,  // f = silu(g) * u
  down,        // x = x + f * W
  output,      // logits = h * W
};

// One step of the graph, executed in order. The name is the same in traces, results and errors.
struct Operator {
  OperatorKind kind = OperatorKind::embedding;
  std::string name;  // "embedding", "blk.0.attn_norm", "blk.0.attn_q", "blk.0.rope_q", "blk.0.attention",
                     // "blk.0.attn_output", "blk.0.ffn_gate", "blk.0.ffn_act", ..., "output_norm", "output"
  int layer = -1;
  const Weight* weight = nullptr;    // projection, norm gain or table; nullptr where there is none
  std::uint32_t output_columns = 0;  // fp32 values a token that the operator leaves (reference taps)
};

// A model ready to run. Owns the file mapping; weights point into it.
class LlamaModel {
 public:
  // Throws ModelError: missing keys and tensors, wrong shapes, tensors that the graph does not use (biases,
  // experts, ...), types without a format, scalings other than none and linear, all by name.
  // rope_pairs overrides the pairing of the architecture ("llama": adjacent).
  explicit LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs = std::nullopt);

  const GgufFile& file() const { return file_; }
  const Hyperparameters& shape() const { return shape_; }
  const Weight& embedding() const { return embedding_; }
  const Weight& output_norm() const { return output_norm_; }
  const Weight& output() const { return shape_.tied_output ? embedding_ : output_; }
  const LayerWeights& layer(std::uint32_t i) const { return layers_[i]; }
  const std::vector<Operator>& graph() const { return graph_; }

  // cos and sin of each position: row p is [rope_dims / 2][2] fp32 (cos, sin), as numerics/README.md says,
  // with the file's rope_freqs.weight factors when it has them. Empty when tensor data is absent.
  const std::vector<float>& rope_table() const { return rope_table_; }

  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

 private:
  GgufFile file_;
  Hyperparameters shape_;
  Weight embedding_, output_norm_, output_;
  std::vector<LayerWeights> layers_;
  std::vector<Operator> graph_;
  std::vector<float> rope_table_;
};

}  // namespace tokencycle::model
