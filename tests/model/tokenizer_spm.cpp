// SPDX-License-Identifier: Apache-2.0
// SentencePiece-style BPE on vocabularies small enough to merge by hand.
#include <catch2/catch.hpp>

#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;
using model::TokenId;

namespace {

const std::string kMark = "\xe2\x96\x81";

// Ids from kFirstPiece on: mark, a, b, c, bc, ab.
std::vector<SpmPiece> letters() {
  return {{kMark, -9}, {"a", -9}, {"b", -9}, {"c", -9}, {"bc", -1}, {"ab", -2}};
}
constexpr TokenId kSpace = kFirstPiece, kA = kSpace + 1, kB = kSpace + 2, kC = kSpace + 3, kBc = kSpace + 4,
                  kAb = kSpace + 5;

TokenId byte_id(unsigned byte) {
  return kFirstByte + byte;
}

}  // namespace

TEST_CASE("the pair whose union has the highest score merges first", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(spm_file(letters()));
  CHECK(tokenizer->encode("abc", false, false) == Ids{kSpace, kA, kBc});
  CHECK(tokenizer->encode("aba", false, false) == Ids{kSpace, kAb, kA});
  CHECK(tokenizer->kind() == "SentencePiece-style BPE");
  CHECK(tokenizer->size() == kFirstPiece + 6);
}

TEST_CASE("of pairs with equal scores the left one merges first", "[tokenizer]") {
  auto pieces = letters();
  pieces.push_back({"aa", -3});
  const auto tokenizer = tokenizer_of(spm_file(pieces));
  const TokenId aa = kAb + 1;
  CHECK(tokenizer->encode("aaa", false, false) == Ids{kSpace, aa, kA});
  CHECK(tokenizer->encode("aaaa", false, false) == Ids{kSpace, aa, aa});
}

TEST_CASE("a merge can use the result of another", "[tokenizer]") {
  auto pieces = letters();
  pieces.push_back({kMark + "a", -5});
  pieces.push_back({kMark + "abc", -6});
  const auto tokenizer = tokenizer_of(spm_file(pieces));
  CHECK(tokenizer->encode("abc abc", false, false) == Ids{kAb + 2, kAb + 2});
}

TEST_CASE("without scores all unions are equal and the leftmost merges first", "[tokenizer]") {
  GgufWriter writer = spm_file(letters());
  REQUIRE(writer.remove("tokenizer.ggml.scores"));
  CHECK(tokenizer_of(writer)->encode("abc", false, false) == Ids{kSpace, kAb, kC});
}

TEST_CASE("what is outside the vocabulary becomes byte tokens", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(spm_file(letters()));
  CHECK(tokenizer->encode("\xc3\xa9", false, false) == Ids{kSpace, byte_id(0xC3), byte_id(0xA9)});
  CHECK(tokenizer->encode("\n", false, false) == Ids{kSpace, byte_id(0x0A)});
  // Not UTF-8: a lead byte without its sequence does not swallow the letter or the space that follows.
  CHECK(tokenizer->encode("\xe2"
                          "a",
                          false, false) == Ids{kSpace, byte_id(0xE2), kA});
  CHECK(tokenizer->encode("\xe2 a", false, false) == Ids{kSpace, byte_id(0xE2), kSpace, kA});
}

TEST_CASE("without byte tokens a character outside the vocabulary is the unknown token", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(spm_file(letters(), false));
  CHECK(tokenizer->encode("a\xc3\xa9", false, false) == Ids{3, 4, 0});
  CHECK(tokenizer->decode(TokenId{0}) == "\xe2\x96\x85");
}

TEST_CASE("byte tokens are known by their spelling where the file has no types", "[tokenizer]") {
  GgufWriter writer = spm_file(letters());
  REQUIRE(writer.remove("tokenizer.ggml.token_type"));
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->encode("\n", false, false) == Ids{kSpace, byte_id(0x0A)});
  CHECK(tokenizer->decode(byte_id(0xF0)) == "\xf0");
}

TEST_CASE("BOS is added by default and EOS only if the file says so", "[tokenizer]") {
  GgufWriter writer = spm_file(letters());
  const auto plain = tokenizer_of(writer);
  CHECK(plain->special().bos == 1);
  CHECK(plain->special().eos == 2);
  CHECK(plain->special().unknown == 0);
  CHECK(plain->encode("a", true, false) == Ids{1, kSpace, kA});
  CHECK(plain->encode("", true, false) == Ids{1});
  CHECK(plain->encode("", false, false).empty());

  writer.boolean("tokenizer.ggml.add_bos_token", false).boolean("tokenizer.ggml.add_eos_token", true);
  CHECK(tokenizer_of(writer)->encode("a", true, false) == Ids{kSpace, kA, 2});
}

TEST_CASE("the space prefix stands at the beginning and after special tokens only", "[tokenizer]") {
  auto pieces = letters();
  pieces.push_back({"<|x|>", 0, 4});
  GgufWriter writer = spm_file(pieces);
  const TokenId x = kAb + 1;
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->encode("a<|x|>b c", false, false) == Ids{kSpace, kA, x, kSpace, kB, kSpace, kC});
  CHECK(tokenizer->encode("<|x|><|x|>", false, false) == Ids{x, x});
  CHECK(tokenizer->strips_leading_space());

  writer.boolean("tokenizer.ggml.add_space_prefix", false);
  const auto bare = tokenizer_of(writer);
  CHECK(bare->encode("a<|x|>b", false, false) == Ids{kA, x, kB});
  CHECK_FALSE(bare->strips_leading_space());
}

TEST_CASE("a control token is matched only with parse_special", "[tokenizer]") {
  auto pieces = letters();
  // Pieces over which "<s>" could merge, were it text.
  pieces.insert(pieces.end(), {{"<", -1}, {"s", -1}, {">", -1}, {"<s", -1}});
  const auto tokenizer = tokenizer_of(spm_file(pieces));
  const TokenId greater = kAb + 3, less_s = kAb + 4;
  CHECK(tokenizer->encode("<s>a", false, false) == Ids{kSpace, less_s, greater, kA});
  CHECK(tokenizer->encode("<s>a", false, true) == Ids{1, kSpace, kA});
  CHECK(tokenizer->encode("a</s><unk>", false, true) == Ids{kSpace, kA, 2, 0});
}

TEST_CASE("decoding gives the bytes of text tokens and nothing for control tokens", "[tokenizer]") {
  auto pieces = letters();
  pieces.push_back({kMark + "ab" + kMark, -3});
  pieces.push_back({kMark + "<|x|>", 0, 4});
  pieces.push_back({"unused", 0, 5});
  const auto tokenizer = tokenizer_of(spm_file(pieces));
  CHECK(tokenizer->decode(TokenId{kAb + 1}) == " ab ");
  CHECK(tokenizer->decode(TokenId{kAb + 2}) == kMark + "<|x|>");
  CHECK(tokenizer->decode(TokenId{kAb + 3}).empty());
  CHECK(tokenizer->decode(TokenId{1}).empty());
  CHECK(tokenizer->decode(byte_id(0xC3)) == "\xc3");
  // Only the first text token loses its space, BOS before it or not.
  CHECK(tokenizer->decode(Ids{1, kSpace, kA, kSpace, kB}) == "a b");
  CHECK(tokenizer->decode(Ids{kSpace, kSpace, kA}) == " a");
  CHECK(tokenizer->decode(Ids{kA, kSpace}) == "a ");
  CHECK_THROWS_AS(tokenizer->decode(static_cast<TokenId>(tokenizer->size())), std::out_of_range);
}
