// SPDX-License-Identifier: Apache-2.0
// SentencePiece-style BPE: neighbouring pieces merge as long as their union is a token, the union of highest
// score first, the leftmost of equals. What stays outside the vocabulary becomes byte tokens.
// Behaviour as in github.com/ggml-org/llama.cpp, src/llama-vocab.cpp (tokenizer "SPM").
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <queue>

#include "model/tokenizer/kinds.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

namespace {

// A piece of the text while it is tokenized; length 0 once it is merged into its left neighbour.
struct Piece {
  std::ptrdiff_t previous;
  std::ptrdiff_t next;  // -1: none
  std::size_t offset;
  std::size_t length;
};

struct PieceBigram {
  float score;
  std::ptrdiff_t left, right;
  std::size_t length;  // of both when queued; shows whether either has grown since
  bool operator<(const PieceBigram& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

class SpmTokenizer final : public PartitioningTokenizer {
 public:
  SpmTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special);

  using Tokenizer::decode;
  std::string decode(TokenId id) const override;
  bool strips_leading_space() const override { return add_space_prefix_; }
  std::string kind() const override { return "SentencePiece-style BPE"; }

 protected:
  void encode_fragment(std::string_view text, bool after_special, std::vector<TokenId>& out) const override;

 private:
  std::int64_t find_text_token(std::string_view text) const;
  void queue_bigram(std::string_view text, const std::vector<Piece>& symbols, std::ptrdiff_t left,
                    std::ptrdiff_t right, std::priority_queue<PieceBigram>& queue) const;
  void merge(std::string_view text, std::vector<Piece>& symbols) const;
  void emit(std::string_view piece, std::vector<TokenId>& out) const;

  bool add_space_prefix_;
  bool has_all_bytes_ = true;
  std::array<TokenId, 256> byte_token_{};
};

SpmTokenizer::SpmTokenizer(const GgufFile& file, Vocabulary vocabulary, SpecialSet special)
    : PartitioningTokenizer(std::move(vocabulary), std::move(special)),
      add_space_prefix_(file.get_bool("tokenizer.ggml.add_space_prefix").value_or(true)) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::int64_t id = vocabulary_.find(fmt::format("<0x{:02X}>", byte));
    if (id == kNoToken) {
      has_all_bytes_ = false;
    } else {
      byte_token_[byte] = static_cast<TokenId>(id);
    }
  }
  if (!has_all_bytes_ && special_.unknown == kNoToken) {
    file.fail(
        "the vocabulary has neither the byte tokens <0x00> to <0xFF> nor an unknown token "
        "(tokenizer.ggml.unknown_token_id), so not every text has tokens. Convert the model again");
  }
}

// A token that text can merge into. Control, unknown and byte tokens are not spelled in text, whatever
// the neighbouring pieces are.
std::int64_t SpmTokenizer::find_text_token(std::string_view text) const {
  if (text.size() > vocabulary_.longest_spelling()) return kNoToken;
  const std::int64_t id = vocabulary_.find(text);
  if (id == kNoToken) return kNoToken;
  const TokenType type = vocabulary_.type(static_cast<TokenId>(id));
  const bool text_token = type != TokenType::control && type != TokenType::unknown && type != TokenType::byte;
  return text_token ? id : kNoToken;
}

std::vector<Piece> split_characters(std::string_view text) {
  std::vector<Piece> symbols;
  symbols.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    // A byte that is not valid UTF-8 is a symbol of its own: it ends as a byte token.
    const std::size_t length = std::max<std::size_t>(utf8_sequence_length(text, at), 1);
    const auto index = static_cast<std::ptrdiff_t>(symbols.size());
    symbols.push_back({index - 1, index + 1, at, length});
    at += length;
  }
  if (!symbols.empty()) symbols.back().next = -1;
  return symbols;
}

void SpmTokenizer::queue_bigram(std::string_view text, const std::vector<Piece>& symbols, std::ptrdiff_t left,
                                std::ptrdiff_t right, std::priority_queue<PieceBigram>& queue) const {
  if (left < 0 || right < 0) return;
  const Piece& first = symbols[static_cast<std::size_t>(left)];
  const std::size_t length = first.length + symbols[static_cast<std::size_t>(right)].length;
  const std::int64_t id = find_text_token(text.substr(first.offset, length));
  if (id != kNoToken) queue.push({vocabulary_.score(static_cast<TokenId>(id)), left, right, length});
}

void SpmTokenizer::merge(std::string_view text, std::vector<Piece>& symbols) const {
  std::priority_queue<PieceBigram> queue;
  for (std::size_t i = 1; i < symbols.size(); ++i) {
    queue_bigram(text, symbols, symbols[i].previous, symbols[i - 1].next, queue);
  }
  while (!queue.empty()) {
    const PieceBigram bigram = queue.top();
    queue.pop();
    Piece& left = symbols[static_cast<std::size_t>(bigram.left)];
    Piece& right = symbols[static_cast<std::size_t>(bigram.right)];
    if (left.length == 0 || right.length == 0 || left.length + right.length != bigram.length) continue;
    left.length += right.length;
    right.length = 0;
    left.next = right.next;
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = bigram.left;
    queue_bigram(text, symbols, left.previous, bigram.left, queue);
    queue_bigram(text, symbols, bigram.left, left.next, queue);
  }
}

void SpmTokenizer::emit(std::string_view piece, std::vector<TokenId>& out) const {
  const std::int64_t id = find_text_token(piece);
  if (id != kNoToken) {
    out.push_back(static_cast<TokenId>(id));
  } else if (has_all_bytes_) {
    for (const char byte : piece) out.push_back(byte_token_[static_cast<std::uint8_t>(byte)]);
  } else {
    out.push_back(static_cast<TokenId>(special_.unknown));
  }
}

void SpmTokenizer::encode_fragment(std::string_view text, bool after_special,
                                   std::vector<TokenId>& out) const {
  std::string marked = add_space_prefix_ && after_special ? std::string(kSpaceMark) : std::string();
  marked += replace_all(text, " ", kSpaceMark);
  std::vector<Piece> symbols = split_characters(marked);
  merge(marked, symbols);
  for (const Piece& symbol : symbols) {
    if (symbol.length > 0) emit(std::string_view(marked).substr(symbol.offset, symbol.length), out);
  }
}

std::string SpmTokenizer::decode(TokenId id) const {
  check_id(id);
  return marked_text(id);
}

// Byte tokens are known by their spelling where the file has no types; a byte token with another spelling is
// no byte.
void settle_byte_types(Vocabulary& vocabulary) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const bool spelled = byte_token_value(vocabulary.spelling(id)) >= 0;
    if (spelled && !vocabulary.has_types()) vocabulary.set_type(id, TokenType::byte);
    if (!spelled && vocabulary.type(id) == TokenType::byte) vocabulary.set_type(id, TokenType::normal);
  }
}

}  // namespace

std::unique_ptr<Tokenizer> make_spm_tokenizer(const GgufFile& file) {
  Vocabulary vocabulary(file);
  settle_byte_types(vocabulary);
  const SpecialDefaults defaults{.bos = 1, .eos = 2, .unknown = 0, .add_bos = true};
  SpecialSet special = read_special_tokens(file, vocabulary, defaults);
  return std::make_unique<SpmTokenizer>(file, std::move(vocabulary), std::move(special));
}

}  // namespace tokencycle::model
