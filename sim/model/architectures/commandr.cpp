// SPDX-License-Identifier: Apache-2.0
// Command R: norms of centered rows without a bias, attention and feed-forward side by side, logits with a
// factor, and the embedding as the output head. Source of the config.json's keys:
// github.com/huggingface/transformers, configuration_cohere.py; of what a converted file means: llama.cpp,
// src/models/command-r.cpp.
#include <fmt/format.h>

#include "model/architectures/config_shape.h"
#include "model/architectures/decoder.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

constexpr std::uint32_t kFirstWithHeadNorms = 64;  // layers: such models norm queries and keys, too

}  // namespace

void build_commandr(GraphBuilder& g, const Hyperparameters& s) {
  Decoder d(g, s, NormKind::centered);
  ValueId x = d.embed();
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    d.enter(i);
    const ValueId h = d.norm("attn_norm", x);
    const ValueId o = d.attend(d.project(h, Bias::none));
    x = d.add("attn_residual", o, d.add("ffn_residual", d.gated(h, MapFunction::silu), x));
  }
  d.finish(x);
}

void read_commandr_file(const Metadata& m, Hyperparameters& shape) {
  shape.logit_scale = static_cast<float>(m.get_positive("logit_scale", true).value_or(1.0));
  if (shape.layers >= kFirstWithHeadNorms) {
    m.file.fail(
        fmt::format("key 'command-r.block_count' is {}: models of {} and more layers norm queries and "
                    "keys, which is not supported; use a smaller model of the family",
                    shape.layers, kFirstWithHeadNorms));
  }
  if (m.file.find_tensor("output.weight") != nullptr) {
    m.file.fail(
        "tensor 'output.weight': this architecture's output is the embedding table; convert the model "
        "again");
  }
}

void read_commandr_config(const ConfigObject& config, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  refuse_config_biases(config, {"attention_bias", "use_qk_norm"});
  s.tied_output = config.boolean("tie_word_embeddings", true);
  if (!s.tied_output) config.fail("tie_word_embeddings", "supported is true; use such a model");
  if (s.layers >= kFirstWithHeadNorms) {
    config.fail("num_hidden_layers",
                fmt::format("allowed: 1 to {}, beyond which queries and keys have norms; use "
                            "a smaller model of the family",
                            kFirstWithHeadNorms - 1));
  }
  s.context = config.get_size("model_max_length", kMaxContext).value_or(s.context);  // as converters take it
  s.logit_scale = static_cast<float>(config.get_positive("logit_scale").value_or(0.0625));
  shape.own_keys.emplace_back("logit_scale", static_cast<double>(s.logit_scale));
}

// As CohereConfig has them.
void set_commandr_defaults(ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  s.layers = 40, s.width = 8192, s.feed_forward = 22528, s.vocabulary = 256000, s.context = 8192;
  s.heads = 64, s.norm_epsilon = 1e-5f;
}

}  // namespace tokencycle::model
