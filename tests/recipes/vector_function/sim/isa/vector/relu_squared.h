// SPDX-License-Identifier: Apache-2.0
// Example of a vector function: max(x, 0)^2.
#pragma once

namespace tokencycle::isa {

inline float relu_squared_f32(float x) {
  const float positive = x > 0.0f ? x : 0.0f;
  return positive * positive;
}

}  // namespace tokencycle::isa
