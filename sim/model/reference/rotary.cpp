// SPDX-License-Identifier: Apache-2.0
#include "model/reference/math.h"

namespace tokencycle::model {

void rotate(const RotaryShape& shape, std::span<const float> table, std::span<float> heads) {
  const bool adjacent = shape.pairs == RopePairs::adjacent;
  const std::size_t pairs = shape.rotate / 2;
  for (std::size_t head = 0; head < heads.size(); head += shape.head) {
    for (std::size_t i = 0; i < pairs; ++i) {
      float& first = heads[head + (adjacent ? 2 * i : i)];
      float& second = heads[head + (adjacent ? 2 * i + 1 : i + pairs)];
      const float a = first, b = second;
      const float c = table[2 * i], s = table[2 * i + 1];
      first = a * c - b * s;
      second = a * s + b * c;
    }
  }
}

}  // namespace tokencycle::model
