// SPDX-License-Identifier: Apache-2.0
// The tournament over keys that change one at a time: is its winner the smallest, the first of equals?
#include "memory/dram/earliest_of.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace tokencycle::memory;

namespace {
constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();
}

TEST_CASE("at first no key is there, and the first is named") {
  for (const std::size_t count : {1u, 2u, 3u, 8u, 64u}) {
    const EarliestOf earliest(count);
    CHECK(earliest.key() == kNothing);
    CHECK(earliest.first() == 0);
  }
}

TEST_CASE("the winner is the smallest key, of equals the first, whatever changes") {
  std::mt19937_64 random(3);
  for (std::size_t count = 1; count <= 70; ++count) {
    EarliestOf earliest(count);
    std::vector<std::uint64_t> keys(count, kNothing);
    for (int n = 0; n < 400; ++n) {
      const std::size_t at = random() % count;
      // Few values, so that many are equal; none now and then, so that keys go away.
      keys[at] = random() % 6 == 0 ? kNothing : random() % 20;
      earliest.set(at, keys[at]);
      const auto smallest = std::min_element(keys.begin(), keys.end());
      CAPTURE(count, n);
      REQUIRE(earliest.key() == *smallest);
      REQUIRE(earliest.first() == static_cast<std::size_t>(smallest - keys.begin()));
    }
  }
}
