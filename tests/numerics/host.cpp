// SPDX-License-Identifier: Apache-2.0
// Are the host's exp and log near enough to the true values, and right at their ends?
#include "numerics/host.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace tokencycle;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

long double error_in_ulp(double value, long double truth) {
  int exponent = 0;
  std::frexp(truth, &exponent);
  return std::abs(static_cast<long double>(value) - truth) / std::ldexp(1.0L, exponent - 53);
}

}  // namespace

TEST_CASE("exp_f64 is within two units in the last place") {
  long double worst = 0;
  for (int i = -707000; i <= 709000; ++i) {
    const double x = i * 0.00100000123;
    worst = std::max(worst, error_in_ulp(exp_f64(x), std::exp(static_cast<long double>(x))));
  }
  REQUIRE(worst > 0.3L);
  REQUIRE(worst <= 2.0L);
}

TEST_CASE("log_f64 is within two units in the last place") {
  long double worst = 0;
  double x = 0x1p-1000;
  while (x < 0x1p1000) {
    worst = std::max(worst, error_in_ulp(log_f64(x), std::log(static_cast<long double>(x))));
    x *= 1.00731;
  }
  for (int i = 1; i < 100000; ++i) {
    x = i * 3.3e-5;
    worst = std::max(worst, error_in_ulp(log_f64(x), std::log(static_cast<long double>(x))));
  }
  REQUIRE(worst > 0.3L);
  REQUIRE(worst <= 2.0L);
}

TEST_CASE("exp_f64 and log_f64 at their ends") {
  REQUIRE(exp_f64(0.0) == 1.0);
  REQUIRE(exp_f64(-kInfinity) == 0.0);
  REQUIRE(exp_f64(-747.0) == 0.0);
  REQUIRE(exp_f64(-745.0) > 0.0);
  REQUIRE(exp_f64(709.7) < kInfinity);
  REQUIRE(exp_f64(711.0) == kInfinity);
  REQUIRE(std::isnan(exp_f64(kNan)));
  REQUIRE(log_f64(1.0) == 0.0);
  REQUIRE(log_f64(0.0) == -kInfinity);
  REQUIRE(log_f64(kInfinity) == kInfinity);
  REQUIRE(std::isnan(log_f64(-1.0)));
  REQUIRE(std::isnan(log_f64(kNan)));
}
