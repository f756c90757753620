// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model/reference/math.h"
#include "numerics/reduce.h"

namespace tokencycle::model {

void rms_norm(std::span<const float> x, const Weight& gain, float epsilon, std::span<float> y) {
  std::vector<float> squares(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = x[i] * x[i];
  const std::vector<float> g = decoded_row(gain);
  const float mean = pairwise_sum(squares) / static_cast<float>(x.size());
  const float r = 1.0f / std::sqrt(mean + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] * r) * g[i];
}

}  // namespace tokencycle::model
