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

// Scores lie around 1.
bool left_out_with_its_group(float score) {
  return score < -1e6f;
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
      const float score = theirs.scores.at(row + e);
      if (left_out_with_its_group(score) || left_out_with_its_group(values[e])) continue;
      result_.largest_score_difference =
          std::max(result_.largest_score_difference, std::abs(double{values[e]} - score));
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
    // Of experts in groups that the reference leaves out, what their group lacks.
    const float least = *std::min_element(taken.begin(), taken.end());
    const double gap = left_out_with_its_group(least)
                           ? -double{least} / model::kGroupPenalty
                           : double{*std::max_element(left_out.begin(), left_out.end())} - least;
    result_.largest_gap = std::max(result_.largest_gap, gap);
    std::transform(chosen.begin(), chosen.end(), places.begin(), std::bit_cast<float, std::uint32_t>);
  }

 private:
  const Engine& engine_;
  Comparison& result_;
  std::uint32_t start_ = 0;
};

}  // namespace

Comparison compare_greedy(const std::filesystem::path& file, const std::vector<model::TokenId>& prompt,
                          int steps, const Pins& pins) {
  const model::LlamaModel model{model::GgufFile(file)};
  model::Reference reference(model, pins.f32_cache ? Format::f32 : Format::f16);
  Engine engine(file, false, pins);
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

namespace {

using Rows = std::vector<std::vector<float>>;

Rows rows_of(model::Reference& reference, std::span<const model::TokenId> ids) {
  reference.reset();
  Rows rows;
  for (const model::TokenId id : ids) {
    const auto logits = reference.step(id);
    rows.emplace_back(logits.begin(), logits.end());
  }
  return rows;
}

Rows rows_of(Engine& engine, std::span<const model::TokenId> ids) {
  engine.reset();
  const auto logits = engine.append(ids, ids.size());
  Rows rows;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto row = logits.subspan(i * engine.vocabulary(), engine.vocabulary());
    rows.emplace_back(row.begin(), row.end());
  }
  return rows;
}

// Mean and more of numbers that come one by one.
struct Sums {
  double count = 0, sum = 0, squares = 0;
  void add(double x) {
    count += 1;
    sum += x;
    squares += x * x;
  }
  double root_mean_square() const { return std::sqrt(squares / count); }
  double standard_error() const { return std::sqrt((squares / count - sum / count * sum / count) / count); }
};

}  // namespace

TextComparison compare_text(const std::filesystem::path& file, const std::string& text,
                            std::uint32_t window) {
  const model::LlamaModel model{model::GgufFile(file)};
  const auto tokenizer = model::make_tokenizer(model.file());
  model::Reference reference(model, Format::f16);
  Engine engine(file), other(file, false, {.flash_attention = false});
  Sums logits, own_logits, likelihoods;
  double reference_sum = 0;
  TextComparison result;
  result.engine = model::perplexity(*tokenizer, text, window, [&](std::span<const model::TokenId> ids) {
                    const Rows theirs = rows_of(engine, ids), others = rows_of(other, ids),
                               ours = rows_of(reference, ids);
                    for (std::size_t i = ids.size() / 2; i + 1 < ids.size(); ++i) {
                      for (std::size_t id = 0; id < ours[i].size(); ++id) {
                        logits.add(double{ours[i][id]} - theirs[i][id]);
                        own_logits.add(double{others[i][id]} - theirs[i][id]);
                      }
                      const double likelihood = model::negative_log_likelihood(ours[i], ids[i + 1]);
                      reference_sum += likelihood;
                      likelihoods.add(likelihood - model::negative_log_likelihood(theirs[i], ids[i + 1]));
                    }
                    return theirs;
                  }).value;
  result.reference = std::exp(reference_sum / likelihoods.count);
  result.standard_error = likelihoods.standard_error();
  result.logits = logits.root_mean_square();
  result.own_logits = own_logits.root_mean_square();
  return result;
}

}  // namespace tokencycle::engine
