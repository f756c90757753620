// SPDX-License-Identifier: Apache-2.0
// q8_1: activations for weights with a minimum. Blocks of 32: fp16 d, fp16 s, int8 q[32] (36 bytes);
// value = d * q, and s is the sum of the block's values.
#pragma once

#include "numerics/formats/q8_0.h"

namespace tokencycle::formats::q8_1 {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  std::memcpy(q, block + 4, 32);
  return {load_half(block), load_half(block + 2)};
}

// ggml's quantize_row_q8_1_ref: d and q as q8_0; s = fp16(float(sum of q) * d) with d as fp32, before it is
// rounded to fp16.
inline void encode(const float* x, std::byte* out) {
  const float d = largest_magnitude(x, 32) / 127.0f;
  std::int8_t q[32];
  q8_0::quantize(x, d != 0.0f ? 1.0f / d : 0.0f, 32, q);
  int sum = 0;
  for (const std::int8_t v : q) sum += v;
  store_u16(out, f16_from_f32(d));
  store_u16(out + 2, f16_from_f32(static_cast<float>(sum) * d));
  std::memcpy(out + 4, q, sizeof q);
}

inline constexpr FormatRow kRow{.name = "q8_1",
                                .ggml = 9,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 36,
                                .group_elements = 32,
                                .offset = Offset::sum,
                                .header_bytes = 4,
                                .decode = decode_groups<32, 36, 32, unpack, false>,
                                .encode = encode_blocks<32, 36, encode>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 36, 32, unpack>};

}  // namespace tokencycle::formats::q8_1
