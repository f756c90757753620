// SPDX-License-Identifier: Apache-2.0
// The vocabulary tables of a model file, and which of its tokens are special.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/gguf/gguf.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::model {

// The values of tokenizer.ggml.token_type.
enum class TokenType : std::uint8_t {
  undefined = 0,
  normal = 1,
  unknown = 2,
  control = 3,       // has no text: BOS, EOS, turn markers
  user_defined = 4,  // its spelling in a text is always this one token
  unused = 5,
  byte = 6,  // spelled <0x00> to <0xFF>: one raw byte
};

inline constexpr std::int64_t kNoToken = -1;

class Vocabulary {
 public:
  // Reads tokenizer.ggml.tokens, .scores and .token_type. Throws ModelError when the first is missing or
  // empty, a table's length or element type is wrong, a score is not a number or a type is none of TokenType.
  explicit Vocabulary(const GgufFile& file);
  Vocabulary(const Vocabulary&) = delete;  // the index refers to the spellings
  Vocabulary& operator=(const Vocabulary&) = delete;
  Vocabulary(Vocabulary&&) noexcept = default;

  std::size_t size() const { return spelling_.size(); }
  const std::string& spelling(TokenId id) const { return spelling_[id]; }
  float score(TokenId id) const { return score_.empty() ? 0.0f : score_[id]; }
  TokenType type(TokenId id) const { return type_[id]; }
  void set_type(TokenId id, TokenType type) { type_[id] = type; }
  bool has_types() const { return has_types_; }
  // Whether a special token takes the white space of the text before it, or behind it, with it.
  bool strips_before(TokenId id) const { return strips_before_.contains(id); }
  bool strips_behind(TokenId id) const { return strips_behind_.contains(id); }
  void set_strips_before(TokenId id) { strips_before_.insert(id); }
  void set_strips_behind(TokenId id) { strips_behind_.insert(id); }
  std::size_t longest_spelling() const { return longest_; }  // bytes

  // The token spelled so, or kNoToken. Of equal spellings the last counts; the empty one is never found.
  std::int64_t find(std::string_view spelling) const;

 private:
  void read_scores(const GgufFile& file);
  void read_types(const GgufFile& file);

  std::vector<std::string> spelling_;
  std::vector<float> score_;  // empty: all 0
  std::vector<TokenType> type_;
  bool has_types_ = false;
  std::set<TokenId> strips_before_, strips_behind_;
  std::size_t longest_ = 0;
  std::unordered_map<std::string_view, TokenId> id_of_;
};

// What a kind of vocabulary takes for keys that the file lacks.
struct SpecialDefaults {
  std::int64_t bos = kNoToken, eos = kNoToken, unknown = kNoToken, separator = kNoToken;
  bool add_bos = false, add_eos = false;
};

struct SpecialSet {
  SpecialTokens tokens;
  std::vector<TokenId> end_tokens;  // sorted
};

// Reads the ids of special tokens and completes them by spelling, as llama.cpp does: files often lack the
// keys of end-of-turn tokens or give those tokens the wrong type, which is corrected in `vocabulary`. Throws
// ModelError for an id outside the vocabulary (2^32 - 1 means "none").
SpecialSet read_special_tokens(const GgufFile& file, Vocabulary& vocabulary, const SpecialDefaults& defaults);

}  // namespace tokencycle::model
