// SPDX-License-Identifier: Apache-2.0
// Unigram: the cut with the largest sum of scores, and the normalization before it.
#include <catch2/catch.hpp>

#include <cstring>
#include <limits>

#include "base/error.h"
#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

const std::string kMark = "\xe2\x96\x81";

// Ids 0 <pad>, 1 </s>, 2 <unk>, then the pieces.
GgufWriter unigram_file(const std::vector<SpmPiece>& pieces) {
  std::vector<std::string> spellings = {"<pad>", "</s>", "<unk>"};
  std::vector<float> scores = {0, 0, 0};
  std::vector<std::int32_t> types = {3, 3, 2};
  for (const SpmPiece& piece : pieces) {
    spellings.push_back(piece.spelling);
    scores.push_back(piece.score);
    types.push_back(piece.type);
  }
  GgufWriter writer;
  writer.string("tokenizer.ggml.model", "t5");
  writer.strings("tokenizer.ggml.tokens", spellings);
  writer.f32_array("tokenizer.ggml.scores", scores);
  writer.i32_array("tokenizer.ggml.token_type", types);
  return writer;
}

// A table of 256 units with one rule: a tab becomes `replacement`. The root's children begin at 0x10, so the
// tab is unit 0x10 ^ 9; its leaf is 0x20 away.
std::vector<std::byte> tab_rule(std::string_view replacement, std::uint32_t offset = 0) {
  std::vector<std::uint32_t> units(256, 0);
  units[0] = 0x10u << 10;
  units[0x10 ^ 9] = 0x20u << 10 | 1u << 8 | 9u;
  units[0x10 ^ 9 ^ 0x20] = 1u << 31 | offset;
  std::vector<std::byte> bytes(4 + units.size() * 4 + replacement.size());
  const auto size = static_cast<std::uint32_t>(units.size() * 4);
  std::memcpy(bytes.data(), &size, 4);
  std::memcpy(bytes.data() + 4, units.data(), size);
  std::memcpy(bytes.data() + 4 + size, replacement.data(), replacement.size());
  return bytes;
}

GgufWriter& add_rules(GgufWriter& writer, const std::vector<std::byte>& rules) {
  std::vector<std::byte> array(12 + rules.size());
  const std::uint32_t u8 = 0;
  const std::uint64_t count = rules.size();
  std::memcpy(array.data(), &u8, 4);
  std::memcpy(array.data() + 4, &count, 8);
  std::memcpy(array.data() + 12, rules.data(), rules.size());
  return writer.raw("tokenizer.ggml.precompiled_charsmap", 9, array);
}

}  // namespace

TEST_CASE("the cut with the largest sum of scores is taken, not the longest token", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(
      unigram_file({{kMark, -2}, {"a", -3}, {"b", -3}, {"ab", -7}, {"abc", -9}, {"bc", -3}, {"c", -4}}));
  CHECK(tokenizer->encode("ab", false, false) == Ids{3, 4, 5});   // -6, and -7 as one
  CHECK(tokenizer->encode("abc", false, false) == Ids{3, 4, 8});  // a, bc: -6
  CHECK(tokenizer->encode("abc", true, false) == Ids{3, 4, 8, 1});
  CHECK(tokenizer->decode(Ids{3, 4, 8, 3, 5}) == "abc b");
  CHECK(tokenizer->encode("", true, false) == Ids{1});
}

TEST_CASE("unknown characters in a row are one token, and cost ten more than the rarest", "[tokenizer]") {
  const auto tokenizer = tokenizer_of(unigram_file({{kMark, -2}, {"a", -3}, {"\u00e9a", -12.5f}}));
  CHECK(tokenizer->encode("xyz", false, false) == Ids{3, 2});
  CHECK(tokenizer->encode("xa\xff", false, false) == Ids{3, 2, 4, 2});
  CHECK(tokenizer->encode("\u00e9a", false, false) == Ids{3, 5});
}

TEST_CASE("spaces are kept or merged as the file says, and rules replace what they name", "[tokenizer]") {
  const std::vector<SpmPiece> pieces = {{kMark, -2}, {"a", -3}};
  GgufWriter kept = unigram_file(pieces);
  CHECK(tokenizer_of(kept)->encode(" a  a ", false, false) == Ids{3, 3, 4, 3, 3, 4, 3});
  GgufWriter merged = unigram_file(pieces);
  merged.boolean("tokenizer.ggml.remove_extra_whitespaces", true);
  CHECK(tokenizer_of(merged)->encode(" a  a ", false, false) == Ids{3, 4, 3, 4});
  add_rules(merged, tab_rule(std::string_view(" \0", 2)));
  CHECK(tokenizer_of(merged)->encode("a\t\ta", false, false) == Ids{3, 4, 3, 4});
}

TEST_CASE("tables of rules that are damaged are refused", "[tokenizer]") {
  const auto with = [](const std::vector<std::byte>& rules) {
    GgufWriter writer = unigram_file({{kMark, -2}, {"a", -3}});
    return tokenizer_of(add_rules(writer, rules));
  };
  const auto refused = Catch::Contains("precompiled_charsmap");
  CHECK_THROWS_WITH(with(std::vector<std::byte>(3)), refused);
  CHECK_THROWS_WITH(with(std::vector<std::byte>(64)), refused);  // a table of no bytes
  std::vector<std::byte> whole = tab_rule(std::string_view(" \0", 2));
  whole.resize(4 + 256 * 4);  // nothing behind the table
  CHECK_THROWS_WITH(with(whole), refused);
  CHECK_THROWS_AS(with(tab_rule(" "))->encode("\t", false, false), ModelError);  // no end
  CHECK_THROWS_AS(with(tab_rule(std::string_view(" \0", 2), 9))->encode("\t", false, false), ModelError);
  CHECK_THROWS_AS(with(tab_rule(std::string(257, 'x') + '\0'))->encode("\t", false, false), ModelError);
  std::vector<std::byte> far = tab_rule(std::string_view(" \0", 2));
  const std::uint32_t root = 0x1FFFFFu << 10;
  std::memcpy(far.data() + 4, &root, 4);
  CHECK_THROWS_AS(with(far)->encode("a", false, false), ModelError);
}

TEST_CASE("scores without bounds end in tokens all the same", "[tokenizer]") {
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float score : {-infinite, infinite, std::numeric_limits<float>::lowest()}) {
    const auto tokenizer = tokenizer_of(unigram_file({{kMark, score}, {"a", score}}));
    CHECK(!tokenizer->encode("a ba", false, false).empty());
  }
}
