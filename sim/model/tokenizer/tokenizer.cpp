// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "model/gguf/reader.h"
#include "model/tokenizer/kinds.h"

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
  return ids;
}

void PartitioningTokenizer::check_id(TokenId id) const {
  if (id < vocabulary_.size()) return;
  throw std::out_of_range(fmt::format("token id {} is outside the vocabulary; it has the ids 0 to {}", id,
                                      vocabulary_.size() - 1));
}

std::unique_ptr<Tokenizer> make_tokenizer(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.ggml.model";
  const std::optional<std::string> model = file.get_string(kKey);
  if (!model.has_value()) {
    file.fail(
        fmt::format("the file names no tokenizer ({} is absent). Use a model file that was converted with "
                    "its tokenizer",
                    kKey));
  }
  if (*model == "llama") return make_spm_tokenizer(file);
  if (*model == "gpt2") return make_bpe_tokenizer(file);
  file.fail(
      fmt::format("{} is {}, which is not supported; supported are \"llama\" (SentencePiece-style BPE) "
                  "and \"gpt2\" (byte-level BPE). Use a model with one of these",
                  kKey, in_quotes(*model)));
}

}  // namespace tokencycle::model
