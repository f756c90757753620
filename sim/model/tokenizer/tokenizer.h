// SPDX-License-Identifier: Apache-2.0
// Text <-> token ids with the vocabulary in the model file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/gguf.h"

namespace tokencycle::model {

using TokenId = std::uint32_t;

struct SpecialTokens {
  // -1: the vocabulary has none
  std::int64_t bos = -1, eos = -1, eot = -1, unknown = -1, separator = -1;
  bool add_bos = false, add_eos = false, add_separator = false;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Token ids of UTF-8 text. BOS, EOS and separator as the file asks are added when add_special is set. With
  // parse_special, the spelling of a control or user-defined token in the text becomes that token;
  // user-defined tokens are always matched. Invalid UTF-8 is handled as bytes, never refused.
  virtual std::vector<TokenId> encode(std::string_view text, bool add_special, bool parse_special) const = 0;

  // The bytes that a token stands for when it follows other text (a partial UTF-8 sequence is possible);
  // control tokens give "". Throws std::out_of_range for an id outside the vocabulary.
  virtual std::string decode(TokenId id) const = 0;

  // The whole text: as decode() of each, without the space that SentencePiece puts before the first word.
  std::string decode(const std::vector<TokenId>& ids) const;

  // Whether the first text token's leading space is an artefact of the vocabulary (add_space_prefix).
  virtual bool strips_leading_space() const = 0;

  // The token as the vocabulary spells it, "\u2581the" or "\u0120the"; control tokens too. Throws as
  // decode().
  virtual std::string spelling(TokenId id) const = 0;

  virtual std::size_t size() const = 0;
  virtual std::string kind() const = 0;  // "SentencePiece-style BPE", "byte-level BPE (gpt-2)"
  const SpecialTokens& special() const { return special_; }
  bool ends_text(TokenId id) const;  // EOS, EOT (or another end-of-generation token of the file)

 protected:
  SpecialTokens special_;
  std::vector<TokenId> end_tokens_;  // sorted
};

// Builds the tokenizer that `file` describes by tokenizer.ggml.model: "llama" (SentencePiece-style BPE with
// byte fallback), "gpt2" and "gemma4" (BPE with the pre-tokenizer named by tokenizer.ggml.pre), "bert"
// (WordPiece), "t5" (Unigram). Others are refused by name (ModelError), as are tables of the wrong length.
std::unique_ptr<Tokenizer> make_tokenizer(const GgufFile& file);

}  // namespace tokencycle::model
