// SPDX-License-Identifier: Apache-2.0
// Small vocabularies for the tokenizer tests, written as model files and read back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/gguf/gguf.h"
#include "model/tokenizer/tokenizer.h"
#include "support/gguf_writer.h"

namespace tokencycle::test {

using Ids = std::vector<model::TokenId>;

inline std::unique_ptr<model::Tokenizer> tokenizer_of(const GgufWriter& writer) {
  const std::vector<std::byte> bytes = writer.bytes();
  const TemporaryFile file(bytes);
  return model::make_tokenizer(model::GgufFile(file.path()));
}

struct SpmPiece {
  std::string spelling;
  float score;
  std::int32_t type = 1;
};

// Ids 0 to 2 are <unk>, <s>, </s>; with bytes, 3 to 258 are the byte tokens; then come the pieces.
inline constexpr model::TokenId kFirstByte = 3;
inline constexpr model::TokenId kFirstPiece = 259;

inline GgufWriter spm_file(const std::vector<SpmPiece>& pieces, bool bytes = true) {
  std::vector<std::string> spellings = {"<unk>", "<s>", "</s>"};
  std::vector<float> scores = {0, 0, 0};
  std::vector<std::int32_t> types = {2, 3, 3};
  const auto add = [&](std::string spelling, float score, std::int32_t type) {
    spellings.push_back(std::move(spelling));
    scores.push_back(score);
    types.push_back(type);
  };
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (std::size_t byte = 0; bytes && byte < 256; ++byte) {
    add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", 0, 6);
  }
  for (const SpmPiece& piece : pieces) add(piece.spelling, piece.score, piece.type);
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "llama");
  writer.strings("tokenizer.ggml.tokens", spellings);
  writer.f32_array("tokenizer.ggml.scores", scores);
  writer.i32_array("tokenizer.ggml.token_type", types);
  return writer;
}

// The letter of GPT-2's byte alphabet for `byte`, in UTF-8 (all its letters are below U+0800).
inline std::string byte_letter(unsigned byte) {
  unsigned code = byte, next = 0x100;
  for (unsigned b = 0; b < 256; ++b) {
    const bool prints = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
    if (!prints && b == byte) code = next;
    if (!prints) ++next;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

// Ids 0 to 255 are the bytes in order; id 256 + i is the result of merge i ("left right", in the byte
// alphabet); then come the extra tokens with their types.
inline GgufWriter bpe_file(std::string_view pre, const std::vector<std::string>& merges,
                           const std::vector<std::pair<std::string, std::int32_t>>& extra = {}) {
  std::vector<std::string> spellings;
  for (unsigned byte = 0; byte < 256; ++byte) spellings.push_back(byte_letter(byte));
  for (const std::string& merge : merges) {
    const std::size_t space = merge.find(' ', 1);
    spellings.push_back(merge.substr(0, space) + merge.substr(space + 1));
  }
  std::vector<std::int32_t> types(spellings.size(), 1);
  for (const auto& [spelling, type] : extra) {
    spellings.push_back(spelling);
    types.push_back(type);
  }
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "gpt2");
  if (!pre.empty()) writer.string("tokenizer.ggml.pre", pre);
  writer.strings("tokenizer.ggml.tokens", spellings);
  writer.i32_array("tokenizer.ggml.token_type", types);
  writer.strings("tokenizer.ggml.merges", merges);
  return writer;
}

// Ids of `text` in a bpe_file without merges.
inline Ids bytes_of(std::string_view text) {
  Ids ids;
  for (char byte : text) ids.push_back(static_cast<std::uint8_t>(byte));
  return ids;
}

}  // namespace tokencycle::test
