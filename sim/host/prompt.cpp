// SPDX-License-Identifier: Apache-2.0
#include "host/prompt.h"

#include <fmt/format.h>

#include "model/chat.h"

namespace tokencycle::host {

namespace {

// As llama.cpp, which keeps such tokens and warns.
std::vector<std::string> notes_on(const std::string& text, const std::vector<model::TokenId>& ids,
                                  const model::SpecialTokens& special) {
  std::vector<std::string> notes;
  if (text.starts_with("\xef\xbb\xbf")) {
    notes.push_back(
        "the prompt begins with a byte-order mark (EF BB BF), which the model reads as text; save the file "
        "without it");
  }
  const auto is_bos = [&](std::size_t i) { return static_cast<std::int64_t>(ids[i]) == special.bos; };
  if (special.add_bos && ids.size() >= 2 && is_bos(0) && is_bos(1)) {
    notes.push_back(fmt::format(
        "the prompt has BOS (token {}) twice: the vocabulary adds it (add_bos_token), and the text "
        "begins with it; leave it out of the text",
        special.bos));
  }
  if (special.add_eos) {
    notes.push_back(fmt::format(
        "the vocabulary puts EOS (token {}) behind the prompt (add_eos_token), as llama.cpp does: the "
        "model reads a text that has ended",
        special.eos));
  }
  if (special.add_separator) {
    notes.push_back(
        fmt::format("the vocabulary puts its separator (token {}) behind the prompt", special.separator));
  }
  return notes;
}

}  // namespace

Prompt read_prompt(const TokenRequest& request, const model::GgufFile& file,
                   const model::Tokenizer& tokenizer) {
  Prompt prompt;
  prompt.text = prompt.shown = request.prompt.value_or(kDefaultPrompt);
  if (request.chat) {
    const model::ChatFamily& family = model::chat_family_of(file);
    prompt.text = model::chat_prompt(family, prompt.shown);
    prompt.shown += "\n\n";
    const auto end = tokenizer.encode(family.end, false, true);
    if (end.size() == 1) prompt.end = end.front();
  }
  prompt.ids = tokenizer.encode(prompt.text, true, true);
  prompt.notes = notes_on(prompt.text, prompt.ids, tokenizer.special());
  return prompt;
}

}  // namespace tokencycle::host
