// SPDX-License-Identifier: Apache-2.0
// How chat models are spoken to: the text around a user's message. A file's tokenizer.chat_template is a
// program in Jinja, which is not run; the families of models are known by texts in it, as llama.cpp knows
// them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/gguf.h"

namespace tokencycle::model {

struct ChatFamily {
  std::string_view name;
  std::vector<std::string_view> marks;  // the template has all of these
  std::string_view before, after;       // the message
  std::string_view end = "";            // ends the answer, where it is a token of the vocabulary
  bool trimmed = false;                 // spaces around the message are dropped
};

// All families; of several whose marks a template has, the first counts.
std::span<const ChatFamily> chat_families();

// The family of a template, or one named by it; nullptr where none is known.
const ChatFamily* find_chat_family(std::string_view chat_template);

// The prompt for one message, as the family writes it up to the answer's beginning.
std::string chat_prompt(const ChatFamily& family, std::string_view message);

// The family of the file's tokenizer.chat_template. Throws ModelError where the file has none, or one of no
// known family (with its first line).
const ChatFamily& chat_family_of(const GgufFile& file);

}  // namespace tokencycle::model
