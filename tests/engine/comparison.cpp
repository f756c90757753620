// SPDX-License-Identifier: Apache-2.0
#include "engine/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/engine.h"
#include "model/reference/reference.h"

namespace tokencycle::engine {

namespace {

std::size_t largest(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double margin(std::span<const float> logits) {
  std::vector<float> two(2);
  std::partial_sort_copy(logits.begin(), logits.end(), two.begin(), two.end(), std::greater<>());
  return double{two[0]} - two[1];
}

}  // namespace

Comparison compare_greedy(const std::filesystem::path& file, const std::vector<model::TokenId>& prompt,
                          int steps) {
  const model::LlamaModel model{model::GgufFile(file)};
  model::Reference reference(model, Format::f16);
  Engine engine(file);
  Comparison result;

  // The engine evaluates the prompt as one batch, the reference one token at a time.
  const std::span<const float> rows = engine.append(prompt, prompt.size());
  const std::size_t vocabulary = engine.vocabulary();
  std::span<const float> theirs, ours;
  const auto measure = [&] {
    for (std::size_t id = 0; id < vocabulary; ++id) {
      result.largest_difference =
          std::max(result.largest_difference, std::abs(double{ours[id]} - theirs[id]));
    }
  };
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    theirs = rows.subspan(i * vocabulary, vocabulary);
    ours = reference.step(prompt[i]);
    measure();
  }
  while (true) {
    const auto token = static_cast<model::TokenId>(largest(theirs));
    ++result.steps;
    if (largest(ours) != token) {
      ++result.different;
      result.largest_margin = std::max(result.largest_margin, margin(theirs));
    }
    if (result.different == 0) ++result.equal_steps;
    if (result.steps == steps || engine.ends_text(token)) return result;
    theirs = engine.append({&token, 1}, 1);
    ours = reference.step(token);
    measure();
  }
}

Perplexities compare_perplexity(const std::filesystem::path& file, const std::string& text,
                                std::uint32_t window) {
  const model::LlamaModel model{model::GgufFile(file)};
  const auto tokenizer = model::make_tokenizer(model.file());
  model::Reference reference(model, Format::f16);
  Engine engine(file);
  const auto ours = [&](std::span<const model::TokenId> ids) {
    reference.reset();
    std::vector<std::vector<float>> rows;
    for (const model::TokenId id : ids) {
      const auto logits = reference.step(id);
      rows.emplace_back(logits.begin(), logits.end());
    }
    return rows;
  };
  const auto theirs = [&](std::span<const model::TokenId> ids) {
    engine.reset();
    const auto logits = engine.append(ids, ids.size());
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto row = logits.subspan(i * engine.vocabulary(), engine.vocabulary());
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  };
  return {model::perplexity(*tokenizer, text, window, ours).value,
          model::perplexity(*tokenizer, text, window, theirs).value};
}

}  // namespace tokencycle::engine
