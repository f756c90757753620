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
