// SPDX-License-Identifier: Apache-2.0
// Floating-point numbers of 8 bits, of keys and values: E4M3 and E5M2 of the OCP 8-bit Floating Point
// Specification (OFP8) 1.0. Encoding rounds to nearest even and saturates (its 5.2.2): what is too large, and
// infinity, becomes the largest number. E4M3 has no infinity; all codes of one sign with the highest exponent
// and mantissa are NaN. Every number is one of f16 too, which is what the multipliers take.
#pragma once

#include <algorithm>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::f8 {

// Exponent bits 7 - kMantissa, bias 2^(6 - kMantissa) - 1; kLargest is the code of the largest number.
template <std::uint32_t kMantissa, std::uint32_t kLargest>
struct Coding {
  static constexpr int kBias = (1 << (6 - kMantissa)) - 1;
  static constexpr std::uint32_t kNan = 0x7F;

  static constexpr float number(std::uint32_t code) {
    const std::uint32_t sign = (code & 0x80) << 24, rest = code & 0x7F,
                        mantissa = rest & ((1u << kMantissa) - 1);
    if (rest > kLargest) {
      const bool infinite = rest == kLargest + 1 && mantissa == 0;
      return std::bit_cast<float>(sign | (infinite ? 0x7F80'0000u : 0x7FC0'0000u));
    }
    const std::uint32_t exponent = rest >> kMantissa;
    if (exponent != 0) {
      const std::uint32_t bits = (exponent + 127 - kBias) << 23 | mantissa << (23 - kMantissa);
      return std::bit_cast<float>(sign | bits);
    }
    const float step = std::bit_cast<float>(static_cast<std::uint32_t>(128 - kBias - int{kMantissa}) << 23);
    const float magnitude = static_cast<float>(mantissa) * step;
    return sign != 0 ? -magnitude : magnitude;
  }

  static std::uint32_t code(float x) {
    const std::uint32_t sign = std::bit_cast<std::uint32_t>(x) >> 24 & 0x80;
    if (x != x) return sign | kNan;
    const float magnitude = std::min(std::bit_cast<float>(magnitude_bits(x)), number(kLargest));
    // Steps of the last mantissa bit: numbers of the lowest exponent have those of the one above.
    const int exponent =
        std::max(static_cast<int>(std::bit_cast<std::uint32_t>(magnitude) >> 23) - 127, 1 - kBias);
    const auto power = static_cast<std::uint32_t>(127 - exponent + int{kMantissa});
    const float steps = magnitude * std::bit_cast<float>(power << 23);  // exact: a power of two
    const auto whole = static_cast<std::uint32_t>((steps + 0x1.8p23f) - 0x1.8p23f);
    return sign | ((static_cast<std::uint32_t>(exponent + kBias - 1) << kMantissa) + whole);
  }

  static void decode(const std::byte* in, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = number(std::to_integer<std::uint32_t>(in[i]));
  }
  static void encode(const float* in, std::size_t count, std::byte* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(code(in[i]));
  }
};

using E4M3 = Coding<3, 0x7E>;  // 448
using E5M2 = Coding<2, 0x7B>;  // 57,344

template <class C>
constexpr FormatRow row(std::string_view name) {
  return {.name = name,
          .numbers = Numbers::real,
          .as_weight = Multiplication{Format::f16, MultiplyType::fp16},
          .in_cache = true,
          .decoding = Decoding::fields,
          .decode = C::decode,
          .encode = C::encode};
}
inline constexpr FormatRow kE4M3 = row<E4M3>("f8_e4m3"), kE5M2 = row<E5M2>("f8_e5m2");

}  // namespace tokencycle::formats::f8
