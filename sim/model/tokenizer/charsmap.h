// SPDX-License-Identifier: Apache-2.0
// The normalization rules of a Unigram vocabulary (tokenizer.ggml.precompiled_charsmap), as SentencePiece
// writes them: a double array of the beginnings that are replaced (github.com/s-yata/darts-clone), and the
// replacements as texts that a zero byte ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/gguf.h"

namespace tokencycle::model {

class CharsMap {
 public:
  // No rules where the file has none. Throws ModelError for a table of the wrong type or size.
  explicit CharsMap(const GgufFile& file);

  struct Rule {
    std::size_t length;  // bytes of the text that it replaces
    std::string_view replacement;
  };
  // The rule for the longest beginning of `text`. Throws ModelError where the table points outside itself.
  std::optional<Rule> find(std::string_view text) const;

 private:
  std::uint32_t unit(std::size_t index) const;
  std::string_view replacement(std::size_t offset) const;
  [[noreturn]] void damaged() const;

  std::string file_;  // its name, for messages
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace tokencycle::model
