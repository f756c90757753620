// SPDX-License-Identifier: Apache-2.0
// Floating-point numbers, one after the other. f16 and bf16 round to nearest even.
#pragma once

#include <cstring>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats {

inline void decode_f32(const std::byte* in, std::size_t count, float* out) {
  std::memcpy(out, in, count * sizeof(float));
}
inline void encode_f32(const float* in, std::size_t count, std::byte* out) {
  std::memcpy(out, in, count * sizeof(float));
}

inline void decode_f16(const std::byte* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = load_half(in + 2 * i);
}
inline void encode_f16(const float* in, std::size_t count, std::byte* out) {
  for (std::size_t i = 0; i < count; ++i) store_u16(out + 2 * i, f16_from_f32(in[i]));
}

inline void decode_bf16(const std::byte* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = f32_from_bf16(load_u16(in + 2 * i));
}
inline void encode_bf16(const float* in, std::size_t count, std::byte* out) {
  for (std::size_t i = 0; i < count; ++i) store_u16(out + 2 * i, bf16_from_f32(in[i]));
}

inline constexpr FormatRow kF32{.name = "f32",
                                .ggml = 0,
                                .numbers = Numbers::real,
                                .block_bytes = 4,
                                .as_weight = Multiplication{Format::f32, MultiplyType::fp32},
                                .in_cache = true,
                                .decode = decode_f32,
                                .encode = encode_f32};
inline constexpr FormatRow kF16{.name = "f16",
                                .ggml = 1,
                                .numbers = Numbers::real,
                                .block_bytes = 2,
                                .as_weight = Multiplication{Format::f16, MultiplyType::fp16},
                                .in_cache = true,
                                .decode = decode_f16,
                                .encode = encode_f16};
inline constexpr FormatRow kBf16{.name = "bf16",
                                 .ggml = 30,
                                 .numbers = Numbers::real,
                                 .block_bytes = 2,
                                 .as_weight = Multiplication{Format::bf16, MultiplyType::bf16},
                                 .decode = decode_bf16,
                                 .encode = encode_bf16};

}  // namespace tokencycle::formats
