// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "model/gguf/reader.h"
#include "model/tokenizer/kinds.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

std::string Tokenizer::decode(const std::vector<TokenId>& ids) const {
  std::string text;
  bool strip = strips_leading_space();
  for (const TokenId id : ids) {
    std::string piece = decode(id);
    if (piece.empty()) continue;
    text.append(piece, strip && piece.front() == ' ' ? 1 : 0);
    strip = false;
  }
  return text;
}

bool Tokenizer::ends_text(TokenId id) const {
  return std::binary_search(end_tokens_.begin(), end_tokens_.end(), id);
}

PartitioningTokenizer::PartitioningTokenizer(Vocabulary vocabulary, SpecialSet special)
    : vocabulary_(std::move(vocabulary)), partition_(vocabulary_) {
  special_ = special.tokens;
  end_tokens_ = std::move(special.end_tokens);
}

std::vector<TokenId> PartitioningTokenizer::encode(std::string_view text, bool add_special,
                                                   bool parse_special) const {
  std::vector<TokenId> ids;
  if (add_special && special_.add_bos) ids.push_back(static_cast<TokenId>(special_.bos));
  bool after_special = true;
  for (const Fragment& fragment : partition_.split(text, parse_special)) {
    if (fragment.token == kNoToken) {
      encode_fragment(fragment.text, after_special, ids);
    } else {
      ids.push_back(static_cast<TokenId>(fragment.token));
    }
    after_special = fragment.token != kNoToken;
  }
  if (add_special && special_.add_eos) ids.push_back(static_cast<TokenId>(special_.eos));
  if (add_special && special_.add_separator) ids.push_back(static_cast<TokenId>(special_.separator));
  return ids;
}

void PartitioningTokenizer::check_id(TokenId id) const {
  if (id < vocabulary_.size()) return;
  throw std::out_of_range(fmt::format("token id {} is outside the vocabulary; it has the ids 0 to {}", id,
                                      vocabulary_.size() - 1));
}

std::string PartitioningTokenizer::spelling(TokenId id) const {
  check_id(id);
  return vocabulary_.spelling(id);
}

std::string PartitioningTokenizer::marked_text(TokenId id) const {
  const std::string& spelling = vocabulary_.spelling(id);
  switch (vocabulary_.type(id)) {
    case TokenType::normal:
      return replace_all(spelling, kSpaceMark, " ");
    case TokenType::user_defined:
      return spelling;
    case TokenType::unknown:
      return std::string(kUnknownMark);
    case TokenType::byte: {
      const int value = byte_token_value(spelling);
      return value >= 0 ? std::string(1, static_cast<char>(value)) : spelling;
    }
    case TokenType::control:
    case TokenType::unused:
    case TokenType::undefined:
      return "";
  }
  return "";
}

namespace {

struct Kind {
  std::string_view name;  // of tokenizer.ggml.model
  std::string_view what;
  std::unique_ptr<Tokenizer> (*make)(const GgufFile& file);
};
constexpr std::array kKinds = {
    Kind{"llama", "SentencePiece-style BPE", make_spm_tokenizer},
    Kind{"gpt2", "byte-level BPE", make_bpe_tokenizer},
    Kind{"gemma4", "BPE of characters", make_bpe_tokenizer},
    Kind{"bert", "WordPiece", make_word_piece_tokenizer},
    Kind{"t5", "Unigram", make_unigram_tokenizer},
};

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.ggml.model";
  const std::optional<std::string> model = file.get_string(kKey);
  if (!model.has_value()) {
    file.fail(
        fmt::format("the file names no tokenizer ({} is absent). Use a model file that was converted with "
                    "its tokenizer",
                    kKey));
  }
  std::string known;
  for (const Kind& kind : kKinds) {
    if (*model == kind.name) return kind.make(file);
    known += fmt::format("{}\"{}\" ({})", known.empty() ? "" : ", ", kind.name, kind.what);
  }
  file.fail(fmt::format("{} is {}, which is not supported; supported are {}. Use a model with one of these",
                        kKey, in_quotes(*model), known));
}

}  // namespace tokencycle::model
