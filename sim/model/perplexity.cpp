// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/error.h"
#include "model/reference/reference.h"
#include "numerics/host.h"

namespace tokencycle::model {

double negative_log_likelihood(std::span<const float> logits, TokenId token) {
  if (token >= logits.size()) {
    throw std::out_of_range(fmt::format("token {} has no logit among {}", token, logits.size()));
  }
  // -ln softmax(x)[token] = ln(sum of e^(x[i] - m)) + m - x[token]: no term overflows.
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float x : logits) sum += exp_f64(x - largest);
  return log_f64(sum) + (largest - static_cast<double>(logits[token]));
}

// The definition is that of llama.cpp's perplexity tool: a model that asks for no BOS keeps the first token
// of each window.
Perplexity perplexity(const Tokenizer& tokenizer, std::string_view text, std::uint32_t window,
                      const WindowEvaluator& evaluate) {
  constexpr std::uint32_t kSmallestWindow = 3;  // the first that has a token to score
  if (window < kSmallestWindow) {
    throw UsageError(fmt::format("a perplexity window of {} tokens scores nothing; give at least {}", window,
                                 kSmallestWindow));
  }
  std::vector<TokenId> tokens = tokenizer.encode(text, true, false);
  if (tokens.size() < window) {
    throw ModelError(
        fmt::format("the text has {} tokens, but one perplexity window takes {}; give a longer text or a "
                    "smaller window",
                    tokens.size(), window));
  }
  const SpecialTokens& special = tokenizer.special();
  Perplexity result;
  double total = 0.0;
  for (std::size_t first = 0; first + window <= tokens.size(); first += window) {
    const std::span<TokenId> part = std::span(tokens).subspan(first, window);
    if (special.add_bos && special.bos >= 0) part[0] = static_cast<TokenId>(special.bos);
    const std::vector<std::vector<float>> logits = evaluate(part);
    for (std::uint32_t i = window / 2; i + 1 < window; ++i) {
      total += negative_log_likelihood(logits.at(i), part[i + 1]);
      ++result.scored_tokens;
    }
    ++result.windows;
  }
  result.value = exp_f64(total / static_cast<double>(result.scored_tokens));
  return result;
}

}  // namespace tokencycle::model
