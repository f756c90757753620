// SPDX-License-Identifier: Apache-2.0
// Two clocks counted from time 0: is the conversion exact, however late it is?
#include "memory/dram/clock_ratio.h"

#include <catch2/catch.hpp>
#include <random>

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

__extension__ using Wide = unsigned __int128;

// Lengths in femtoseconds, never reduced: products need up to 100 bits.
struct LongRatio {
  Wide clock, cycle;
  std::uint64_t cycle_of(Clock k) const { return static_cast<std::uint64_t>(k * clock / cycle); }
  std::uint64_t cycle_from(Clock k) const {
    return static_cast<std::uint64_t>((k * clock + cycle - 1) / cycle);
  }
  bool begins_by_end_of(std::uint64_t c, Clock k) const { return k * clock < (Wide{c} + 1) * cycle; }
};

}  // namespace

TEST_CASE("conversions equal long arithmetic for any two clocks, hours into the run") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t tck_ps = 100 + random() % 5'000;
    const double ghz = static_cast<double>(1 + random() % 10'000) / 1000;
    const ClockRatio ratio(tck_ps, ghz);
    const LongRatio exact{tck_ps * 1000, static_cast<std::uint64_t>(std::llround(1e6 / ghz))};
    // Up to 5 hours of 10^15 femtoseconds a second.
    const std::uint64_t femtoseconds = random() >> random() % 60;
    if (femtoseconds > 18'000'000'000'000'000'000u) continue;
    const Clock k = static_cast<Clock>(femtoseconds / exact.clock);
    const auto c = static_cast<std::uint64_t>(femtoseconds / exact.cycle);
    CAPTURE(tck_ps, ghz, k, c);
    REQUIRE(ratio.cycle_of(k).value == exact.cycle_of(k));
    REQUIRE(ratio.cycle_from(k).value == exact.cycle_from(k));
    const Clock last = ratio.last_clock(Cycle(c));
    REQUIRE(exact.begins_by_end_of(c, last));
    REQUIRE_FALSE(exact.begins_by_end_of(c, last + 1));
  }
}

TEST_CASE("equal clocks are the same, and a multiple begins where the other does") {
  const ClockRatio same(1000, 1.0), fast(250, 1.0), slow(4000, 1.0);
  for (std::uint64_t n = 0; n < 100; ++n) {
    CHECK(same.cycle_of(n).value == n);
    CHECK(same.cycle_from(n).value == n);
    CHECK(same.last_clock(Cycle(n)) == n);
    CHECK(fast.cycle_of(n).value == n / 4);
    CHECK(fast.cycle_from(n).value == (n + 3) / 4);
    CHECK(fast.last_clock(Cycle(n)) == 4 * n + 3);
    CHECK(slow.cycle_of(n).value == 4 * n);
    CHECK(slow.last_clock(Cycle(n)) == n / 4);
  }
}

TEST_CASE("a ratio that is no whole number does not drift") {
  const ClockRatio ratio(833, 1.0);  // DDR4-2400's clock: 1000 of them in 833 cycles of 1 GHz
  for (const std::uint64_t n : {1u, 7u, 1'000'000u, 4'000'000'000u}) {
    CHECK(ratio.cycle_of(1000 * n).value == 833 * n);
    CHECK(ratio.cycle_from(1000 * n).value == 833 * n);
    CHECK(ratio.cycle_of(1000 * n - 1).value == 833 * n - 1);
    CHECK(ratio.last_clock(Cycle(833 * n - 1)) == 1000 * n - 1);
    CHECK(ratio.last_clock(Cycle(833 * n)) == 1000 * n + 1);  // 833 n and 833 n + 0.833
  }
}
