// SPDX-License-Identifier: Apache-2.0
// The text encoder of this project's own: rows of tokens, the last of which is the end of the text and is
// read.
#include "model/architectures/encoder.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "model/gguf/limits.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {

void Encoder::begin() {
  for (std::uint32_t i = 0; i < s_.layers; ++i) {
    g_.set_layer(static_cast<int>(i));
    keys_.push_back(g_.state("keys", "keys", s_.width));
    values_.push_back(g_.state("values", "values", s_.width));
  }
  g_.set_layer(-1);
}

ValueId Encoder::positions(ValueId x, ValueId input) {
  const Weight& table = g_.matrix("position_embd", s_.context, s_.width);
  return add("embedding_sum", x, g_.position_rows("position_embd", input, table));
}

ValueId Encoder::layer(std::uint32_t i, ValueId x) {
  g_.set_layer(static_cast<int>(i));
  x = add("attn_residual", attend(i, norm("attn_norm", x)), x);
  const ValueId up = g_.linear("ffn_up", norm("ffn_norm", x), s_.feed_forward, Bias::always);
  const ValueId f = g_.map("ffn_gelu", MapFunction::gelu_tanh, up);
  return add("ffn_residual", g_.linear("ffn_down", f, s_.width, Bias::always), x);
}

ValueId Encoder::attend(std::uint32_t i, ValueId h) {
  const ValueId q = g_.linear("attn_q", h, s_.width, Bias::always);
  g_.append("cache_k", g_.linear("attn_k", h, s_.width, Bias::always), keys_[i]);
  g_.append("cache_v", g_.linear("attn_v", h, s_.width, Bias::always), values_[i]);
  AttentionShape shape{s_.heads, s_.heads, s_.head_dim, 1.0f / std::sqrt(static_cast<float>(s_.head_dim))};
  shape.causal = false;
  const ValueId o = g_.attention("attention", q, keys_[i], values_[i], shape);
  return g_.linear("attn_output", o, s_.width, Bias::always);
}

void Encoder::finish(ValueId x) {
  g_.set_layer(-1);
  const ValueId h = norm("output_norm", x);
  g_.outputs_only(h);
  g_.set_result(g_.linear("cls.output", h, s_.vocabulary));
}

void read_classes(const Metadata& m, Hyperparameters& s) {
  s.rope_dims = 0;
  if (s.kv_heads != s.heads || s.head_dim * s.heads != s.width) {
    m.file.fail(fmt::format(
        "{} heads of {} ({} for keys and values) do not make a width of {}, which is not supported "
        "in this architecture; use a model whose heads share its width",
        s.heads, s.head_dim, s.kv_heads, s.width));
  }
  constexpr std::string_view kTensor = "cls.output.weight";
  const GgufTensor* classes = m.file.find_tensor(kTensor);
  if (classes == nullptr)
    m.file.fail(fmt::format("tensor '{}' is missing; convert the model again", kTensor));
  m.check_range(fmt::format("rows of {}", kTensor), classes->rows(), kMaxVocabulary);
  s.vocabulary = static_cast<std::uint32_t>(classes->rows());
  const std::string key = m.key_of("classifier.output_labels");
  const GgufArray* labels = m.file.get_array(key);
  if (labels == nullptr || labels->strings.size() != s.vocabulary) {
    m.file.fail(
        fmt::format("key '{}' has {} texts, but should have {}, one for each class; convert the model again",
                    key, labels == nullptr ? 0 : labels->strings.size(), s.vocabulary));
  }
  constexpr std::size_t kShown = 64;
  for (const std::string& label : labels->strings) s.labels.push_back(printable(label, kShown));
}

void build_encoder(GraphBuilder& g, const Hyperparameters& s) {
  Encoder e(g, s);
  const ValueId ids = g.token_ids();
  e.begin();
  ValueId x = g.gather_rows("embedding", ids, g.matrix("token_embd", s.tokens, s.width));
  x = e.positions(x, ids);
  for (std::uint32_t i = 0; i < s.layers; ++i) x = e.layer(i, x);
  e.finish(x);
}

void read_encoder_file(const Metadata& m, Hyperparameters& s) {
  read_classes(m, s);
  const std::string key = m.key_of("input_text");
  const std::string text = m.file.get_string(key).value_or("plain");
  if (text != "plain" && text != "mail") {
    m.file.fail(fmt::format("key '{}' is {}, but should be 'plain' or 'mail'; convert the model again", key,
                            in_quotes(text)));
  }
  s.mails = text == "mail";
  const GgufTensor* table = m.file.find_tensor("token_embd.weight");
  if (table == nullptr) m.file.fail("tensor 'token_embd.weight' is missing; convert the model again");
  m.check_range("rows of token_embd.weight", table->rows(), kMaxVocabulary);
  s.tokens = static_cast<std::uint32_t>(table->rows());
}

}  // namespace tokencycle::model
