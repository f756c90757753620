// SPDX-License-Identifier: Apache-2.0
#include "numerics/host.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace tokencycle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;  // as in FreeBSD's e_exp.c

// 2^n for n in [-1022, 1023].
double power_of_two(std::int64_t n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

}  // namespace

// x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of e^r to r^13 (the rest is below 2^-57).
double exp_f64(double x) {
  if (!(x >= -746.0)) return x < -746.0 ? 0.0 : std::numeric_limits<double>::quiet_NaN();
  if (x > 710.0) return kInfinity;
  constexpr double kRound = 0x1.8p52;
  const double n = (x * 0x1.71547652b82fep+0 + kRound) - kRound;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double p = 1.0;
  for (int k = 13; k > 1; --k) p = 1.0 + p * r / k;
  const double y = 1.0 + r * p;
  const auto exponent = static_cast<std::int64_t>(n);
  const std::int64_t half = exponent >> 1;
  return (y * power_of_two(half)) * power_of_two(exponent - half);
}

// x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172, as a
// series to s^21 (the rest is below 2^-60).
double log_f64(double x) {
  if (!(x >= 0.0)) return std::numeric_limits<double>::quiet_NaN();
  if (x == kInfinity) return x;
  if (x < std::numeric_limits<double>::min()) return -kInfinity;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1023} << 52);
  if (m > 0x1.6a09e667f3bcdp+0) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double series = 0.0;
  for (int k = 21; k > 1; k -= 2) series = (series + 1.0 / k) * square;
  const auto n = static_cast<double>(exponent);
  return n * kLn2High + (2.0 * s + (2.0 * s * series + n * kLn2Low));
}

}  // namespace tokencycle
