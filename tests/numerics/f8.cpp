// SPDX-License-Identifier: Apache-2.0
// Are the 8-bit floating-point numbers those of OFP8, and is what is encoded the nearest of them?
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "numerics/blocks.h"

using namespace tokencycle;

namespace {

struct Kind {
  const char* name;
  int exponent_bits, mantissa_bits, bias;
  float largest;
};
constexpr Kind kKinds[] = {{"f8_e4m3", 4, 3, 7, 448.0f}, {"f8_e5m2", 5, 2, 15, 57344.0f}};

Format format_of(const Kind& kind) {
  Format f{};
  REQUIRE(format_from_name(kind.name, f));
  return f;
}

float number(Format f, int code) {
  const std::byte byte = static_cast<std::byte>(code);
  float value = 0.0f;
  decode_row(f, {&byte, 1}, 0, {&value, 1});
  return value;
}

int code(Format f, float value) {
  std::byte byte{};
  encode_row(f, {&value, 1}, {&byte, 1});
  return std::to_integer<int>(byte);
}

}  // namespace

TEST_CASE("every code of an 8-bit floating-point format is its sign, mantissa and power of two") {
  for (const Kind& kind : kKinds) {
    const Format f = format_of(kind);
    for (int c = 0; c < 256; ++c) {
      CAPTURE(kind.name, c);
      const int exponent = c >> kind.mantissa_bits & ((1 << kind.exponent_bits) - 1);
      const int mantissa = c & ((1 << kind.mantissa_bits) - 1);
      const double fraction = std::ldexp(mantissa, -kind.mantissa_bits);
      const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - kind.bias)
                                             : std::ldexp(1 + fraction, exponent - kind.bias);
      const float value = number(f, c);
      if (magnitude > double{kind.largest}) {  // the codes without a number
        const bool infinite = kind.exponent_bits == 5 && mantissa == 0;
        CHECK((infinite ? std::isinf(value) : std::isnan(value)));
        continue;
      }
      CHECK(value == static_cast<float>(c < 128 ? magnitude : -magnitude));
      CHECK(std::signbit(value) == (c >= 128));
      CHECK(code(f, value) == c);
    }
  }
}

TEST_CASE("an 8-bit floating-point number is the nearest one, the even one of two, and saturates") {
  std::mt19937 random(8);
  for (const Kind& kind : kKinds) {
    const Format f = format_of(kind);
    const int last = code(f, kind.largest);
    for (int c = 0; c < last; ++c) {  // neighbours, and what lies between them
      const float low = number(f, c), high = number(f, c + 1), middle = low + (high - low) / 2;
      CAPTURE(kind.name, c);
      CHECK(code(f, middle) == (c % 2 == 0 ? c : c + 1));
      CHECK(code(f, std::nextafter(middle, 0.0f)) == c);
      CHECK(code(f, std::nextafter(middle, high)) == c + 1);
      CHECK(code(f, -std::nextafter(middle, high)) == 128 + c + 1);
    }
    for (const float x : {kind.largest, 1.5f * kind.largest, 1e30f, std::numeric_limits<float>::infinity()}) {
      CHECK(number(f, code(f, x)) == kind.largest);
      CHECK(number(f, code(f, -x)) == -kind.largest);
    }
    CHECK(std::isnan(number(f, code(f, std::nanf("")))));
    CHECK(code(f, 1e-40f) == 0);
    CHECK(code(f, -1e-40f) == 128);
  }
}
