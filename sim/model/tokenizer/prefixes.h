// SPDX-License-Identifier: Apache-2.0
// Which tokens a text begins with: what Unigram and WordPiece ask at every place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/vocabulary.h"

namespace tokencycle::model {

class PrefixIndex {
 public:
  // Of the tokens of types that `searched` allows. Refers to the spellings in `vocabulary`, which must
  // outlive it. Of equal spellings the last counts, as in Vocabulary::find.
  template <class Searched>
  PrefixIndex(const Vocabulary& vocabulary, Searched searched) {
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      const std::string& spelling = vocabulary.spelling(id);
      if (!spelling.empty() && searched(vocabulary.type(id))) entries_.push_back({spelling, id});
    }
    sort();
  }

  // Calls found(bytes, id) for every token that `text` begins with, the shortest first. Time: the length of
  // the longest shared beginning, times the logarithm of the vocabulary's size.
  template <class Found>
  void each(std::string_view text, Found found) const {
    auto first = entries_.begin();
    auto last = entries_.end();
    for (std::size_t depth = 0; depth < text.size(); ++depth) {
      const auto letter = static_cast<unsigned char>(text[depth]);
      const auto byte = [depth](const Entry& entry) {
        return static_cast<unsigned char>(entry.spelling[depth]);
      };
      if (first != last && first->spelling.size() == depth) ++first;  // reported before
      first = std::partition_point(first, last, [&](const Entry& entry) { return byte(entry) < letter; });
      last = std::partition_point(first, last, [&](const Entry& entry) { return byte(entry) == letter; });
      if (first == last) return;
      if (first->spelling.size() == depth + 1) found(depth + 1, first->id);
    }
  }

 private:
  struct Entry {
    std::string_view spelling;
    TokenId id;
  };
  void sort();

  std::vector<Entry> entries_;  // by spelling, each once
};

}  // namespace tokencycle::model
