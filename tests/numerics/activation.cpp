// SPDX-License-Identifier: Apache-2.0
// Are the activation functions as close to the true values as activation.h says? Against binary64.
#include "numerics/activation.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

using namespace tokencycle;

namespace {

struct Worst {
  double ulps = 0, of_value = 0, of_x = 0;
};

// Over a fine grid of [from, to], both ends included.
Worst worst(float (*f)(float), const std::function<double(double)>& truth, double from, double to) {
  constexpr int kSteps = 400'000;
  Worst w;
  for (int n = 0; n <= kSteps; ++n) {
    const auto x = static_cast<float>(from + (to - from) * n / kSteps);
    const double y = truth(x), off = std::fabs(static_cast<double>(f(x)) - y);
    const auto near = static_cast<float>(std::fabs(y));
    const double ulp =
        static_cast<double>(std::nextafterf(near, std::numeric_limits<float>::infinity())) - near;
    w.ulps = std::max(w.ulps, off / ulp);
    if (y != 0) w.of_value = std::max(w.of_value, off / std::fabs(y));
    if (x != 0) w.of_x = std::max(w.of_x, off / std::fabs(static_cast<double>(x)));
  }
  return w;
}

double gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
}
double gelu_by_tanh(double x) {
  return x / (1 + std::exp(-2 * std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

}  // namespace

TEST_CASE("activations are as close to the true values as their header says") {
  CHECK(worst(
            sigmoid_f32, [](double x) { return 1 / (1 + std::exp(-x)); }, -80, 80)
            .ulps < 3);
  CHECK(worst(
            tanh_f32, [](double x) { return std::tanh(x); }, -12, 12)
            .ulps < 3);
  CHECK(worst(
            tanh_f32, [](double x) { return std::tanh(x); }, -1e-3, 1e-3)
            .ulps < 3);
  CHECK(worst(
            softplus_f32, [](double x) { return std::log1p(std::exp(x)); }, -80, 80)
            .ulps < 4);
  CHECK(worst(gelu_f32, gelu, -12, 12).of_x < 3e-7);
  CHECK(worst(gelu_f32, gelu, -5, 12).of_value < 4e-6);
  CHECK(worst(gelu_tanh_f32, gelu_by_tanh, -12, 12).of_x < 2e-7);
  CHECK(worst(gelu_tanh_f32, gelu_by_tanh, -5, 12).of_value < 4e-6);
}

TEST_CASE("activations at the ends of their domain") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (float (*f)(float) : {sigmoid_f32, tanh_f32, gelu_f32, gelu_tanh_f32, relu_f32, softplus_f32}) {
    CHECK(std::isnan(f(nan)));
    CHECK(f(1000.0f) == (f == sigmoid_f32 || f == tanh_f32 ? 1.0f : 1000.0f));
    CHECK(f(-1000.0f) == (f == tanh_f32 ? -1.0f : 0.0f));
  }
  CHECK(tanh_f32(infinity) == 1.0f);
  CHECK(relu_f32(-0.0f) == 0.0f);
  CHECK(relu_f32(2.5f) == 2.5f);
}
