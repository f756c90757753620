// SPDX-License-Identifier: Apache-2.0
// Are conversions and the exponential right to the last bit, for every input that fits in a test?
#include "numerics/scalar.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

using namespace tokencycle;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The value of binary16 bits by the definition of the format, not by the code under test.
double f16_value(std::uint32_t h) {
  const double sign = (h & 0x8000u) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>(h >> 10 & 31u);
  const int mantissa = static_cast<int>(h & 1023u);
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

bool is_nan_f16(std::uint32_t h) {
  return (h & 0x7FFFu) > 0x7C00u;
}

std::uint32_t bits(float x) {
  return std::bit_cast<std::uint32_t>(x);
}

// The distance between y and e^x in units in the last place of the fp32 number nearest to e^x.
long double error_in_ulp(float x, float y) {
  const long double truth = std::exp(static_cast<long double>(x));
  int exponent = 0;
  std::frexp(truth, &exponent);
  const long double ulp = std::ldexp(1.0L, std::max(exponent - 24, -149));
  return std::abs(static_cast<long double>(y) - truth) / ulp;
}

}  // namespace

TEST_CASE("every binary16 value converts to its exact fp32 value and back") {
  for (std::uint32_t h = 0; h < 0x10000u; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const float x = f32_from_f16(half);
    CAPTURE(h, x);
    if (is_nan_f16(h)) {
      REQUIRE(std::isnan(x));
      REQUIRE(f16_from_f32(x) == ((h & 0x8000u) | 0x7E00u));
    } else if ((h & 0x7FFFu) == 0x7C00u) {
      REQUIRE(x == ((h & 0x8000u) != 0 ? -kInfinity : kInfinity));
      REQUIRE(f16_from_f32(x) == half);
    } else {
      REQUIRE(static_cast<double>(x) == f16_value(h));
      REQUIRE(std::signbit(x) == ((h & 0x8000u) != 0));
      REQUIRE(f16_from_f32(x) == half);
    }
  }
}

TEST_CASE("fp32 rounds to the nearest binary16, ties to the even one") {
  // Between each two neighbours: the midpoint is exact in fp32, and so are the floats beside it.
  for (std::uint32_t h = 0; h < 0x7BFFu; ++h) {
    const auto middle = static_cast<float>((f16_value(h) + f16_value(h + 1)) / 2);
    const std::uint32_t even = (h & 1u) == 0 ? h : h + 1;
    CAPTURE(h, middle);
    REQUIRE(f16_from_f32(middle) == even);
    REQUIRE(f16_from_f32(-middle) == (even | 0x8000u));
    REQUIRE(f16_from_f32(std::nextafter(middle, 0.0f)) == h);
    REQUIRE(f16_from_f32(std::nextafter(middle, kInfinity)) == h + 1);
  }
}

TEST_CASE("binary16 overflows to infinity half a unit above its largest value") {
  REQUIRE(f16_from_f32(65504.0f) == 0x7BFF);
  REQUIRE(f16_from_f32(std::nextafter(65520.0f, 0.0f)) == 0x7BFF);
  REQUIRE(f16_from_f32(65520.0f) == 0x7C00);
  REQUIRE(f16_from_f32(-65520.0f) == 0xFC00);
  REQUIRE(f16_from_f32(std::numeric_limits<float>::max()) == 0x7C00);
  REQUIRE(f16_from_f32(-kInfinity) == 0xFC00);
}

TEST_CASE("binary16 underflows to a zero that keeps its sign") {
  REQUIRE(f16_from_f32(0x1p-25f) == 0x0000);  // a tie with zero, which is even
  REQUIRE(f16_from_f32(std::nextafter(0x1p-25f, 1.0f)) == 0x0001);
  REQUIRE(f16_from_f32(-0x1p-26f) == 0x8000);
  REQUIRE(f16_from_f32(std::numeric_limits<float>::denorm_min()) == 0x0000);
  REQUIRE(f16_from_f32(-0.0f) == 0x8000);
}

TEST_CASE("every bfloat16 value survives fp32, and ties go to the even one") {
  for (std::uint32_t b = 0; b < 0x10000u; ++b) {
    const auto brain = static_cast<std::uint16_t>(b);
    const float x = f32_from_bf16(brain);
    CAPTURE(b, x);
    REQUIRE(bits(x) == b << 16);
    if (std::isnan(x)) {
      REQUIRE(bf16_from_f32(x) == (b | 0x40u));
      continue;
    }
    REQUIRE(bf16_from_f32(x) == brain);
    if (std::isinf(x)) continue;
    const std::uint32_t middle = b << 16 | 0x8000u;
    REQUIRE(bf16_from_f32(std::bit_cast<float>(middle)) == b + (b & 1u));
    REQUIRE(bf16_from_f32(std::bit_cast<float>(middle - 1)) == b);
    REQUIRE(bf16_from_f32(std::bit_cast<float>(middle + 1)) == b + 1);
  }
}

TEST_CASE("a bfloat16 NaN whose payload lies in the dropped bits stays NaN") {
  REQUIRE(bf16_from_f32(std::bit_cast<float>(0x7F800001u)) == 0x7FC0);
  REQUIRE(bf16_from_f32(std::bit_cast<float>(0xFFFFFFFFu)) == 0xFFFF);
}

TEST_CASE("exp_f32 is within two units in the last place") {
  long double worst = 0;
  float worst_at = 0;
  const auto check = [&](float x) {
    const long double error = error_in_ulp(x, exp_f32(x));
    if (error <= worst) return;
    worst = error;
    worst_at = x;
  };
  // Every magnitude from 2^-30 to 128 through steps of the bit pattern, and an even grid.
  const std::uint32_t last = bits(104.0f);
  for (std::uint32_t b = bits(0x1p-30f); b <= last; b += 331) {
    const float x = std::bit_cast<float>(b);
    check(-x);
    if (x <= 88.7228f) check(x);
  }
  for (int i = -1040000; i <= 887228; ++i) check(static_cast<float>(i) * 1e-4f);
  CAPTURE(worst_at);
  REQUIRE(worst > 0.4L);  // the measurement itself works: rounding alone costs up to half a unit
  REQUIRE(worst <= 2.0L);
}

TEST_CASE("exp_f32 at its edges") {
  REQUIRE(exp_f32(0.0f) == 1.0f);
  REQUIRE(exp_f32(-0.0f) == 1.0f);
  REQUIRE(exp_f32(std::numeric_limits<float>::denorm_min()) == 1.0f);
  REQUIRE(bits(exp_f32(1.0f)) == bits(2.71828182845904523536f));
  REQUIRE(exp_f32(88.722f) < kInfinity);
  REQUIRE(exp_f32(88.73f) == kInfinity);
  REQUIRE(exp_f32(89.0f) == kInfinity);
  REQUIRE(exp_f32(kInfinity) == kInfinity);
  REQUIRE(exp_f32(-103.0f) == std::numeric_limits<float>::denorm_min());
  REQUIRE(bits(exp_f32(-104.1f)) == 0u);
  REQUIRE(bits(exp_f32(-kInfinity)) == 0u);
  REQUIRE(bits(exp_f32(std::numeric_limits<float>::lowest())) == 0u);
  REQUIRE(std::isnan(exp_f32(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("exp_f32 never falls when its argument grows by more than its error") {
  for (int i = -8000; i < 8800; ++i) {
    const float x = static_cast<float>(i) * 0.01f;
    CAPTURE(x);
    REQUIRE(exp_f32(x) < exp_f32(x + 0.01f));
  }
}

TEST_CASE("SiLU at known points and at its ends") {
  REQUIRE(silu_f32(0.0f) == 0.0f);
  REQUIRE(silu_f32(1.0f) == Approx(0.7310585786300049).epsilon(1e-6));
  REQUIRE(silu_f32(-1.0f) == Approx(-0.2689414213699951).epsilon(1e-6));
  REQUIRE(silu_f32(100.0f) == 100.0f);
  REQUIRE(silu_f32(-100.0f) == 0.0f);  // e^100 is infinite in fp32, and the quotient a zero
  REQUIRE(std::isnan(silu_f32(std::numeric_limits<float>::quiet_NaN())));
}
