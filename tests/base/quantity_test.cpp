// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"

#include <catch2/catch.hpp>
#include <type_traits>

using namespace tokencycle;

static_assert(!std::is_convertible_v<Cycle, DramAddress>, "a cycle is not an address");
static_assert(!std::is_convertible_v<std::uint64_t, Cycle>, "a plain number is not a cycle");
static_assert(!std::is_convertible_v<Cycle, std::uint64_t>, "a cycle is not a plain number");

TEST_CASE("rounding up reaches the next multiple and keeps one") {
  CHECK(ceil_div(0, 32) == 0);
  CHECK(ceil_div(1, 32) == 1);
  CHECK(ceil_div(32, 32) == 1);
  CHECK(round_up(33, 32) == 64);
  CHECK(round_up(64, 32) == 64);
}

TEST_CASE("never is later than every cycle that a run can reach") {
  CHECK(kNever > Cycle(1) + (kNever.value - 2));
}
