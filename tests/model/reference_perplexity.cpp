// SPDX-License-Identifier: Apache-2.0
// Does perplexity cut, replace and score exactly the tokens of its definition?
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "base/error.h"
#include "model/reference/reference.h"

using namespace tokencycle;
using namespace tokencycle::model;

namespace {

// One token a character, its code; BOS is token 1.
class CharacterTokenizer final : public Tokenizer {
 public:
  explicit CharacterTokenizer(bool add_bos) {
    special_.bos = 1;
    special_.add_bos = add_bos;
  }
  std::vector<TokenId> encode(std::string_view text, bool add_special, bool) const override {
    std::vector<TokenId> ids;
    if (add_special && special_.add_bos) ids.push_back(1);
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  std::string decode(TokenId id) const override { return std::string(1, static_cast<char>(id)); }
  std::string spelling(TokenId id) const override { return decode(id); }
  bool strips_leading_space() const override { return false; }
  std::size_t size() const override { return 128; }
  std::string kind() const override { return "characters"; }
};

constexpr std::size_t kVocabulary = 128;

// Gives the token that follows a probability of 1/2 at even positions and 1/8 at odd ones.
std::vector<std::vector<float>> oracle(std::span<const TokenId> window) {
  std::vector<std::vector<float>> logits(window.size());
  for (std::size_t i = window.size() / 2; i + 1 < window.size(); ++i) {
    const double p = i % 2 == 0 ? 0.5 : 0.125;
    logits[i].assign(kVocabulary, static_cast<float>(std::log((1.0 - p) / (kVocabulary - 1))));
    logits[i][window[i + 1]] = static_cast<float>(std::log(p));
  }
  return logits;
}

}  // namespace

TEST_CASE("the negative log-likelihood of a token") {
  const std::vector<float> even(4, -3.5f);
  REQUIRE(negative_log_likelihood(even, 2) == Approx(std::log(4.0)).epsilon(1e-14));
  const std::vector<float> logits = {0.0f, std::log(3.0f)};
  REQUIRE(negative_log_likelihood(logits, 0) == Approx(std::log(4.0)).epsilon(1e-7));
  REQUIRE(negative_log_likelihood(logits, 1) == Approx(std::log(4.0 / 3.0)).epsilon(1e-6));
  const std::vector<float> wide = {-1e30f, 1e30f};
  REQUIRE(negative_log_likelihood(wide, 1) == 0.0);
  REQUIRE(negative_log_likelihood(wide, 0) == Approx(2e30).epsilon(1e-6));
  const std::vector<float> impossible = {-std::numeric_limits<float>::infinity(), 0.0f};
  REQUIRE(negative_log_likelihood(impossible, 0) == std::numeric_limits<double>::infinity());
  REQUIRE_THROWS_AS(negative_log_likelihood(even, 4), std::out_of_range);
}

TEST_CASE("windows do not overlap, begin with BOS, and score their second half") {
  const CharacterTokenizer tokenizer(true);
  std::vector<std::vector<TokenId>> windows;
  // BOS and 26 letters: two windows of 10, the last 7 tokens are dropped.
  const auto result =
      perplexity(tokenizer, "abcdefghijklmnopqrstuvwxyz", 10, [&](std::span<const TokenId> window) {
        windows.emplace_back(window.begin(), window.end());
        return oracle(window);
      });
  REQUIRE(windows == std::vector<std::vector<TokenId>>{{1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'},
                                                       {1, 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's'}});
  REQUIRE(result.windows == 2);
  REQUIRE(result.scored_tokens == 8);  // positions 6 to 9 of each
  // Predicted by positions 5 to 8: 1/8, 1/2, 1/8, 1/2. The geometric mean of 8 and 2 is 4.
  REQUIRE(result.value == Approx(4.0).epsilon(1e-6));
}

TEST_CASE("an odd window scores the positions after its half, rounded down") {
  const CharacterTokenizer tokenizer(true);
  const auto result = perplexity(tokenizer, "abcdef", 7, oracle);
  REQUIRE(result.scored_tokens == 3);  // positions 4, 5, 6, predicted by 3, 4, 5
  REQUIRE(result.value == Approx(std::pow(8.0 * 2.0 * 8.0, 1.0 / 3.0)).epsilon(1e-6));
}

TEST_CASE("a model that asks for no BOS keeps the first tokens") {
  const CharacterTokenizer tokenizer(false);
  std::vector<TokenId> firsts;
  perplexity(tokenizer, "abcdefgh", 4, [&](std::span<const TokenId> window) {
    firsts.push_back(window[0]);
    return oracle(window);
  });
  REQUIRE(firsts == std::vector<TokenId>{'a', 'e'});
}

TEST_CASE("too little text and windows that score nothing are refused") {
  const CharacterTokenizer tokenizer(true);
  REQUIRE_THROWS_AS(perplexity(tokenizer, "abc", 10, oracle), ModelError);
  REQUIRE_THROWS_WITH(perplexity(tokenizer, "abc", 10, oracle),
                      Catch::Contains("4 tokens") && Catch::Contains("10"));
  REQUIRE_THROWS_AS(perplexity(tokenizer, "abcdef", 2, oracle), UsageError);
  REQUIRE(perplexity(tokenizer, "ab", 3, oracle).scored_tokens == 1);
}
