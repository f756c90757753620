// SPDX-License-Identifier: Apache-2.0
// The reference beside the independent engine, on the same model file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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
                          int steps);

struct Perplexities {
  double reference = 0, engine = 0;
};
// As model::perplexity() defines it.
Perplexities compare_perplexity(const std::filesystem::path& file, const std::string& text,
                                std::uint32_t window);

}  // namespace tokencycle::engine
