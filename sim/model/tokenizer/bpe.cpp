// SPDX-License-Identifier: Apache-2.0
// BPE: words are merged by the rank of the merge. Byte-level: every byte is written as one printable
// character. Of characters ("gemma4"): of the text as it is, with U+2581 for spaces. Behaviour as in
// github.com/ggml-org/llama.cpp, src/llama-vocab.cpp (tokenizer "BPE"); the byte alphabet is that of
// github.com/openai/gpt-2, src/encoder.py.
#include <fmt/format.h>

#include <array>
#include <queue>
#include <unordered_map>

#include "model/gguf/reader.h"
#include "model/tokenizer/kinds.h"
#include "model/tokenizer/pretokenizers.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

namespace {

// Bytes that print stand for themselves, the other 68 for U+0100 onwards.
class ByteAlphabet {
 public:
  ByteAlphabet() {
    std::uint32_t next = 0x100;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const std::uint32_t code_point = prints ? byte : next++;
      append_utf8(letter_[byte], code_point);
      byte_[code_point] = static_cast<char>(byte);
    }
  }
  const std::string& letter(char byte) const { return letter_[static_cast<std::uint8_t>(byte)]; }

  // The bytes that `spelling` stands for; what is outside the alphabet stands for itself.
  std::string bytes_of(std::string_view spelling) const {
    std::string bytes;
    for (std::size_t at = 0; at < spelling.size();) {
      const std::size_t length = utf8_sequence_length(spelling, at);
      const auto found = length > 0 ? byte_.find(utf8_code_point(spelling, at, length)) : byte_.end();
      if (found != byte_.end()) {
        bytes += found->second;
      } else {
        bytes.append(spelling.substr(at, std::max<std::size_t>(length, 1)));
      }
      at += std::max<std::size_t>(length, 1);
    }
    return bytes;
  }

 private:
  std::array<std::string, 256> letter_;
  std::unordered_map<std::uint32_t, char> byte_;
};

using PieceId = std::uint32_t;
constexpr PieceId kNoPiece = ~PieceId{0};

// The merges as a table over numbered pieces (byte letters and whatever merges name or make).
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank;
    PieceId result;
  };
  MergeTable(const GgufFile& file, const ByteAlphabet& alphabet, const Vocabulary& vocabulary);
  PieceId of_byte(char byte) const { return of_byte_[static_cast<std::uint8_t>(byte)]; }
  PieceId of_character(std::string_view character) const {
    const auto found = number_of_.find(std::string(character));
    return found == number_of_.end() ? kNoPiece : found->second;  // no merge has it
  }
  std::int64_t token(PieceId piece) const { return token_[piece]; }  // kNoToken: none is spelled so
  const Merge* find(PieceId left, PieceId right) const {
    const auto found = merges_.find(std::uint64_t{left} << 32 | right);
    return found == merges_.end() ? nullptr : &found->second;
  }

 private:
  PieceId number(std::string spelling, const Vocabulary& vocabulary);

  std::array<PieceId, 256> of_byte_{};
  std::unordered_map<std::string, PieceId> number_of_;
  std::vector<std::int64_t> token_;
  std::unordered_map<std::uint64_t, Merge> merges_;
};

MergeTable::MergeTable(const GgufFile& file, const ByteAlphabet& alphabet, const Vocabulary& vocabulary) {
  constexpr const char* kKey = "tokenizer.ggml.merges";
  const GgufArray* merges = file.get_array(kKey);
  if (merges == nullptr) {
    file.fail(fmt::format(
        "{} is absent, but BPE (tokenizer.ggml.model \"gpt2\" or \"gemma4\") needs it. Convert the "
        "model again",
        kKey));
  }
  if (merges->strings.size() != merges->size())
    file.fail(fmt::format("{} must be an array of strings", kKey));
  for (unsigned byte = 0; byte < 256; ++byte) {
    of_byte_[byte] = number(alphabet.letter(static_cast<char>(byte)), vocabulary);
  }
  merges_.reserve(merges->strings.size());
  number_of_.reserve(merges->strings.size());
  for (std::size_t rank = 0; rank < merges->strings.size(); ++rank) {
    const std::string& merge = merges->strings[rank];
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string::npos || space + 1 == merge.size()) {
      file.fail(
          fmt::format("{}[{}] is {}; a merge is two pieces with one space between them. Convert the model "
                      "again",
                      kKey, rank, in_quotes(merge)));
    }
    std::string left = merge.substr(0, space), right = merge.substr(space + 1);
    const PieceId result = number(left + right, vocabulary);
    const std::uint64_t key =
        std::uint64_t{number(std::move(left), vocabulary)} << 32 | number(std::move(right), vocabulary);
    merges_.emplace(key,
                    Merge{static_cast<std::uint32_t>(rank), result});  // of equal merges the first counts
  }
}

PieceId MergeTable::number(std::string spelling, const Vocabulary& vocabulary) {
  const auto [place, is_new] = number_of_.emplace(std::move(spelling), static_cast<PieceId>(token_.size()));
  if (is_new) token_.push_back(vocabulary.find(place->first));
  return place->second;
}

// One piece of a word while it is tokenized.
struct Symbol {
  std::ptrdiff_t previous;
  std::ptrdiff_t next;  // -1: none
  PieceId piece;
  std::string_view text;  // empty: merged into its left neighbour
};

struct Bigram {
  MergeTable::Merge merge;
  std::ptrdiff_t left, right;
  PieceId left_piece, right_piece;  // when queued; shows whether either has changed since
  bool operator<(const Bigram& other) const {
    return merge.rank > other.merge.rank || (merge.rank == other.merge.rank && left > other.left);
  }
};

class BpeTokenizer final : public PartitioningTokenizer {
 public:
  BpeTokenizer(const GgufFile& file, const PreTokenizerRule& rule, Vocabulary vocabulary, SpecialSet special);

  using Tokenizer::decode;
  std::string decode(TokenId id) const override;
  bool strips_leading_space() const override { return false; }
  std::string kind() const override {
    return of_characters_ ? "BPE of characters" : "byte-level BPE (gpt-2)";
  }

 protected:
  void encode_fragment(std::string_view text, bool after_special, std::vector<TokenId>& out) const override;

 private:
  std::int64_t whole_word(std::string_view word) const;
  std::vector<Symbol> symbols_of(std::string_view word) const;
  void merge(std::vector<Symbol>& symbols) const;
  void queue_bigram(const std::vector<Symbol>& symbols, std::ptrdiff_t left, std::ptrdiff_t right,
                    std::priority_queue<Bigram>& queue) const;
  void emit(const Symbol& symbol, std::vector<TokenId>& out) const;

  ByteAlphabet alphabet_;
  MergeTable merges_;
  PreTokenizer pretokenizer_;
  bool ignore_merges_, of_characters_;
  std::array<std::int64_t, 256> byte_token_{};
};

BpeTokenizer::BpeTokenizer(const GgufFile& file, const PreTokenizerRule& rule, Vocabulary vocabulary,
                           SpecialSet special)
    : PartitioningTokenizer(std::move(vocabulary), std::move(special)),
      merges_(file, alphabet_, vocabulary_),
      pretokenizer_(rule),
      ignore_merges_(rule.ignore_merges),
      of_characters_(rule.of_characters) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    byte_token_[byte] = of_characters_ ? vocabulary_.find(fmt::format("<0x{:02X}>", byte))
                                       : merges_.token(merges_.of_byte(static_cast<char>(byte)));
  }
}

// The token to take for a word without merging, or kNoToken.
std::int64_t BpeTokenizer::whole_word(std::string_view word) const {
  if (word.size() > vocabulary_.longest_spelling()) return kNoToken;
  if (of_characters_) {
    const bool line_ends = word.find_first_not_of('\n') == std::string_view::npos;
    return ignore_merges_ || line_ends ? vocabulary_.find(word) : kNoToken;
  }
  if (!ignore_merges_) return kNoToken;
  std::string spelling;
  for (const char byte : word) spelling += alphabet_.letter(byte);
  return vocabulary_.find(spelling);
}

void BpeTokenizer::queue_bigram(const std::vector<Symbol>& symbols, std::ptrdiff_t left, std::ptrdiff_t right,
                                std::priority_queue<Bigram>& queue) const {
  if (left < 0 || right < 0) return;
  const PieceId left_piece = symbols[static_cast<std::size_t>(left)].piece;
  const PieceId right_piece = symbols[static_cast<std::size_t>(right)].piece;
  const MergeTable::Merge* merge = merges_.find(left_piece, right_piece);
  if (merge != nullptr) queue.push({*merge, left, right, left_piece, right_piece});
}

std::vector<Symbol> BpeTokenizer::symbols_of(std::string_view word) const {
  std::vector<Symbol> symbols;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length =
        of_characters_ ? std::max<std::size_t>(utf8_sequence_length(word, at), 1) : std::size_t{1};
    const std::string_view text = word.substr(at, length);
    const auto index = static_cast<std::ptrdiff_t>(symbols.size());
    at += length;
    symbols.push_back({index - 1, at < word.size() ? index + 1 : -1,
                       of_characters_ ? merges_.of_character(text) : merges_.of_byte(text.front()), text});
  }
  return symbols;
}

void BpeTokenizer::merge(std::vector<Symbol>& symbols) const {
  std::priority_queue<Bigram> queue;
  for (const Symbol& symbol : symbols) {
    if (symbol.next >= 0) queue_bigram(symbols, symbol.next - 1, symbol.next, queue);
  }
  while (!queue.empty()) {
    const Bigram bigram = queue.top();
    queue.pop();
    Symbol& left = symbols[static_cast<std::size_t>(bigram.left)];
    Symbol& right = symbols[static_cast<std::size_t>(bigram.right)];
    if (left.text.empty() || right.text.empty() || left.piece != bigram.left_piece ||
        right.piece != bigram.right_piece) {
      continue;
    }
    left.piece = bigram.merge.result;
    left.next = right.next;
    left.text = {left.text.data(), left.text.size() + right.text.size()};
    right.text = {};
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = bigram.left;
    queue_bigram(symbols, left.previous, bigram.left, queue);
    queue_bigram(symbols, bigram.left, left.next, queue);
  }
}

// A piece that is no token falls back to the tokens of its bytes; a byte without one to nothing, as in
// llama.cpp. Real vocabularies lack bytes (SmolLM2's 21), and their unknown token may be one that ends a
// text.
void BpeTokenizer::emit(const Symbol& symbol, std::vector<TokenId>& out) const {
  const std::int64_t whole =
      symbol.piece == kNoPiece ? vocabulary_.find(symbol.text) : merges_.token(symbol.piece);
  if (whole != kNoToken) {
    out.push_back(static_cast<TokenId>(whole));
    return;
  }
  for (const char byte : symbol.text) {
    const std::int64_t token = byte_token_[static_cast<std::uint8_t>(byte)];
    if (token != kNoToken) out.push_back(static_cast<TokenId>(token));
  }
}

void BpeTokenizer::encode_fragment(std::string_view text, bool /*after_special*/,
                                   std::vector<TokenId>& out) const {
  std::string marked;
  if (of_characters_) text = marked = replace_all(text, " ", kSpaceMark);
  for (const std::string_view word : pretokenizer_.split(text)) {
    const std::int64_t whole = whole_word(word);
    if (whole != kNoToken) {
      out.push_back(static_cast<TokenId>(whole));
      continue;
    }
    std::vector<Symbol> symbols = symbols_of(word);
    merge(symbols);
    for (const Symbol& symbol : symbols) {
      if (!symbol.text.empty()) emit(symbol, out);
    }
  }
}

std::string BpeTokenizer::decode(TokenId id) const {
  check_id(id);
  if (of_characters_) return marked_text(id);
  const std::string& spelling = vocabulary_.spelling(id);
  switch (vocabulary_.type(id)) {
    case TokenType::normal:
      return alphabet_.bytes_of(spelling);
    case TokenType::user_defined:
      return spelling;
    case TokenType::unknown:
      return std::string(kUnknownMark);
    case TokenType::byte: {
      const int value = byte_token_value(spelling);
      return value >= 0 ? std::string(1, static_cast<char>(value)) : alphabet_.bytes_of(spelling);
    }
    case TokenType::control:
    case TokenType::unused:
    case TokenType::undefined:
      return "";
  }
  return "";
}

}  // namespace

std::unique_ptr<Tokenizer> make_bpe_tokenizer(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.ggml.pre";
  const bool gemma4 = file.get_string("tokenizer.ggml.model") == "gemma4";
  const std::string pre = gemma4 ? "gemma4" : file.get_string(kKey).value_or("default");
  const PreTokenizerRule* rule = find_pretokenizer(pre);
  if (rule == nullptr) {
    file.fail(fmt::format(
        "{} is {}, a pre-tokenizer that is not known; use a model with a known one. Known are: {}", kKey,
        in_quotes(pre), pretokenizer_names()));
  }
  Vocabulary vocabulary(file);
  const SpecialDefaults defaults{.add_bos = rule->add_bos};
  SpecialSet special = read_special_tokens(file, vocabulary, defaults);
  if (rule->of_characters) special.tokens.add_bos = special.tokens.bos != kNoToken;
  return std::make_unique<BpeTokenizer>(file, *rule, std::move(vocabulary), std::move(special));
}

}  // namespace tokencycle::model
