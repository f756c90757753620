// SPDX-License-Identifier: Apache-2.0
#include "numerics/activation.h"

#include <cmath>

#include "numerics/scalar.h"

namespace tokencycle {

float sigmoid_f32(float x) {
  return 1.0f / (1.0f + exp_f32(-x));
}

// Below 0.625: x + x^3 p(x^2), p of degree 4 through the Chebyshev nodes of (tanh(x) / x - 1) / x^2, 1.7e-8
// off. Above: 1 - 2 / (e^2|x| + 1) with the sign of x, which is 1 as soon as e^2|x| hides it.
float tanh_f32(float x) {
  constexpr float kC0 = -0x1.555552p-2f, kC1 = 0x1.110e1cp-3f, kC2 = -0x1.b9258ap-5f;
  constexpr float kC3 = 0x1.58048ep-6f, kC4 = -0x1.8f8de4p-8f;
  const float size = std::fabs(x);
  if (size < 0.625f) {
    const float z = x * x;
    const float p = (((kC4 * z + kC3) * z + kC2) * z + kC1) * z + kC0;
    return (p * z) * x + x;
  }
  return std::copysign(1.0f - 2.0f / (exp_f32(2.0f * size) + 1.0f), x);
}

// With z = |x| / sqrt 2 and t = 1 / (1 + z / 2): Phi(-|x|) = erfc(z) / 2 = t p(t) e^-z^2 / 2, p of degree 8
// through the Chebyshev nodes of erfc(z) e^z^2 / t over z in [0, 10], 6e-8 off.
float gelu_f32(float x) {
  constexpr float kHalfRoot = 0x1.6a09e6p-1f;
  constexpr float kC[] = {0x1.20da48p-2f, 0x1.213946p-2f,  0x1.f0ca0ep-3f, 0x1.a38a5p-3f,  -0x1.04d902p-5f,
                          0x1.248dfp-2f,  -0x1.f9b764p-2f, 0x1.26acbcp-2f, -0x1.e92f44p-5f};
  const float z = std::fabs(x) * kHalfRoot;
  const float t = 1.0f / (1.0f + 0.5f * z);
  float p = kC[8];
  for (int n = 7; n >= 0; --n) p = p * t + kC[n];
  const float tail = ((0.5f * t) * p) * exp_f32(-(z * z));
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

// max(x, 0) + ln(1 + e), e = e^-|x|: with s = e / (2 + e), at most 1/3, it is 2 s (1 + s^2/3 + s^4/5 + ...),
// here up to s^14.
float softplus_f32(float x) {
  const float e = exp_f32(-std::fabs(x));
  const float s = e / (2.0f + e), z = s * s;
  float p = 2.0f / 15.0f;
  for (int n = 13; n >= 1; n -= 2) p = p * z + 2.0f / static_cast<float>(n);
  return (x < 0.0f ? 0.0f : x) + s * p;
}

// 0.5 (1 + tanh u) = 1 / (1 + e^-2u), which keeps the small values below zero.
float gelu_tanh_f32(float x) {
  constexpr float kA = 0x1.988454p+0f;  // 2 sqrt(2 / pi)
  constexpr float kB = 0x1.2444f2p-4f;  // 2 sqrt(2 / pi) 0.044715
  return x / (1.0f + exp_f32(-(x * ((x * x) * kB + kA))));
}

}  // namespace tokencycle
