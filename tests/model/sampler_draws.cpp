// SPDX-License-Identifier: Apache-2.0
// Does the sampler draw the documented tokens with the documented probabilities?
#include "model/sampler.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/error.h"

using namespace tokencycle;
using namespace tokencycle::model;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

SamplerOptions options(double temperature, std::uint32_t top_k, double top_p, std::uint64_t seed = 1) {
  return {.temperature = temperature, .top_k = top_k, .top_p = top_p, .seed = seed};
}

std::map<TokenId, int> counts(const SamplerOptions& o, const std::vector<float>& logits, int draws) {
  Sampler sampler(o);
  std::map<TokenId, int> result;
  for (int i = 0; i < draws; ++i) ++result[sampler.next(logits)];
  return result;
}

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

}  // namespace

TEST_CASE("temperature 0 takes the first of the largest logits") {
  Sampler sampler(SamplerOptions{});
  REQUIRE(sampler.next(std::vector<float>{1.0f, 3.0f, 2.0f, 3.0f}) == 1);
  REQUIRE(sampler.next(std::vector<float>{-0.0f, 0.0f}) == 0);
  REQUIRE(sampler.next(std::vector<float>{-kInfinity, -1e30f}) == 1);
  REQUIRE(sampler.next(std::vector<float>{5.0f}) == 0);
}

TEST_CASE("draws follow SplitMix64's published numbers") {
  // Of 65,536 equal logits, a draw takes the upper 16 bits of the generator's next output.
  const std::vector<float> equal(65536, 0.25f);
  Sampler sampler(options(1.0, 0, 1.0, 1234567));
  for (const std::uint64_t output : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                     4593380528125082431u, 16408922859458223821u}) {
    REQUIRE(sampler.next(equal) == output >> 48);
  }
}

TEST_CASE("the same seed gives the same tokens, another seed others") {
  const std::vector<float> logits = {0.3f, 0.2f, 0.1f, 0.0f, 0.25f};
  Sampler a(options(1.0, 0, 1.0, 7)), b(options(1.0, 0, 1.0, 7)), c(options(1.0, 0, 1.0, 8));
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const TokenId id = a.next(logits);
    REQUIRE(id == b.next(logits));
    different += id != c.next(logits) ? 1 : 0;
  }
  REQUIRE(different > 50);
}

TEST_CASE("frequencies follow softmax with temperature") {
  const auto logits = logits_of({0.1, 0.6, 0.3});
  const int draws = 100000;
  auto plain = counts(options(1.0, 0, 1.0), logits, draws);
  REQUIRE(plain[0] == Approx(10000).margin(500));
  REQUIRE(plain[1] == Approx(60000).margin(800));
  REQUIRE(plain[2] == Approx(30000).margin(800));
  // At temperature 1/2 probabilities are squared: 1 : 36 : 9 of 46.
  auto cold = counts(options(0.5, 0, 1.0), logits, draws);
  REQUIRE(cold[0] == Approx(draws * 1.0 / 46).margin(300));
  REQUIRE(cold[1] == Approx(draws * 36.0 / 46).margin(800));
  // Far above 1 all are equal.
  auto hot = counts(options(1e6, 0, 1.0), logits, draws);
  REQUIRE(hot[0] == Approx(draws / 3.0).margin(800));
}

TEST_CASE("top-k keeps the k largest, ties by lower id") {
  const std::vector<float> logits = {1.0f, 2.0f, 2.0f, 2.0f, 0.0f};
  const auto two = counts(options(1.0, 2, 1.0), logits, 1000);
  REQUIRE(two.size() == 2);
  REQUIRE(two.count(1) == 1);
  REQUIRE(two.count(2) == 1);
  REQUIRE(counts(options(5.0, 1, 1.0), logits, 100).size() == 1);
  REQUIRE(counts(options(5.0, 100, 1.0), logits, 1000).size() == 5);
}

TEST_CASE("top-p keeps the shortest prefix that reaches its share") {
  const auto logits = logits_of({0.15, 0.5, 0.3, 0.05});
  REQUIRE(counts(options(1.0, 0, 0.4), logits, 1000).size() == 1);
  REQUIRE(counts(options(1.0, 0, 0.6), logits, 1000).size() == 2);
  REQUIRE(counts(options(1.0, 0, 0.9), logits, 1000).size() == 3);
  REQUIRE(counts(options(1.0, 0, 1.0), logits, 1000).size() == 4);
  REQUIRE(counts(options(1.0, 0, 1e-9), logits, 100).count(1) == 1);
  // What is kept is drawn in its own proportions, 5 : 3.
  auto two = counts(options(1.0, 0, 0.6), logits, 80000);
  REQUIRE(two[1] == Approx(50000).margin(700));
}

TEST_CASE("top-p counts shares of what top-k left, at the temperature in force") {
  const auto logits = logits_of({0.4, 0.3, 0.2, 0.1});
  // After top-2 the first holds 4/7 > 0.5; of all four it would hold only 0.4.
  REQUIRE(counts(options(1.0, 2, 0.5), logits, 1000).size() == 1);
  REQUIRE(counts(options(1.0, 0, 0.5), logits, 1000).size() == 2);
  // At temperature 1/2 the first of four holds 16/30.
  REQUIRE(counts(options(0.5, 0, 0.5), logits, 1000).size() == 1);
}

TEST_CASE("impossible tokens are never drawn") {
  const std::vector<float> logits = {-kInfinity, 0.0f, -kInfinity, 0.0f};
  const auto drawn = counts(options(1.0, 0, 1.0), logits, 1000);
  REQUIRE(drawn.size() == 2);
  REQUIRE(drawn.count(1) == 1);
  REQUIRE(drawn.count(3) == 1);
}

TEST_CASE("a very low temperature is greedy and does not overflow") {
  const std::vector<float> logits = {-3e38f, 10.0f, 9.99f};
  REQUIRE(counts(options(1e-300, 0, 1.0), logits, 100).count(1) == 1);
  REQUIRE(counts(options(1e-300, 0, 1.0), logits, 100).size() == 1);
}

TEST_CASE("damaged logits are refused and name the token") {
  Sampler greedy(SamplerOptions{});
  Sampler warm(options(1.0, 40, 0.95));
  const std::vector<float> damaged = {1.0f, 2.0f, std::numeric_limits<float>::quiet_NaN()};
  REQUIRE_THROWS_AS(greedy.next(damaged), SimulationError);
  REQUIRE_THROWS_WITH(warm.next(damaged), Catch::Contains("token 2"));
  REQUIRE_THROWS_WITH(warm.next(std::vector<float>{1.0f, kInfinity}), Catch::Contains("token 1"));
  REQUIRE_THROWS_AS(warm.next(std::vector<float>{-kInfinity}), SimulationError);
  REQUIRE_THROWS_AS(greedy.next(std::vector<float>{}), SimulationError);
}

TEST_CASE("options out of range are refused with their value") {
  REQUIRE_THROWS_WITH(Sampler(options(-0.5, 0, 1.0)), Catch::Contains("-0.5"));
  REQUIRE_THROWS_AS(Sampler(options(kNan, 0, 1.0)), UsageError);
  REQUIRE_THROWS_AS(Sampler(options(std::numeric_limits<double>::infinity(), 0, 1.0)), UsageError);
  for (const double top_p : {0.0, -0.1, 1.0001, kNan})
    REQUIRE_THROWS_AS(Sampler(options(1.0, 0, top_p)), UsageError);
}
