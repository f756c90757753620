// SPDX-License-Identifier: Apache-2.0
// Scalar arithmetic that must give the same bits everywhere: conversions, rounding, exp.
// Nothing here calls the platform's math library except IEEE-exact operations (sqrt, division).
#pragma once

#include <bit>
#include <cstdint>

namespace tokencycle {

// binary16 -> binary32, exact; a signalling NaN becomes quiet. Without branches, so that loops over rows
// vectorize, and without fp32 subnormals on the way, which are slow on most hosts.
// Source of both conversions: github.com/Maratyszcza/FP16 (MIT), the form that ggml uses.
inline float f32_from_f16(std::uint16_t h) {
  const std::uint32_t w = static_cast<std::uint32_t>(h) << 16;
  const std::uint32_t sign = w & 0x80000000u;
  const std::uint32_t two_w = w + w;
  // Exponent and mantissa in place, the exponent raised by 224 instead of 112; the product puts it right
  // and leaves infinity and NaN as they are.
  const float normal = std::bit_cast<float>((two_w >> 4) + (0xE0u << 23)) * 0x1.0p-112f;
  // A subnormal's mantissa as the low bits of 0.5: subtracting 0.5 normalizes it.
  const float subnormal = std::bit_cast<float>((two_w >> 17) | (126u << 23)) - 0.5f;
  const std::uint32_t is_subnormal = two_w < (1u << 27) ? ~0u : 0u;
  const std::uint32_t magnitude = (std::bit_cast<std::uint32_t>(subnormal) & is_subnormal) |
                                  (std::bit_cast<std::uint32_t>(normal) & ~is_subnormal);
  return std::bit_cast<float>(sign | magnitude);
}

// binary32 -> binary16, to nearest, ties to even; overflow gives infinity, subnormals are kept, every NaN
// becomes the quiet NaN 0x7E00 with its sign.
inline std::uint16_t f16_from_f32(float x) {
  const std::uint32_t w = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t two_w = w + w;
  // Overflow goes to infinity in the first product; the second leaves |x| * 4.
  float base = std::bit_cast<float>(w & 0x7FFFFFFFu) * 0x1.0p+112f * 0x1.0p-110f;
  // Adding a power of two 2^15 above x's own (or above the smallest normal's) rounds at binary16's last bit.
  std::uint32_t bias = two_w & 0xFF000000u;
  bias = bias < 0x71000000u ? 0x71000000u : bias;
  base += std::bit_cast<float>((bias >> 1) + 0x07800000u);
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(base);
  const std::uint32_t rounded = ((bits >> 13) & 0x7C00u) + (bits & 0x0FFFu);  // a carry raises the exponent
  const std::uint32_t is_nan = two_w > 0xFF000000u ? ~0u : 0u;
  return static_cast<std::uint16_t>((w >> 16 & 0x8000u) | (0x7E00u & is_nan) | (rounded & ~is_nan));
}

// binary32 -> bfloat16, to nearest, ties to even; NaN stays NaN (quiet) with its sign.
inline std::uint16_t bf16_from_f32(float x) {
  const std::uint32_t w = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (w + 0x7FFFu + (w >> 16 & 1u)) >> 16;
  return static_cast<std::uint16_t>((w & 0x7FFFFFFFu) > 0x7F800000u ? (w >> 16 | 0x40u) : rounded);
}

// bfloat16 -> binary32, exact.
inline float f32_from_bf16(std::uint16_t b) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
}

// e^x in fp32: argument reduction and a polynomial from fp32 multiplications and additions alone.
// At most 2 units in the last place from the true value; 0 below -104, +infinity above 88.73, NaN for NaN.
float exp_f32(float x);

// x / (1 + e^-x), the SiLU activation.
float silu_f32(float x);

}  // namespace tokencycle
