// SPDX-License-Identifier: Apache-2.0
// How byte-level BPE vocabularies cut text into words before they merge: by regular expressions that
// tokenizer.ggml.pre names.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::model {

struct PreTokenizerRule {
  std::vector<std::string_view> names;  // values of tokenizer.ggml.pre
  // Applied one after the other, each to the pieces that the one before left. Matches become pieces, and so
  // does the text between them.
  std::vector<std::string> patterns;
  bool ignore_merges = false;  // a word that is a token as a whole is taken without merging
  bool add_bos = false;        // default of tokenizer.ggml.add_bos_token
  // Merges begin with characters, spaces are U+2581, and the rest becomes byte tokens <0x00> to <0xFF>. A
  // piece of line ends that is a token is taken whole, and BOS is added whatever the file says.
  bool of_characters = false;
};

// The rule called `name`, or nullptr.
const PreTokenizerRule* find_pretokenizer(std::string_view name);

// "default, deepseek-coder, ..." in alphabetical order.
std::string pretokenizer_names();

class PreTokenizer {
 public:
  explicit PreTokenizer(const PreTokenizerRule& rule);
  ~PreTokenizer();

  // The pieces of `text` in order; together they are the text. A byte that is not valid UTF-8 counts as
  // U+FFFD. Throws ModelError when a regular expression exceeds the work limit of its library.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  class Pattern;
  std::vector<std::unique_ptr<Pattern>> patterns_;
  std::string name_;
};

}  // namespace tokencycle::model
