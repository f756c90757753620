// SPDX-License-Identifier: Apache-2.0
// Unigram, the tokenizer of T5: of all ways to cut the normalized text into tokens the one whose scores
// (logarithms of probabilities) have the largest sum, by Viterbi's algorithm.
// Behaviour as in github.com/ggml-org/llama.cpp, src/llama-vocab.cpp (tokenizer "UGM").
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/kinds.h"
#include "model/tokenizer/prefixes.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

namespace {

// How much less than the least token's score a character outside the vocabulary has (SentencePiece's
// kUnkPenalty).
constexpr float kUnknownPenalty = 10.0f;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD, for bytes that are not UTF-8

class UnigramTokenizer final : public PartitioningTokenizer {
 public:
  UnigramTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special);

  using Tokenizer::decode;
  std::string decode(TokenId id) const override;
  bool strips_leading_space() const override { return add_space_prefix_; }
  std::string kind() const override { return "Unigram"; }

 protected:
  void encode_fragment(std::string_view text, bool after_special, std::vector<TokenId>& out) const override;

 private:
  // The best way to reach a place of the text: the last token, where it begins, and the sum of scores.
  struct Best {
    TokenId token;
    std::size_t from = 0;
    double score = std::numeric_limits<double>::lowest();
  };
  std::string normalize(std::string_view text) const;
  std::vector<Best> best_cuts(std::string_view text) const;
  float score(TokenId id) const {
    return vocabulary_.type(id) == TokenType::user_defined ? 0.0f : vocabulary_.score(id);
  }

  PrefixIndex tokens_;
  CharsMap rules_;
  bool add_space_prefix_, merge_spaces_;
  float unknown_score_ = 0;
};

bool in_unigram(TokenType type) {
  return type == TokenType::normal || type == TokenType::user_defined || type == TokenType::unused;
}

UnigramTokenizer::UnigramTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special)
    : PartitioningTokenizer(std::move(vocabulary), std::move(special)),
      tokens_(vocabulary_, in_unigram),
      rules_(file),
      add_space_prefix_(file.get_bool("tokenizer.ggml.add_space_prefix").value_or(true)),
      merge_spaces_(file.get_bool("tokenizer.ggml.remove_extra_whitespaces").value_or(false)) {
  if (special_.unknown == kNoToken) {
    file.fail(
        "the vocabulary has no unknown token (tokenizer.ggml.unknown_token_id), so not every text has "
        "tokens. "
        "Convert the model again");
  }
  float least = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (vocabulary_.type(id) == TokenType::normal) least = std::min(least, vocabulary_.score(id));
  }
  unknown_score_ = least - kUnknownPenalty;
}

// The rules' replacements, with U+2581 for spaces: one before the first word (add_space_prefix), or one
// before every word and none elsewhere (remove_extra_whitespaces).
std::string UnigramTokenizer::normalize(std::string_view text) const {
  std::string normal;
  bool in_word = false, has_prefix = false;
  const auto append = [&](std::string_view piece) {
    for (const char letter : piece) {
      if (letter == ' ') {
        in_word = false;
        if (!merge_spaces_) normal += kSpaceMark;
        continue;
      }
      if (!in_word && (merge_spaces_ || (add_space_prefix_ && !has_prefix))) {
        normal += kSpaceMark;
        has_prefix = true;
      }
      in_word = true;
      normal += letter;
    }
  };
  while (!text.empty()) {
    std::size_t length = 0;
    if (const auto rule = rules_.find(text)) {
      append(rule->replacement);
      length = rule->length;
    } else if (length = utf8_sequence_length(text, 0); length > 0) {
      append(text.substr(0, length));
    } else {
      append(kReplacement);
      length = 1;
    }
    text.remove_prefix(length);
  }
  return normal;
}

std::vector<UnigramTokenizer::Best> UnigramTokenizer::best_cuts(std::string_view text) const {
  const auto unknown = static_cast<TokenId>(special_.unknown);
  std::vector<Best> best(text.size() + 1, Best{.token = unknown});
  best[0].score = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t character = std::max<std::size_t>(utf8_sequence_length(text, at), 1);
    const double before = best[at].score;
    const auto offer = [&](std::size_t length, TokenId token, double score) {
      Best& place = best[at + length];
      if (before + score > place.score) place = {token, at, before + score};
    };
    bool known = false;  // whether the character alone is a token
    tokens_.each(text.substr(at), [&](std::size_t length, TokenId token) {
      known = known || length == character;
      offer(length, token, score(token));
    });
    if (!known) offer(character, unknown, unknown_score_);
    at += character;
  }
  return best;
}

void UnigramTokenizer::encode_fragment(std::string_view text, bool /*after_special*/,
                                       std::vector<TokenId>& out) const {
  const std::string normal = normalize(text);
  if (normal.empty()) return;
  const auto unknown = static_cast<TokenId>(special_.unknown);
  const std::vector<Best> best = best_cuts(normal);
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  bool after_unknown = false;  // several in a row are one
  for (std::size_t at = normal.size(); at > 0; at = best[at].from) {
    const TokenId token = best[at].token;
    if (token != unknown || !after_unknown) out.push_back(token);
    after_unknown = token == unknown;
  }
  std::reverse(out.begin() + first, out.end());
}

std::string UnigramTokenizer::decode(TokenId id) const {
  check_id(id);
  return marked_text(id);
}

}  // namespace

std::unique_ptr<Tokenizer> make_unigram_tokenizer(const GgufFile& file) {
  Vocabulary vocabulary(file);
  const SpecialDefaults defaults{.eos = 1, .unknown = 2, .add_eos = true};
  SpecialSet special = read_special_tokens(file, vocabulary, defaults);
  return std::make_unique<UnigramTokenizer>(file, std::move(vocabulary), std::move(special));
}

}  // namespace tokencycle::model
