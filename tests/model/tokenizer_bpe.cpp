// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE on vocabularies small enough to merge by hand.
#include <catch2/catch.hpp>

#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;
using model::TokenId;

namespace {

const std::string kSpace = "\xc4\xa0";  // the letter of the byte 0x20, U+0120

Ids join(std::initializer_list<Ids> parts) {
  Ids all;
  for (const Ids& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

TEST_CASE("merges apply by rank, not by place", "[tokenizer]") {
  // 256 bc, 257 ab, 258 abc
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {"b c", "a b", "a bc"}));
  CHECK(tokenizer->encode("abc", false, false) == Ids{258});
  CHECK(tokenizer->encode("abab", false, false) == Ids{257, 257});
  CHECK(tokenizer->encode("bcab", false, false) == Ids{256, 257});
  CHECK(tokenizer->kind() == "byte-level BPE (gpt-2)");
  CHECK_FALSE(tokenizer->strips_leading_space());
}

TEST_CASE("of merges of equal rank the left one comes first", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {"a a"}));
  CHECK(tokenizer->encode("aaa", false, false) == Ids{256, 'a'});
  CHECK(tokenizer->encode("aaaaa", false, false) == Ids{256, 256, 'a'});
}

TEST_CASE("merges stay inside the words of the pre-tokenizer", "[tokenizer]") {
  // "a" + " " never meet: a word begins with its space.
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {"a " + kSpace, kSpace + " a", kSpace + "a b"}));
  CHECK(tokenizer->encode("a ab", false, false) == Ids{'a', 258});
  CHECK(tokenizer->encode("a  ab", false, false) == Ids{'a', ' ', 258});
}

TEST_CASE("every byte has a letter of its own and comes back from it", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {}));
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    CHECK(tokenizer->encode(text, false, false) == Ids{byte});
    CHECK(tokenizer->decode(TokenId{byte}) == text);
  }
}

TEST_CASE("a merged piece that is no token falls back to its bytes", "[tokenizer]") {
  GgufWriter writer = bpe_file("gpt-2", {});
  REQUIRE(writer.remove("tokenizer.ggml.merges"));
  writer.strings("tokenizer.ggml.merges", {"a b", kSpace + " a"});
  CHECK(tokenizer_of(writer)->encode("ab a", false, false) == Ids{'a', 'b', ' ', 'a'});
}

TEST_CASE("a byte without a token is nothing, even where there is an unknown token", "[tokenizer]") {
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "gpt-2");
  writer.strings("tokenizer.ggml.tokens", {"a", "?"}).strings("tokenizer.ggml.merges", {});
  CHECK(tokenizer_of(writer)->encode("aba", false, false) == Ids{0, 0});
  writer.u32("tokenizer.ggml.unknown_token_id", 1);
  CHECK(tokenizer_of(writer)->encode("aba", false, false) == Ids{0, 0});
}

TEST_CASE("a whole word that is a token is taken without merging where the vocabulary says so",
          "[tokenizer]") {
  const std::vector<std::pair<std::string, std::int32_t>> word = {{kSpace + "abc", 1}};
  CHECK(tokenizer_of(bpe_file("llama-bpe", {}, word))->encode(" abc", false, false) == Ids{256});
  CHECK(tokenizer_of(bpe_file("gpt-2", {}, word))->encode(" abc", false, false) == bytes_of(" abc"));
}

TEST_CASE("BOS is added by default for the vocabularies that expect it", "[tokenizer]") {
  const std::vector<std::pair<std::string, std::int32_t>> bos = {{"<bos>", 3}};
  GgufWriter llama = bpe_file("llama-bpe", {}, bos);
  CHECK(tokenizer_of(llama)->encode("a", true, false) == Ids{'a'});  // the file has no BOS
  llama.u32("tokenizer.ggml.bos_token_id", 256);
  CHECK(tokenizer_of(llama)->encode("a", true, false) == Ids{256, 'a'});
  CHECK(tokenizer_of(llama)->encode("a", false, false) == Ids{'a'});
  llama.boolean("tokenizer.ggml.add_bos_token", false);
  CHECK(tokenizer_of(llama)->encode("a", true, false) == Ids{'a'});

  GgufWriter gpt2 = bpe_file("gpt-2", {}, bos);
  gpt2.u32("tokenizer.ggml.bos_token_id", 256).u32("tokenizer.ggml.eos_token_id", 256);
  CHECK(tokenizer_of(gpt2)->encode("a", true, false) == Ids{'a'});
  gpt2.boolean("tokenizer.ggml.add_bos_token", true).boolean("tokenizer.ggml.add_eos_token", true);
  CHECK(tokenizer_of(gpt2)->encode("a", true, false) == Ids{256, 'a', 256});
}

TEST_CASE("special tokens are cut out before words are made", "[tokenizer]") {
  const auto tokenizer =
      tokenizer_of(bpe_file("gpt-2", {"a b"}, {{"<|im_end|>", 3}, {"<tool>", 4}, {"ol>a", 4}, {"<tool", 4}}));
  const TokenId ab = 256, im_end = 257, tool = 258, overlap = 259, shorter = 260;
  CHECK(tokenizer->encode("ab<tool>ab", false, false) == Ids{ab, tool, ab});
  CHECK(tokenizer->encode("ol>ab<tool", false, false) == Ids{overlap, 'b', shorter});
  CHECK(tokenizer->encode("ab<|im_end|>", false, true) == Ids{ab, im_end});
  CHECK(tokenizer->encode("ab<|im_end|>", false, false) == join({{ab}, bytes_of("<|im_end|>")}));
}

TEST_CASE("decoding unmaps text tokens, shows user-defined ones and hides control tokens", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(bpe_file(
      "gpt-2", {kSpace + " a"}, {{"<bos>", 3}, {kSpace + "x", 4}, {"\xe4\xb8\x80", 1}, {"<pad>", 5}}));
  CHECK(tokenizer->decode(TokenId{256}) == " a");
  CHECK(tokenizer->decode(TokenId{257}).empty());
  CHECK(tokenizer->decode(TokenId{258}) == kSpace + "x");
  CHECK(tokenizer->decode(TokenId{259}) == "\xe4\xb8\x80");  // outside the byte alphabet: stands for itself
  CHECK(tokenizer->decode(TokenId{260}).empty());
  CHECK(tokenizer->decode(Ids{257, 256, 'b'}) == " ab");
  CHECK_THROWS_AS(tokenizer->decode(TokenId{261}), std::out_of_range);
}

TEST_CASE("byte-level vocabularies may have tokens for bytes and for the unknown", "[tokenizer]") {
  const auto tokenizer =
      tokenizer_of(bpe_file("gpt-2", {}, {{"<unk>", 2}, {"<0xC3>", 6}, {kSpace + "y", 6}}));
  CHECK(tokenizer->decode(TokenId{256}) == "\xe2\x96\x85");
  CHECK(tokenizer->decode(TokenId{257}) == "\xc3");
  CHECK(tokenizer->decode(TokenId{258}) == " y");  // not the spelling of a byte: text
}

TEST_CASE("BPE of characters marks spaces, takes line ends whole and falls back to bytes", "[tokenizer]") {
  const std::string mark = "\xe2\x96\x81";
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "gemma4");
  writer.strings("tokenizer.ggml.tokens",
                 {"<bos>", "a", mark, mark + "a", "\n\n", "\u00e9", "<0xC3>", "<0xA8>"});
  writer.i32_array("tokenizer.ggml.token_type", {3, 1, 1, 1, 1, 1, 6, 6});
  writer.strings("tokenizer.ggml.merges", {mark + " a"});
  writer.u32("tokenizer.ggml.bos_token_id", 0);
  writer.boolean("tokenizer.ggml.add_bos_token", false);  // added all the same
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->encode("a a\u00e9", true, false) == Ids{0, 1, 3, 5});
  CHECK(tokenizer->encode("\n\na", false, false) == Ids{4, 1});
  CHECK(tokenizer->encode("\u00e8", false, false) == Ids{6, 7});
  CHECK(tokenizer->decode(Ids{0, 1, 3, 4, 6, 7}) == "a a\n\n\u00e8");
}
