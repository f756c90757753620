// SPDX-License-Identifier: Apache-2.0
// From a model file to a graph: what the reference executes and the compiler translates.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/gguf/gguf.h"
#include "model/graph/graph.h"

namespace tokencycle::model {

// How positions beyond those of the training are reached.
enum class RopeScaling : std::uint8_t { linear, yarn, longrope };

// The sizes of a transformer as its metadata say them. Builders make the graph from them and the host prints
// them; what executes or compiles a graph reads the graph.
struct Hyperparameters {
  std::string architecture, name;
  std::uint32_t layers = 0;
  std::uint32_t width = 0;                    // embedding length D
  std::uint32_t heads = 0;                    // query heads
  std::uint32_t kv_heads = 0;                 // divides heads; 1: MQA, = heads: MHA
  std::vector<std::uint32_t> layer_kv_heads;  // by layer, where they differ; kv_heads is the most
  std::uint32_t head_dim = 0;      // of keys and values; of latent attention: of a row of its cache
  std::uint32_t feed_forward = 0;  // F; of each expert where there are experts
  std::uint32_t experts = 0;       // of each layer; 0: none
  std::uint32_t experts_used = 0;  // by each token
  std::uint32_t vocabulary = 0;    // rows of the embedding table; of a classifier its classes
  std::uint32_t context = 0;       // positions that the model was made for
  std::uint32_t run_context = 0;   // positions of this run: at most `context`
  float norm_epsilon = 1e-5f;
  bool tied_output = false;  // the output head is the embedding table

  double rope_base = 10000.0;
  double rope_scale = 1.0;      // angles are divided by it: all of them (linear), the slow ones (yarn)
  std::uint32_t rope_dims = 0;  // rotated elements of a head, even; 0: positions are not rotated in
  RopePairs rope_pairs = RopePairs::adjacent;
  RopeScaling rope_scaling = RopeScaling::linear;
  std::uint32_t rope_original_context = 0;   // yarn, longrope: positions of the training
  double rope_magnitude = 1.0;               // of cos and sin
  double yarn_fast = 32.0, yarn_slow = 1.0;  // turns within the original context: from here on, up to here
  std::uint32_t unrotated_every = 0;         // n: every n-th layer is not rotated
  RotaryTable rotary, local_rotary;          // local: of the layers with a window, where it is another one

  std::uint32_t window = 0;        // positions that a token sees in the layers with a window; 0: all
  std::vector<bool> local_layers;  // by layer: it has the window; empty: none has
  double local_rope_base = 0.0;    // 0: rope_base

  float attention_scale = 0;  // 0: 1 / sqrt(head_dim)
  float attention_cap = 0;    // of scores; 0: none
  float logit_cap = 0;        // 0: none
  float logit_scale = 1;      // the three multiply
  float residual_scale = 1;   // what a layer adds to its input
  float embedding_scale = 1;
  bool parallel_residual = false;  // attention and feed-forward read the same input

  std::uint32_t local_head_dim = 0, local_rope_dims = 0;  // of the layers with a window; 0: as in the others
  std::vector<std::uint32_t> layer_feed_forward;          // by layer, where they differ
  std::uint32_t shared_layers = 0;  // so many last layers have no keys and values: they read an earlier one's
  std::uint32_t layer_embedding = 0;  // columns of an embedding that each layer has of its own; 0: none

  // Latent attention: a row of the cache, which all heads share, is what keys and values are made of and the
  // rotated part of the keys. `rank` 0: there is none.
  struct Latent {
    std::uint32_t rank = 0;              // of what keys and values are made of
    std::uint32_t query_rank = 0;        // of what queries are made of; 0: of the layer's input
    std::uint32_t plain = 0, value = 0;  // a head's elements that are not rotated, and its values
  };
  Latent latent;
  std::uint32_t leading_dense = 0;        // layers without experts before those with them
  std::uint32_t dense_feed_forward = 0;   // their width
  std::uint32_t shared_feed_forward = 0;  // width of what every token has beside the chosen experts
  bool sigmoid_router = false;            // instead of softmax
  std::uint32_t expert_groups = 1, expert_groups_used = 1;  // the router chooses groups of experts first
  bool experts_normalized = false;                          // weights of the chosen are divided by their sum
  float experts_scale = 1;                                  // of the weights of the chosen

  std::vector<bool> recurrent_layers;            // by layer: it has no attention; empty: none
  std::uint32_t taps = 0;                        // of a recurrent layer's convolution
  DeltaShape delta;                              // of its linear attention
  std::uint32_t image_size = 0, patch_size = 0;  // pixels a side, of models of images
  std::vector<std::string> labels;               // of the classes
  std::uint32_t tokens = 0;                      // of a text classifier: rows of the embedding table
  bool mails = false;                            // its texts are mails (model/mail.h)
  std::uint32_t layers_beside = 0;  // that a file has behind the model's, for tokens further ahead

  bool recurrent(std::uint32_t layer) const {
    return layer < recurrent_layers.size() && recurrent_layers[layer];
  }
  bool rotated(std::uint32_t layer) const {
    return rope_dims != 0 && (unrotated_every == 0 || (layer + 1) % unrotated_every != 0);
  }
  bool local(std::uint32_t layer) const {
    return window != 0 && layer < local_layers.size() && local_layers[layer];
  }
  std::uint32_t head_dim_of(std::uint32_t layer) const {
    return local(layer) && local_head_dim != 0 ? local_head_dim : head_dim;
  }
  std::uint32_t rope_dims_of(std::uint32_t layer) const {
    return local(layer) && local_rope_dims != 0 ? local_rope_dims : rope_dims;
  }
  std::uint32_t kv_heads_of(std::uint32_t layer) const {
    return layer_kv_heads.empty() ? kv_heads : layer_kv_heads[layer];
  }
  // Of the network that is no expert's.
  std::uint32_t feed_forward_of(std::uint32_t layer) const {
    if (!layer_feed_forward.empty()) return layer_feed_forward[layer];
    return dense_feed_forward != 0 ? dense_feed_forward : feed_forward;
  }
  std::uint32_t kv_width(std::uint32_t layer) const { return kv_heads_of(layer) * head_dim_of(layer); }
  std::uint32_t query_width(std::uint32_t layer) const { return heads * head_dim_of(layer); }
  // The layer whose keys and values a layer reads: of the last that have some, the one of its kind.
  std::uint32_t cache_layer(std::uint32_t layer) const {
    const std::uint32_t own = layers - shared_layers;
    return layer < own ? layer : own - (local(layer) ? 2 : 1);
  }
};

// A model ready to run. Owns the file mapping; weights point into it.
class LlamaModel {
 public:
  // Throws ModelError: an unknown architecture, missing keys and tensors, wrong shapes, tensors and keys that
  // the graph does not use (biases, experts, ...), types that cannot be computed with, all by name.
  // rope_pairs overrides the pairing of the architecture. `context`: positions of the run, 0 for all that the
  // model was made for; the factors of longrope and the length of the tables depend on it.
  explicit LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs = std::nullopt,
                      std::uint32_t context = 0);

  const GgufFile& file() const { return file_; }
  const Hyperparameters& shape() const { return shape_; }
  const Graph& graph() const { return graph_; }
  // Of the first matrix that something is multiplied with: the format that most weights of a file share.
  Format matrix_format() const;

  // Of a constant of the graph, cos and sin of each position of the run: row p is [rope_dims / 2][2] fp32
  // (cos, sin), as numerics/README.md says. Empty when tensor data is absent.
  const std::vector<float>& rotary_table(ValueId constant) const { return rotary_tables_.at(constant); }

  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

 private:
  GgufFile file_;
  Hyperparameters shape_;
  Graph graph_;
  std::map<ValueId, std::vector<float>> rotary_tables_;
};

// Throws UsageError for an encoder, which has classes of an input and no next token.
void require_generative(const LlamaModel& model);

}  // namespace tokencycle::model
