// SPDX-License-Identifier: Apache-2.0
// SmolLM 3: llama without rotation in every fourth layer. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_smollm3.py.
#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kSmolLm3Period = 4;  // no key of a file says it

}  // namespace

void build_smollm3(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {});
}

void read_smollm3_file(const Metadata&, Hyperparameters& shape) {
  shape.unrotated_every = kSmolLm3Period;
}

void read_smollm3_config(const ConfigObject& config, ConfigShape& shape) {
  refuse_config_biases(config, {"attention_bias", "mlp_bias", "use_sliding_window"});
  shape.size.kv_heads = config.size("num_key_value_heads", kMaxHeads);
  // Of no effect without use_sliding_window.
  config.get_size("sliding_window", kMaxContext);
  config.get_size("max_window_layers", kMaxLayers);
  refuse_local_layers(config, shape);
  const std::string message = "supported is a layer without rotation after every three; use such a model";
  if (config.get_size("no_rope_layer_interval", kMaxLayers).value_or(kSmolLm3Period) != kSmolLm3Period) {
    config.fail("no_rope_layer_interval", message);
  }
  const auto rotated = config.numbers("no_rope_layers");
  for (std::size_t i = 0; rotated && i < rotated->size(); ++i) {
    if (((*rotated)[i] != 0) != ((i + 1) % kSmolLm3Period != 0)) config.fail("no_rope_layers", message);
  }
}

}  // namespace tokencycle::model
