// SPDX-License-Identifier: Apache-2.0
// Scalar arithmetic that must give the same bits everywhere: conversions, rounding, exp.
// Nothing here calls the platform's math library except IEEE-exact operations (sqrt, division).
#pragma once

#include <bit>
#include <cstdint>

namespace tokencycle {

// IEEE 754 binary16 <-> binary32; to half rounds to nearest, ties to even; overflow gives infinity,
// NaN stays NaN (quiet), subnormals are kept.
std::uint16_t f16_from_f32(float x);
float f32_from_f16(std::uint16_t h);

// bfloat16 <-> binary32; rounds to nearest, ties to even; NaN stays NaN (quiet).
std::uint16_t bf16_from_f32(float x);
inline float f32_from_bf16(std::uint16_t b) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
}

// e^x in fp32: argument reduction and a polynomial from fp32 multiplications and additions alone.
// At most 2 units in the last place from the true value; 0 below -104, +infinity above 88.73, NaN for NaN.
float exp_f32(float x);

// x / (1 + e^-x), the SiLU activation.
float silu_f32(float x);

}  // namespace tokencycle
