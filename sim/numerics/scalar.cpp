// SPDX-License-Identifier: Apache-2.0
#include "numerics/scalar.h"

#include <limits>

namespace tokencycle {
namespace {

// 2^n for n in [-126, 127].
float power_of_two(int n) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
}

}  // namespace

// The definition, each operation one fp32 rounding (to nearest even), in this order:
//   n = (x * log2e + 1.5 * 2^23) - 1.5 * 2^23              the nearest integer, ties to even
//   r = (x - n * ln2_high) - n * ln2_low                    |r| <= ln 2 / 2; n * ln2_high is exact (15 + 8
//   bits) p = (((c6 * r + c5) * r + c4) * r + c3) * r + c2 y = (p * (r * r) + r) + 1 e^x = (y * 2^(n >> 1)) *
//   2^(n - (n >> 1))               only the last product can round or overflow
// c2..c6 minimize the largest relative error of 1 + r + c2 r^2 + ... + c6 r^6 over the interval (Remez
// exchange with 1 and r fixed, then rounded to fp32): 0.06 units in the last place before the evaluation's
// own rounding.
float exp_f32(float x) {
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kRound = 0x1.8p+23f;
  constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  constexpr float kC2 = 0x1.fffffcp-2f, kC3 = 0x1.555492p-3f, kC4 = 0x1.5558f2p-5f;
  constexpr float kC5 = 0x1.1239f2p-7f, kC6 = 0x1.6a241ap-10f;
  if (!(x >= -104.0f)) return x < -104.0f ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  if (x > 88.73f) return std::numeric_limits<float>::infinity();

  const float n = (x * kLog2E + kRound) - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  const float p = (((kC6 * r + kC5) * r + kC4) * r + kC3) * r + kC2;
  const float y = (p * (r * r) + r) + 1.0f;
  const int exponent = static_cast<int>(n);
  const int half = exponent >> 1;
  return (y * power_of_two(half)) * power_of_two(exponent - half);
}

float silu_f32(float x) {
  return x / (1.0f + exp_f32(-x));
}

}  // namespace tokencycle
