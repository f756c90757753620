// SPDX-License-Identifier: Apache-2.0
// The reference beside the independent engine, on the same model file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::engine {

struct Comparison {
  double largest_difference = 0;  // of a logit, over all positions
  int steps = 0;                  // of the engine's greedy text
  int different = 0;              // where the reference's largest logit is another token's
  double largest_margin = 0;      // between the engine's two best logits at these steps
  int equal_steps = 0;            // before the first of them

  // Of mixtures of experts. A choice is that of one layer for one token. Where the engine chose other experts
  // than the reference, the reference goes on with the engine's.
  int choices = 0, other_choices = 0;
  double largest_score_difference = 0;  // of the scores by which both choose
  double largest_gap = 0;  // between the reference's scores of experts that only one of them chose
};

// Both evaluate `prompt`, then walk along the engine's greedy text of `steps` tokens (or to its end).
Comparison compare_greedy(const std::filesystem::path& file, const std::vector<model::TokenId>& prompt,
                          int steps, const Pins& pins = {});

// Perplexities as model::perplexity() defines them, and how far the logits of their positions lie apart: root
// mean squares of the differences of the reference to the engine, and of the engine to itself with other code
// for attention.
struct TextComparison {
  double reference = 0, engine = 0;
  // Of the mean difference between their logarithms, if the positions' differences are independent.
  double standard_error = 0;
  double logits = 0, own_logits = 0;
};
TextComparison compare_text(const std::filesystem::path& file, const std::string& text, std::uint32_t window);

}  // namespace tokencycle::engine
