// SPDX-License-Identifier: Apache-2.0
// What goes into a classifier of texts, and what it says: its classes by probability.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::host {

// The first tokens of the text and, last, the end of a text: at most the model's context. `name` is for
// messages. Throws ModelError for an empty text, and for a vocabulary without an end of texts or of another
// size than the model's.
std::vector<model::TokenId> classifier_tokens(std::string_view text, std::string_view name,
                                              const model::LlamaModel& model,
                                              const model::Tokenizer& tokenizer);

struct ClassShare {
  std::string label;
  double probability = 0;
};

// Softmax of the logits in binary64, the likeliest first, of equal ones the first.
std::vector<ClassShare> class_shares(std::span<const float> logits, std::span<const std::string> labels);

}  // namespace tokencycle::host
