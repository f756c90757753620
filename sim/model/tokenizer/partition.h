// SPDX-License-Identifier: Apache-2.0
// Cuts a text at the spellings of special tokens, before anything else looks at it.
#pragma once

#include <array>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer/vocabulary.h"

namespace tokencycle::model {

// A stretch of plain text, or a special token (then `text` is its spelling).
struct Fragment {
  std::string_view text;
  std::int64_t token = kNoToken;
};

class SpecialPartition {
 public:
  // Refers to the spellings in `vocabulary`, which must outlive it and must not change type afterwards.
  explicit SpecialPartition(const Vocabulary& vocabulary);

  // The text's fragments in order; none for an empty text. User-defined tokens are always matched, control
  // and unknown ones only with parse_special. The longest spelling wins wherever it stands; of two spellings
  // of equal length the one with the smaller id; of two places the left one. White space beside a token that
  // strips it is in no fragment. Time: O(bytes * different lengths).
  std::vector<Fragment> split(std::string_view text, bool parse_special) const;

 private:
  struct SameLength {
    std::size_t length = 0;
    std::array<bool, 256> first_byte{};
    std::unordered_map<std::string_view, TokenId> ids;
  };
  void add_text(std::string_view text, std::int64_t next, std::vector<Fragment>& fragments) const;
  static void add(std::vector<SameLength>& groups, std::string_view spelling, TokenId id);

  const Vocabulary* vocabulary_;
  std::vector<SameLength> user_defined_;  // longest first
  std::vector<SameLength> all_;           // user-defined, control and unknown
};

}  // namespace tokencycle::model
