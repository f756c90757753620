// SPDX-License-Identifier: Apache-2.0
// WordPiece: how a text is normalized, cut into words, and covered by the longest tokens.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

const std::string kMark = "\xe2\x96\x81";

// Ids 0 [UNK], 1 [CLS], 2 [SEP], then the pieces.
GgufWriter word_piece_file(const std::vector<std::string>& pieces) {
  std::vector<std::string> spellings = {"[UNK]", "[CLS]", "[SEP]"};
  std::vector<std::int32_t> types = {2, 3, 3};
  for (const std::string& piece : pieces) {
    spellings.push_back(piece);
    types.push_back(1);
  }
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "bert");
  writer.strings("tokenizer.ggml.tokens", spellings);
  writer.i32_array("tokenizer.ggml.token_type", types);
  writer.u32("tokenizer.ggml.unknown_token_id", 0);
  writer.u32("tokenizer.ggml.bos_token_id", 1);
  writer.u32("tokenizer.ggml.seperator_token_id", 2);
  return writer;
}

}  // namespace

TEST_CASE("a word is covered by the longest tokens, and one that cannot be is unknown", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(word_piece_file({kMark + "play", kMark + "p", "lay", "ing", "i", "n"}));
  CHECK(tokenizer->encode("playing", false, false) == Ids{3, 6});
  CHECK(tokenizer->encode("playin p", false, false) == Ids{3, 7, 8, 4});
  CHECK(tokenizer->encode("playful play", false, false) == Ids{0, 3});
  CHECK(tokenizer->decode(Ids{3, 6, 4}) == "playing p");
}

// As in llama.cpp; Hugging Face's library makes one unknown token of such a word (findings/).
TEST_CASE("a word of more than 100 letters is covered as any other", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(word_piece_file({kMark + "a", "a"}));
  Ids expected(101, 4);
  expected[0] = 3;
  CHECK(tokenizer->encode(std::string(101, 'a'), false, false) == expected);
}

TEST_CASE("case, accents and control characters go; marks and ideographs are words", "[tokenizer]") {
  const auto tokenizer =
      tokenizer_of(word_piece_file({kMark + "a", kMark + "!", kMark + "$", kMark + "\u4f60", "a"}));
  CHECK(tokenizer->encode("\u00c1A!", false, false) == Ids{3, 7, 4});
  CHECK(tokenizer->encode("A\u0301\u200d\x01"
                          "a",
                          false, false) == Ids{3, 7});
  CHECK(tokenizer->encode("a$\u4f60\u00a0\xff"
                          "a",
                          false, false) == Ids{3, 5, 6, 3});
  CHECK(tokenizer->encode(" \t\r\n", false, false).empty());
  GgufWriter cased = word_piece_file({kMark + "a", kMark + "\u00c1"});
  cased.boolean("tokenizer.ggml.normalizer.lowercase", false);
  CHECK(tokenizer_of(cased)->encode("a \u00c1 A", false, false) == Ids{3, 4, 0});
}

TEST_CASE("a text stands between the first token and the separator, whatever the flags say", "[tokenizer]") {
  GgufWriter writer = word_piece_file({kMark + "a"});
  writer.boolean("tokenizer.ggml.add_bos_token", false);
  CHECK(tokenizer_of(writer)->encode("a", true, false) == Ids{1, 3, 2});
  CHECK(tokenizer_of(writer)->encode("a[SEP]a", true, true) == Ids{1, 3, 2, 3, 2});
  GgufWriter without = word_piece_file({kMark + "a"});
  without.remove("tokenizer.ggml.seperator_token_id");  // 102 is outside of this vocabulary
  CHECK_THROWS_WITH(tokenizer_of(without), Catch::Contains("seperator_token_id"));
}
