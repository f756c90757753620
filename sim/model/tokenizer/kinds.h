// SPDX-License-Identifier: Apache-2.0
// The kinds of tokenizers that make_tokenizer chooses from, and what they share.
#pragma once

#include <memory>

#include "model/tokenizer/partition.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/vocabulary.h"

namespace tokencycle::model {

// A tokenizer that cuts at special tokens and leaves the text between them to its kind.
class PartitioningTokenizer : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text, bool add_special, bool parse_special) const final;
  std::string spelling(TokenId id) const final;
  std::size_t size() const final { return vocabulary_.size(); }

 protected:
  PartitioningTokenizer(Vocabulary vocabulary, SpecialSet special);

  // Appends the tokens of a stretch without special tokens; `after_special` also at the beginning of the
  // text.
  virtual void encode_fragment(std::string_view text, bool after_special,
                               std::vector<TokenId>& out) const = 0;

  // Throws std::out_of_range for an id outside the vocabulary.
  void check_id(TokenId id) const;
  // The text of a token in a vocabulary that spells spaces U+2581.
  std::string marked_text(TokenId id) const;

  Vocabulary vocabulary_;

 private:
  SpecialPartition partition_;
};

inline constexpr std::string_view kSpaceMark = "\xe2\x96\x81";  // U+2581 stands for a space

// What decoding shows for the unknown token (llama.cpp's mark, U+2585).
inline constexpr std::string_view kUnknownMark = "\xe2\x96\x85";

// One function per value of tokenizer.ggml.model; all throw ModelError as make_tokenizer does.
std::unique_ptr<Tokenizer> make_spm_tokenizer(const GgufFile& file);         // "llama"
std::unique_ptr<Tokenizer> make_bpe_tokenizer(const GgufFile& file);         // "gpt2", "gemma4"
std::unique_ptr<Tokenizer> make_word_piece_tokenizer(const GgufFile& file);  // "bert"
std::unique_ptr<Tokenizer> make_unigram_tokenizer(const GgufFile& file);     // "t5"

}  // namespace tokencycle::model
