// SPDX-License-Identifier: Apache-2.0
// From a model file to a graph: what the reference executes and the compiler translates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/gguf/gguf.h"
#include "model/graph/graph.h"

namespace tokencycle::model {

// The sizes of a transformer as its metadata say them. Builders make the graph from them and the host prints
// them; what executes or compiles a graph reads the graph.
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

// A model ready to run. Owns the file mapping; weights point into it.
class LlamaModel {
 public:
  // Throws ModelError: an unknown architecture, missing keys and tensors, wrong shapes, tensors that the
  // graph does not use (biases, experts, ...), types that cannot be computed with, scalings other than none
  // and linear, all by name. rope_pairs overrides the pairing of the architecture.
  explicit LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs = std::nullopt);

  const GgufFile& file() const { return file_; }
  const Hyperparameters& shape() const { return shape_; }
  const Graph& graph() const { return graph_; }
  // Of the first matrix that something is multiplied with: the format that most weights of a file share.
  Format matrix_format() const;

  // cos and sin of each position: row p is [rope_dims / 2][2] fp32 (cos, sin), as numerics/README.md says,
  // with the file's rope_freqs.weight factors when it has them. Empty when tensor data is absent.
  const std::vector<float>& rope_table() const { return rope_table_; }

  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

 private:
  GgufFile file_;
  Hyperparameters shape_;
  Graph graph_;
  std::vector<float> rope_table_;
};

}  // namespace tokencycle::model
