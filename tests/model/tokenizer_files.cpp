// SPDX-License-Identifier: Apache-2.0
// Which tokens a file makes special, and which files are refused.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;
using Catch::Matchers::Contains;
using model::TokenId;

namespace {

void check_refused(const GgufWriter& writer, const std::string& words) {
  CHECK_THROWS_AS(tokenizer_of(writer), ModelError);
  CHECK_THROWS_WITH(tokenizer_of(writer), Contains(words));
}

}  // namespace

TEST_CASE("a text ends at EOS, EOT and the tokens spelled like an end", "[tokenizer]") {
  GgufWriter writer =
      bpe_file("gpt-2", {}, {{"<|im_end|>", 1}, {"<|endoftext|>", 3}, {"<custom>", 3}, {"x", 1}});
  writer.u32("tokenizer.ggml.eos_token_id", 258);
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->special().eos == 258);
  CHECK(tokenizer->special().eot == 256);  // <|im_end|>: the first of llama.cpp's list that exists
  for (TokenId id : {256u, 257u, 258u}) CHECK(tokenizer->ends_text(id));
  for (TokenId id : {0u, 255u, 259u, 4000000u}) CHECK_FALSE(tokenizer->ends_text(id));
  // Its type in the file was normal, which is corrected.
  CHECK(tokenizer->decode(TokenId{256}).empty());
  CHECK(tokenizer->encode("<|im_end|>", false, true) == Ids{256});
  CHECK(tokenizer->encode("<|im_end|>", false, false) == bytes_of("<|im_end|>"));
}

TEST_CASE("the keys of end tokens come before their spelling", "[tokenizer]") {
  GgufWriter writer = bpe_file("gpt-2", {}, {{"<a>", 3}, {"<b>", 3}, {"<|im_end|>", 3}});
  writer.u32("tokenizer.ggml.eot_token_id", 256).u32("tokenizer.ggml.eom_token_id", 257);
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->special().eot == 256);
  for (TokenId id : {256u, 257u, 258u}) CHECK(tokenizer->ends_text(id));
  CHECK(tokenizer->special().eos == -1);
  CHECK(tokenizer->special().bos == -1);
}

TEST_CASE("<|end|> does not end a text where the vocabulary has calls and returns", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(
      bpe_file("gpt-4o", {}, {{"<|end|>", 3}, {"<|call|>", 3}, {"<|return|>", 3}, {"<|start|>", 3}}));
  CHECK(tokenizer->special().eot == 256);
  CHECK_FALSE(tokenizer->ends_text(256));
  CHECK(tokenizer->ends_text(257));
  CHECK(tokenizer->ends_text(258));
  CHECK(tokenizer->decode(TokenId{259}) == "<|start|>");
}

TEST_CASE("an id of 2^32 - 1 means none", "[tokenizer]") {
  GgufWriter writer = spm_file({{"a", 0}});
  writer.u32("tokenizer.ggml.eos_token_id", 0xFFFFFFFFu).i32("tokenizer.ggml.bos_token_id", -1);
  const auto tokenizer = tokenizer_of(writer);
  CHECK(tokenizer->special().eos == -1);
  CHECK(tokenizer->special().bos == -1);
  CHECK_FALSE(tokenizer->special().add_bos);
}

TEST_CASE("of two tokens with one spelling the last is the text's, both decode", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(spm_file({{"a", -1}, {"a", -2}, {"", -3}, {"\xe2\x96\x81", -4}}));
  CHECK(tokenizer->encode("a", false, false) == Ids{kFirstPiece + 3, kFirstPiece + 1});
  CHECK(tokenizer->decode(TokenId{kFirstPiece}) == "a");
  CHECK(tokenizer->decode(TokenId{kFirstPiece + 2}).empty());
}

TEST_CASE("tokenizers that are not supported are refused by name", "[tokenizer]") {
  GgufWriter writer;
  check_refused(writer, "tokenizer.ggml.model is absent");
  writer.string("tokenizer.ggml.model", "rwkv");
  check_refused(writer, "'rwkv'");
  check_refused(bpe_file("gpt-5000", {}), "'gpt-5000'");
  check_refused(bpe_file("gpt-5000", {}), "llama-bpe");  // the known ones are listed
}

TEST_CASE("a file without a pre-tokenizer has the default one", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(bpe_file("", {"1 2", "12 3", "123 4"}));
  // "default" cuts three digits off, so that 1234 cannot merge; gpt-2 would keep them together.
  CHECK(tokenizer->encode("1234", false, false) == Ids{257, '4'});
}

TEST_CASE("vocabulary tables of the wrong length or type are refused", "[tokenizer]") {
  const auto with = [](const char* key, const auto& change) {
    GgufWriter writer = spm_file({{"a", 0}});
    REQUIRE(writer.remove(key));
    change(writer);
    return writer;
  };
  constexpr const char* kTokens = "tokenizer.ggml.tokens";
  constexpr const char* kScores = "tokenizer.ggml.scores";
  constexpr const char* kTypes = "tokenizer.ggml.token_type";
  check_refused(with(kTokens, [](GgufWriter&) {}), kTokens);
  check_refused(with(kTokens, [](GgufWriter& w) { w.strings(kTokens, {}); }), kTokens);
  check_refused(with(kTokens, [](GgufWriter& w) { w.i32_array(kTokens, {1, 2}); }), kTokens);
  check_refused(with(kScores, [](GgufWriter& w) { w.f32_array(kScores, {1, 2}); }), "2 entries");
  check_refused(with(kScores, [](GgufWriter& w) { w.strings(kScores, std::vector<std::string>(260)); }),
                kScores);
  check_refused(with(kScores,
                     [](GgufWriter& w) {
                       std::vector<float> scores(260, 0.0f);
                       scores[7] = std::numeric_limits<float>::quiet_NaN();
                       w.f32_array(kScores, scores);
                     }),
                "scores[7]");
  check_refused(with(kTypes, [](GgufWriter& w) { w.i32_array(kTypes, {1}); }), "1 entries");
  check_refused(with(kTypes, [](GgufWriter& w) { w.f32_array(kTypes, std::vector<float>(260)); }), kTypes);
  check_refused(with(kTypes,
                     [](GgufWriter& w) {
                       std::vector<std::int32_t> types(260, 1);
                       types[9] = 7;
                       w.i32_array(kTypes, types);
                     }),
                "token_type[9] is 7");
}

TEST_CASE("token types may be unsigned too", "[tokenizer]") {
  constexpr const char* kTypes = "tokenizer.ggml.token_type";
  const auto with = [](std::uint32_t type) {
    GgufWriter writer = spm_file({{"a", 0}}, false);
    REQUIRE(writer.remove(kTypes));
    writer.u32_array(kTypes, {2, 3, 3, type});
    return writer;
  };
  CHECK(tokenizer_of(with(1))->decode(TokenId{3}) == "a");
  CHECK(tokenizer_of(with(3))->decode(TokenId{3}).empty());
  check_refused(with(7), "token_type[3] is 7");
  check_refused(with(0xFFFFFFFF), "token_type[3] is 4294967295");
}

TEST_CASE("special ids and flags that cannot be are refused", "[tokenizer]") {
  GgufWriter writer = spm_file({{"a", 0}});
  writer.u32("tokenizer.ggml.eos_token_id", 260);
  check_refused(writer, "tokenizer.ggml.eos_token_id is 260");

  GgufWriter no_bos = bpe_file("gpt-2", {});
  no_bos.boolean("tokenizer.ggml.add_bos_token", true);
  check_refused(no_bos, "tokenizer.ggml.bos_token_id");

  GgufWriter no_unknown = spm_file({{"a", 0}}, false);
  no_unknown.u32("tokenizer.ggml.unknown_token_id", 0xFFFFFFFFu);
  check_refused(no_unknown, "byte tokens");
}

TEST_CASE("merges that are missing or no pair are refused", "[tokenizer]") {
  for (const std::string& merge : {std::string("ab"), std::string(), std::string("ab "), std::string(" ")}) {
    GgufWriter writer = bpe_file("gpt-2", {});
    REQUIRE(writer.remove("tokenizer.ggml.merges"));
    check_refused(writer, "tokenizer.ggml.merges");
    writer.strings("tokenizer.ggml.merges", {"a b", merge});
    check_refused(writer, "tokenizer.ggml.merges[1]");
  }
  GgufWriter numbers = bpe_file("gpt-2", {});
  REQUIRE(numbers.remove("tokenizer.ggml.merges"));
  numbers.i32_array("tokenizer.ggml.merges", {1, 2});
  check_refused(numbers, "tokenizer.ggml.merges must be an array of strings");
}

TEST_CASE("a special token of more than 256 bytes is refused, another token may be as long as it likes",
          "[tokenizer]") {
  const std::vector<std::string> tokens = {"<unk>", std::string(257, 'a')};
  for (const std::int32_t type : {2, 3, 4}) {
    GgufWriter writer;
    writer.string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", tokens);
    writer.i32_array("tokenizer.ggml.token_type", {2, type});
    check_refused(writer, "tokenizer.ggml.tokens[1], a special token, has 257 bytes, over the limit of 256");
  }
  GgufWriter normal;
  normal.string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", tokens);
  normal.i32_array("tokenizer.ggml.token_type", {2, 1});
  CHECK(tokenizer_of(normal)->size() == 2);
}

TEST_CASE("a phi-3's special tokens take the white space behind them, a mask that before it", "[tokenizer]") {
  GgufWriter phi = bpe_file("gpt-2", {}, {{"<|user|>", 3}, {"<s>", 3}});
  phi.string("general.name", "Phi-3 mini");
  CHECK(tokenizer_of(phi)->encode("a <|user|> \n b<s> c", false, true) ==
        Ids{'a', ' ', 256, 'b', 257, ' ', 'c'});
  CHECK(tokenizer_of(phi)->encode("<|user|> <|user|>", false, true) == Ids{256, 256});
  GgufWriter mask = bpe_file("gpt-2", {}, {{"<mask>", 3}});
  mask.string("general.architecture", "nomic-bert-moe");
  CHECK(tokenizer_of(mask)->encode("a  <mask> b", false, true) == Ids{'a', 256, ' ', 'b'});
}

TEST_CASE("<|eot|> ends a turn without a key", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {}, {{"<|eot|>", 1}}));
  CHECK(tokenizer->ends_text(256));
  CHECK(tokenizer->special().eot == 256);
  CHECK(tokenizer->decode(256).empty());
}
