// SPDX-License-Identifier: Apache-2.0
// Does pairwise_sum add in exactly the documented order?
#include "numerics/reduce.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

using namespace tokencycle;

namespace {

// The definition as it is written, level by level.
float by_levels(std::vector<float> s) {
  if (s.empty()) return 0.0f;
  while (s.size() > 1) {
    std::vector<float> next;
    for (std::size_t i = 0; i + 1 < s.size(); i += 2) next.push_back(s[i] + s[i + 1]);
    if (s.size() % 2 != 0) next.push_back(s.back());
    s = std::move(next);
  }
  return s[0];
}

// What a vector unit with `lanes` lanes does: beats as subtrees, a binary counter of partial sums.
float by_beats(const std::vector<float>& v, std::size_t lanes) {
  std::vector<std::pair<std::size_t, float>> partial;  // (beats covered, sum), largest first
  for (std::size_t i = 0; i < v.size(); i += lanes) {
    const std::size_t end = std::min(i + lanes, v.size());
    std::size_t beats = 1;
    float sum =
        by_levels({v.begin() + static_cast<std::ptrdiff_t>(i), v.begin() + static_cast<std::ptrdiff_t>(end)});
    while (!partial.empty() && partial.back().first == beats) {
      sum = partial.back().second + sum;
      beats *= 2;
      partial.pop_back();
    }
    partial.emplace_back(beats, sum);
  }
  float sum = partial.back().second;
  for (std::size_t i = partial.size() - 1; i-- > 0;) sum = partial[i].second + sum;
  return sum;
}

// Values whose sum depends on the order: magnitudes over ten decades, both signs.
std::vector<float> rough_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> v(n);
  for (float& x : v) {
    const float mantissa = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
    x = std::ldexp(mantissa, static_cast<int>(random() % 32) - 16);
  }
  return v;
}

std::uint32_t bits(float x) {
  return std::bit_cast<std::uint32_t>(x);
}

}  // namespace

TEST_CASE("pairwise_sum adds neighbours level by level, for every length") {
  for (std::size_t n = 0; n <= 700; ++n) {
    const auto v = rough_values(n, static_cast<unsigned>(n));
    CAPTURE(n);
    REQUIRE(bits(pairwise_sum(v)) == bits(by_levels(v)));
  }
  for (const std::size_t n : {1023u, 1024u, 1025u, 4097u, 32000u, 99999u, 100000u}) {
    const auto v = rough_values(n, static_cast<unsigned>(n));
    CAPTURE(n);
    REQUIRE(bits(pairwise_sum(v)) == bits(by_levels(v)));
  }
}

TEST_CASE("the order is not the sequential one") {
  int different = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const auto v = rough_values(1000, seed);
    float sequential = 0.0f;
    for (const float x : v) sequential += x;
    different += bits(pairwise_sum(v)) != bits(sequential) ? 1 : 0;
  }
  REQUIRE(different > 50);  // so the comparisons above can tell orders apart
}

TEST_CASE("any power-of-two number of lanes gives the same sum") {
  for (const std::size_t n : {1u, 5u, 31u, 64u, 100u, 511u, 2000u}) {
    const auto v = rough_values(n, 77u + static_cast<unsigned>(n));
    for (const std::size_t lanes : {1u, 2u, 8u, 16u, 64u, 256u}) {
      CAPTURE(n, lanes);
      REQUIRE(bits(pairwise_sum(v)) == bits(by_beats(v, lanes)));
    }
  }
}

TEST_CASE("small sums by hand") {
  REQUIRE(bits(pairwise_sum({})) == 0u);
  const std::vector<float> negative_zero = {-0.0f};
  REQUIRE(bits(pairwise_sum(negative_zero)) == 0x80000000u);
  // (2^24 + 1) + (1 + 1): the first pair rounds down to 2^24; sequentially both ones would be lost.
  const std::vector<float> v = {0x1p24f, 1.0f, 1.0f, 1.0f};
  REQUIRE(pairwise_sum(v) == 0x1p24f + 2.0f);
  const std::vector<float> three = {0x1p24f, 1.0f, 1.0f};
  REQUIRE(pairwise_sum(three) == 0x1p24f);
}
