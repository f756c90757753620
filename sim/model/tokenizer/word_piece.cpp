// SPDX-License-Identifier: Apache-2.0
// WordPiece, the tokenizer of BERT: the text is normalized and cut into words, and each word is covered from
// left to right by the longest tokens. A word that cannot be covered is one unknown token.
// Behaviour as in github.com/ggml-org/llama.cpp, src/llama-vocab.cpp (tokenizer "WPM"); GGUF files spell the
// beginning of a word with U+2581 and drop BERT's "##".
#include <fmt/format.h>

#include "model/tokenizer/kinds.h"
#include "model/tokenizer/prefixes.h"
#include "model/tokenizer/unicode.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

namespace {

class WordPieceTokenizer final : public PartitioningTokenizer {
 public:
  WordPieceTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special);

  using Tokenizer::decode;
  std::string decode(TokenId id) const override;
  bool strips_leading_space() const override { return true; }
  std::string kind() const override { return "WordPiece"; }

 protected:
  void encode_fragment(std::string_view text, bool after_special, std::vector<TokenId>& out) const override;

 private:
  std::vector<std::string> words(std::string_view text) const;
  void encode_word(std::string_view word, std::vector<TokenId>& out) const;

  PrefixIndex tokens_;
  bool lower_case_, strip_accents_;
};

bool in_word_piece(TokenType type) {
  return type != TokenType::control && type != TokenType::unknown && type != TokenType::byte;
}

WordPieceTokenizer::WordPieceTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special)
    : PartitioningTokenizer(std::move(vocabulary), std::move(special)),
      tokens_(vocabulary_, in_word_piece),
      lower_case_(file.get_bool("tokenizer.ggml.normalizer.lowercase").value_or(true)),
      strip_accents_(file.get_bool("tokenizer.ggml.normalizer.strip_accents").value_or(lower_case_)) {
  const auto require = [&](std::int64_t id, const char* key) {
    if (id != kNoToken) return;
    file.fail(fmt::format("the file has no {}, which a WordPiece vocabulary needs. Set it in the file", key));
  };
  require(special_.bos, "tokenizer.ggml.bos_token_id");
  require(special_.separator, "tokenizer.ggml.seperator_token_id");
  require(special_.unknown, "tokenizer.ggml.unknown_token_id");
  // Both whatever the file's flags say; the separator is the end.
  special_.add_bos = special_.add_separator = true;
  special_.add_eos = false;
}

// The ASCII characters of Unicode's categories S, which BERT takes for punctuation.
bool is_ascii_symbol(std::uint32_t point) {
  return point < 0x7F &&
         std::string_view("$+<=>^`|~").find(static_cast<char>(point)) != std::string_view::npos;
}

// Words without their spaces; marks and ideographs are words of their own. What is no UTF-8, control
// characters and (where the file says so) accents are dropped.
std::vector<std::string> WordPieceTokenizer::words(std::string_view text) const {
  std::vector<std::string> found(1);
  const auto begin_word = [&found] {
    if (!found.back().empty()) found.emplace_back();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence_length(text, at);
    std::uint32_t point = length == 0 ? 0 : utf8_code_point(text, at, length);
    at += std::max<std::size_t>(length, 1);
    if (strip_accents_) point = base_letter(point);
    if (is_white_space(point)) {
      begin_word();
      continue;
    }
    if (point == 0 || point == 0xFFFD || is_control(point) || (strip_accents_ && is_mark(point))) continue;
    const bool alone = is_punctuation(point) || is_ascii_symbol(point) || is_ideograph(point);
    if (alone) begin_word();
    append_utf8(found.back(), lower_case_ ? lower_case(point) : point);
    if (alone) begin_word();
  }
  if (found.back().empty()) found.pop_back();
  return found;
}

void WordPieceTokenizer::encode_word(std::string_view word, std::vector<TokenId>& out) const {
  const std::size_t tokens_before = out.size();
  while (!word.empty()) {
    std::size_t length = 0;
    TokenId longest = 0;
    tokens_.each(word, [&](std::size_t bytes, TokenId id) {
      length = bytes;
      longest = id;
    });
    if (length == 0) {
      out.resize(tokens_before);
      out.push_back(static_cast<TokenId>(special_.unknown));
      return;
    }
    out.push_back(longest);
    word.remove_prefix(length);
  }
}

void WordPieceTokenizer::encode_fragment(std::string_view text, bool /*after_special*/,
                                         std::vector<TokenId>& out) const {
  for (const std::string& word : words(text)) encode_word(std::string(kSpaceMark) + word, out);
}

std::string WordPieceTokenizer::decode(TokenId id) const {
  check_id(id);
  return marked_text(id);
}

}  // namespace

std::unique_ptr<Tokenizer> make_word_piece_tokenizer(const GgufFile& file) {
  Vocabulary vocabulary(file);
  const SpecialDefaults defaults{.bos = 101, .unknown = 100, .separator = 102, .add_bos = true};
  SpecialSet special = read_special_tokens(file, vocabulary, defaults);
  return std::make_unique<WordPieceTokenizer>(file, std::move(vocabulary), std::move(special));
}

}  // namespace tokencycle::model
