// SPDX-License-Identifier: Apache-2.0
#include "engine/comparison.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>

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

// Lets the reference follow the engine's routers, and counts where that changes its own choice.
class RouterFollower {
 public:
  RouterFollower(const Engine& engine, Comparison& result) : engine_(engine), result_(result) {}

  void start(std::uint32_t position) { start_ = position; }  // of the first token of an append()

  void operator()(const model::Operator& op, std::uint32_t position, std::span<const float> values,
                  std::span<float> places) {
    const Routing& theirs = engine_.routings().at(op.layer);
    const std::size_t row = (position - start_) * theirs.experts;
    for (std::size_t e = 0; e < values.size(); ++e) {
      result_.largest_score_difference =
          std::max(result_.largest_score_difference, std::abs(double{values[e]} - theirs.scores.at(row + e)));
    }
    std::vector<std::uint32_t> ours;
    for (const float place : places) ours.push_back(std::bit_cast<std::uint32_t>(place));
    const std::span chosen = std::span(theirs.order).subspan(row, places.size());
    ++result_.choices;
    const auto only_in = [&](std::span<const std::uint32_t> some, std::span<const std::uint32_t> others) {
      std::vector<float> scores;
      for (const std::uint32_t e : some) {
        if (std::find(others.begin(), others.end(), e) == others.end()) scores.push_back(values[e]);
      }
      return scores;
    };
    const std::vector<float> left_out = only_in(ours, chosen), taken = only_in(chosen, ours);
    if (left_out.empty()) return;  // the same experts
    ++result_.other_choices;
    result_.largest_gap =
        std::max(result_.largest_gap, double{*std::max_element(left_out.begin(), left_out.end())} -
                                          *std::min_element(taken.begin(), taken.end()));
    std::transform(chosen.begin(), chosen.end(), places.begin(), std::bit_cast<float, std::uint32_t>);
  }

 private:
  const Engine& engine_;
  Comparison& result_;
  std::uint32_t start_ = 0;
};

}  // namespace

Comparison compare_greedy(const std::filesystem::path& file, const std::vector<model::TokenId>& prompt,
                          int steps) {
  const model::LlamaModel model{model::GgufFile(file)};
  model::Reference reference(model, Format::f16);
  Engine engine(file);
  Comparison result;
  RouterFollower follower(engine, result);
  reference.set_chooser(std::ref(follower));

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
    follower.start(reference.position());
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
