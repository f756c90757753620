// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model/reference/math.h"
#include "numerics/reduce.h"

namespace tokencycle::model {

void rms_norm(std::span<const float> x, const Weight* gain, float epsilon, std::span<float> y) {
  std::vector<float> squares(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = x[i] * x[i];
  const float mean = pairwise_sum(squares) / static_cast<float>(x.size());
  const float r = 1.0f / std::sqrt(mean + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * r;
  if (gain != nullptr) mul(y, decoded_row(*gain), y);
}

void centered_norm(std::span<const float> x, const Weight& gain, float epsilon, std::span<float> y) {
  const float mean = pairwise_sum(x) / static_cast<float>(x.size());
  std::vector<float> centered(x.begin(), x.end());
  for (float& value : centered) value = value - mean;
  rms_norm(centered, &gain, epsilon, y);
}

void layer_norm(std::span<const float> x, const Weight& gain, const Weight& bias, float epsilon,
                std::span<float> y) {
  const std::vector<float> g = decoded_row(gain), b = decoded_row(bias);
  const auto n = static_cast<float>(x.size());
  const float mean = pairwise_sum(x) / n;
  std::vector<float> squares(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = (x[i] - mean) * (x[i] - mean);
  const float r = 1.0f / std::sqrt(pairwise_sum(squares) / n + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = ((x[i] - mean) * r) * g[i] + b[i];
}

}  // namespace tokencycle::model
