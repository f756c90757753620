// SPDX-License-Identifier: Apache-2.0
// From the command line's prompt to the tokens that the model reads.
#pragma once

#include <string>
#include <vector>

#include "host/timing_only.h"
#include "model/gguf/gguf.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::host {

struct Prompt {
  std::string text;   // what was tokenized: with --chat, the message in the model's template
  std::string shown;  // before the generated text: with --chat, the message and an empty line
  std::vector<model::TokenId> ids;
  std::int64_t end = -1;           // a token that ends the answer beside those of the vocabulary; -1: none
  std::vector<std::string> notes;  // what the vocabulary added that the user may not expect
};

// Tokenizes request.prompt, or the default prompt. Throws ModelError for --chat with a file whose template is
// absent or of no known family.
Prompt read_prompt(const TokenRequest& request, const model::GgufFile& file,
                   const model::Tokenizer& tokenizer);

}  // namespace tokencycle::host
