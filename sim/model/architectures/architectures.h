// SPDX-License-Identifier: Apache-2.0
// The architectures that can run: one row and one builder file each.
#pragma once

#include <span>
#include <string_view>

#include "model/architecture.h"
#include "model/graph/builder.h"

namespace tokencycle::model {

class ConfigObject;
class Metadata;
struct ConfigShape;

// Whether layers have experts instead of one feed-forward network: llama with expert_count is Mixtral.
enum class Experts : std::uint8_t { none, optional, all };
// Whether layers may differ in their feed-forward width and their number of key-value heads, which is 0 where
// a layer has no attention. Cells: no layer has either.
enum class Layers : std::uint8_t { equal, different, cells };

// What a router makes of its scores: their softmax, the softmax of those of the chosen experts alone, or, as
// a key says, softmax or sigmoid.
enum class Routers : std::uint8_t { softmax, of_chosen, either };
// Whether heads have keys and values of their own, or share a row that both are made of.
enum class Heads : std::uint8_t { own, latent };

// What the model has logits of: the next token, or classes of its input.
enum class Result : std::uint8_t { tokens, classes };

struct Architecture {
  std::string_view name;  // general.architecture of a GGUF file, and the prefix of its keys
  // "architectures" of a config.json whose converted file would have this name, and "model_type", which
  // counts where there are none; separated by ", ". Empty: there is no such config.json.
  std::string_view config_names, config_types;
  std::string_view families;  // for people
  RopePairs rope_pairs = RopePairs::adjacent;
  NormKind norm = NormKind::rms;
  std::string_view
      activations;  // names that a config.json may give to the function of the feed-forward layer
  // Asks for the tensors and makes the graph, in the order of execution.
  void (*build)(GraphBuilder& g, const Hyperparameters& shape) = nullptr;
  // Keys of a GGUF file that mean something in this architecture; null: those that all share alone.
  void (*read_file)(const Metadata& m, Hyperparameters& shape) = nullptr;
  // Keys of a config.json that mean something in this architecture; refuses what the graph does not compute.
  // `shape` has what all architectures share.
  void (*read_config)(const ConfigObject& config, ConfigShape& shape) = nullptr;
  Experts experts = Experts::none;
  // What a config.json of this architecture may leave out; null: no size.
  void (*set_config_defaults)(ConfigShape& shape) = nullptr;
  Layers layers = Layers::equal;
  Routers routers = Routers::softmax;
  Heads heads = Heads::own;
  Result result = Result::tokens;
};

std::span<const Architecture> architectures();

// Whether `name` is one of the names in a list like "A, B".
bool is_listed(std::string_view names, std::string_view name);

// The row of a file. Throws ModelError, which lists those that are there.
const Architecture& architecture_of(const GgufFile& file);
// `outer`: the whole file where `config` is the part of it that describes the text.
const Architecture& architecture_of(const ConfigObject& config, const ConfigObject& outer);

// llama.cpp, ...: the columns `build`, `read_file` and `read_config` of the table.
void build_llama(GraphBuilder& g, const Hyperparameters& shape);
void read_llama_file(const Metadata& m, Hyperparameters& shape);
void read_llama_config(const ConfigObject& config, ConfigShape& shape);
void build_qwen2(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen_file(const Metadata& m, Hyperparameters& shape);
void read_qwen2_config(const ConfigObject& config, ConfigShape& shape);
void build_qwen3(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen3_config(const ConfigObject& config, ConfigShape& shape);
void build_qwen3moe(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen3moe_config(const ConfigObject& config, ConfigShape& shape);
void build_olmoe(GraphBuilder& g, const Hyperparameters& shape);
void read_olmoe_config(const ConfigObject& config, ConfigShape& shape);
void build_gemma(GraphBuilder& g, const Hyperparameters& shape);
void read_gemma_file(const Metadata& m, Hyperparameters& shape);
void read_gemma_config(const ConfigObject& config, ConfigShape& shape);
void set_gemma_defaults(ConfigShape& shape);
void build_gemma2(GraphBuilder& g, const Hyperparameters& shape);
void read_gemma2_file(const Metadata& m, Hyperparameters& shape);
void read_gemma2_config(const ConfigObject& config, ConfigShape& shape);
void build_gemma3(GraphBuilder& g, const Hyperparameters& shape);
void read_gemma3_file(const Metadata& m, Hyperparameters& shape);
void read_gemma3_config(const ConfigObject& config, ConfigShape& shape);
void set_gemma3_defaults(ConfigShape& shape);
void build_phi3(GraphBuilder& g, const Hyperparameters& shape);
void read_phi3_file(const Metadata& m, Hyperparameters& shape);
void read_phi3_config(const ConfigObject& config, ConfigShape& shape);
void set_phi3_defaults(ConfigShape& shape);
void build_gpt2(GraphBuilder& g, const Hyperparameters& shape);
void read_gpt2_file(const Metadata& m, Hyperparameters& shape);
void read_gpt2_config(const ConfigObject& config, ConfigShape& shape);
void set_gpt2_defaults(ConfigShape& shape);
void build_gptneox(GraphBuilder& g, const Hyperparameters& shape);
void read_gptneox_file(const Metadata& m, Hyperparameters& shape);
void read_gptneox_config(const ConfigObject& config, ConfigShape& shape);
void set_gptneox_defaults(ConfigShape& shape);
void build_stablelm(GraphBuilder& g, const Hyperparameters& shape);
void read_stablelm_config(const ConfigObject& config, ConfigShape& shape);
void build_olmo2(GraphBuilder& g, const Hyperparameters& shape);
void read_olmo2_file(const Metadata& m, Hyperparameters& shape);
void read_olmo2_config(const ConfigObject& config, ConfigShape& shape);
void build_granite(GraphBuilder& g, const Hyperparameters& shape);
void read_granite_file(const Metadata& m, Hyperparameters& shape);
void read_granite_config(const ConfigObject& config, ConfigShape& shape);
void build_commandr(GraphBuilder& g, const Hyperparameters& shape);
void read_commandr_file(const Metadata& m, Hyperparameters& shape);
void read_commandr_config(const ConfigObject& config, ConfigShape& shape);
void set_commandr_defaults(ConfigShape& shape);
void build_smollm3(GraphBuilder& g, const Hyperparameters& shape);
void read_smollm3_file(const Metadata& m, Hyperparameters& shape);
void read_smollm3_config(const ConfigObject& config, ConfigShape& shape);
void build_lfm2(GraphBuilder& g, const Hyperparameters& shape);
void read_lfm2_file(const Metadata& m, Hyperparameters& shape);
void read_lfm2_config(const ConfigObject& config, ConfigShape& shape);
void set_lfm2_defaults(ConfigShape& shape);
void read_lfm2moe_file(const Metadata& m, Hyperparameters& shape);
void read_lfm2moe_config(const ConfigObject& config, ConfigShape& shape);
void set_lfm2moe_defaults(ConfigShape& shape);
void build_gemma4(GraphBuilder& g, const Hyperparameters& shape);
void read_gemma4_file(const Metadata& m, Hyperparameters& shape);
void read_gemma4_config(const ConfigObject& config, ConfigShape& shape);
void set_gemma4_defaults(ConfigShape& shape);
void build_qwen35(GraphBuilder& g, const Hyperparameters& shape);
void read_qwen35_file(const Metadata& m, Hyperparameters& shape);
void read_qwen35_config(const ConfigObject& config, ConfigShape& shape);
void set_qwen35_defaults(ConfigShape& shape);
void read_qwen35moe_config(const ConfigObject& config, ConfigShape& shape);
void set_qwen35moe_defaults(ConfigShape& shape);
void build_gptoss(GraphBuilder& g, const Hyperparameters& shape);
void read_gptoss_file(const Metadata& m, Hyperparameters& shape);
void read_gptoss_config(const ConfigObject& config, ConfigShape& shape);
void set_gptoss_defaults(ConfigShape& shape);
void build_vit(GraphBuilder& g, const Hyperparameters& shape);
void read_vit_file(const Metadata& m, Hyperparameters& shape);
void build_encoder(GraphBuilder& g, const Hyperparameters& shape);
void read_encoder_file(const Metadata& m, Hyperparameters& shape);
void build_lstm(GraphBuilder& g, const Hyperparameters& shape);
void build_gru(GraphBuilder& g, const Hyperparameters& shape);
void build_deepseek2(GraphBuilder& g, const Hyperparameters& shape);
void read_deepseek2_file(const Metadata& m, Hyperparameters& shape);
void read_deepseek2_config(const ConfigObject& config, ConfigShape& shape);

}  // namespace tokencycle::model
