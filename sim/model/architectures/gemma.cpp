// SPDX-License-Identifier: Apache-2.0
// Gemma: llama with a scaled embedding and GELU. Its gains are 1 + w, which a GGUF file has added. Source of
// the config.json's keys: github.com/huggingface/transformers, configuration_gemma.py.
#include <cmath>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

void build_gemma(GraphBuilder& g, const Hyperparameters& shape) {
  build_usual(g, shape, {.activation = MapFunction::gelu_tanh});
}

void read_gemma_file(const Metadata&, Hyperparameters& shape) {
  shape.embedding_scale = std::sqrt(static_cast<float>(shape.width));
}

void read_gemma_config(const ConfigObject& config, ConfigShape& shape) {
  refuse_config_biases(config, {"attention_bias"});
  shape.size.tied_output = config.boolean("tie_word_embeddings", true);
}

void set_gemma_defaults(ConfigShape& shape) {
  shape.size.head_dim = 256;
}

}  // namespace tokencycle::model
