// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model/architectures/parts.h"

namespace tokencycle::model {

std::vector<float> make_rope_table(const Hyperparameters& shape, const std::vector<float>& factors) {
  const std::uint32_t pairs = shape.rope_dims / 2;
  std::vector<double> theta(pairs);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const double exponent = -2.0 * i / shape.rope_dims;
    theta[i] =
        std::pow(shape.rope_base, exponent) / static_cast<double>(factors[i]) * (1.0 / shape.rope_scale);
  }
  std::vector<float> table;
  table.reserve(std::size_t{shape.context} * shape.rope_dims);
  for (std::uint32_t position = 0; position < shape.context; ++position) {
    for (const double rate : theta) {
      table.push_back(static_cast<float>(std::cos(position * rate)));
      table.push_back(static_cast<float>(std::sin(position * rate)));
    }
  }
  return table;
}

}  // namespace tokencycle::model
