// SPDX-License-Identifier: Apache-2.0
// Activation functions in fp32, made of exp_f32, additions, multiplications and divisions alone, so that they
// give the same bits everywhere. Errors are measured against binary64 (tests/numerics/activation.cpp); NaN
// gives NaN.
#pragma once

namespace tokencycle {

// max(x, 0); NaN stays NaN.
inline float relu_f32(float x) {
  return x < 0.0f ? 0.0f : x;
}

// 1 / (1 + e^-x): at most 3 units in the last place above x = -80.
float sigmoid_f32(float x);

// tanh(x): at most 3 units in the last place.
float tanh_f32(float x);

// x * Phi(x), Phi the normal distribution: 0.5 x (1 + erf(x / sqrt 2)). Off by at most 3e-7 |x|, and above x
// = -5 by at most 4e-6 of the value.
float gelu_f32(float x);

// The same with tanh in place of erf: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the form of GPT-2
// and of ggml's gelu. Off by at most 2e-7 |x|, and above x = -5 by at most 4e-6 of the value.
float gelu_tanh_f32(float x);

// ln(1 + e^x): off by at most 4 units in the last place above x = -80.
float softplus_f32(float x);

}  // namespace tokencycle
