// SPDX-License-Identifier: Apache-2.0
#include "host/classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "model/mail.h"
#include "numerics/host.h"

namespace tokencycle::host {

std::vector<model::TokenId> classifier_tokens(std::string_view text, std::string_view name,
                                              const model::LlamaModel& model,
                                              const model::Tokenizer& tokenizer) {
  const std::int64_t end = tokenizer.special().eos;
  if (end < 0 || tokenizer.size() != model.shape().tokens) {
    throw ModelError(fmt::format(
        "{}: the vocabulary has {} tokens and {}, and the embedding table {} rows; convert the model again",
        model.file().path().string(), tokenizer.size(), end < 0 ? "no end of a text" : "an end of a text",
        model.shape().tokens));
  }
  const std::string plain = model.shape().mails ? model::mail_text(text) : std::string(text);
  if (plain.empty())
    throw ModelError(fmt::format("{}: there is no text in it to classify; give another", name));
  std::vector<model::TokenId> ids = tokenizer.encode(plain, false, false);
  ids.resize(std::min<std::size_t>(ids.size(), model.shape().context - 1));
  ids.push_back(static_cast<model::TokenId>(end));
  return ids;
}

std::vector<ClassShare> class_shares(std::span<const float> logits, std::span<const std::string> labels) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<ClassShare> shares;
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    shares.push_back({labels[i], exp_f64(logits[i] - largest)});
    sum += shares.back().probability;
  }
  for (ClassShare& share : shares) share.probability /= sum;
  std::stable_sort(shares.begin(), shares.end(),
                   [](const ClassShare& a, const ClassShare& b) { return a.probability > b.probability; });
  return shares;
}

}  // namespace tokencycle::host
