// SPDX-License-Identifier: Apache-2.0
// The architectures that can run: one row and one builder file each.
#pragma once

#include <span>
#include <string_view>

#include "model/architecture.h"

#include "model/graph/builder.h"

namespace tokencycle::model {

class ConfigObject;

struct Architecture {
  std::string_view name;  // general.architecture of a GGUF file, and the prefix of its keys
  // "architectures" of a config.json whose converted file would have this name; separated by ", ".
  std::string_view config_names;
  RopePairs rope_pairs;
  // Asks for the tensors and makes the graph, in the order of execution.
  void (*build)(GraphBuilder& g, const Hyperparameters& shape);
  // Keys of a config.json that mean something in this architecture alone; refuses what the graph does not
  // compute. `shape` has what all architectures share.
  void (*read_config)(const ConfigObject& config, Hyperparameters& shape);
};

std::span<const Architecture> architectures();

// The row of a file. Throws ModelError, which lists those that are there.
const Architecture& architecture_of(const GgufFile& file);
const Architecture& architecture_of(const ConfigObject& config);

// Of a decoder with rotary positions and a gated feed-forward layer: what several builders share.
// Layer `g` stands at: norm, q, k, v, rotary, attention, addition to x.
struct DecoderOptions {
  bool qkv_bias = false;   // attn_q.bias, attn_k.bias, attn_v.bias
  bool head_norm = false;  // attn_q_norm, attn_k_norm: each head by itself, before it is rotated
};
void build_decoder(GraphBuilder& g, const Hyperparameters& shape, const DecoderOptions& options);

// llama.cpp, ...: the columns `build` and `read_config` of the table.
void build_llama(GraphBuilder& g, const Hyperparameters& shape);
void read_llama_config(const ConfigObject& config, Hyperparameters& shape);
void build_qwen2(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen2_config(const ConfigObject& config, Hyperparameters& shape);
void build_qwen3(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen3_config(const ConfigObject& config, Hyperparameters& shape);

}  // namespace tokencycle::model
