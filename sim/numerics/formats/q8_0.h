// SPDX-License-Identifier: Apache-2.0
// q8_0: blocks of 32: fp16 d, int8 q[32] (34 bytes); value = d * q.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q8_0 {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  std::memcpy(q, block + 2, 32);
  return {load_half(block), 0.0f};
}

// The q of a block for 1 / d; q saturates, NaN gives 0.
inline void quantize(const float* x, float inverse, std::uint32_t count, std::int8_t* q) {
  for (std::uint32_t i = 0; i < count; ++i) {
    q[i] = static_cast<std::int8_t>(round_half_away(saturate(x[i] * inverse, -127.0f, 127.0f)));
  }
}

// ggml's quantize_row_q8_0_ref: amax = max |x|, d = amax / 127, id = d ? 1 / d : 0, q = roundf(x * id) (half
// away from zero), d stored as fp16. Where ggml leaves the result to the host it is fixed here: the d of a
// block with a NaN or an infinity is one too, so that the block does not decode to finite numbers in silence.
inline void encode(const float* x, std::byte* out) {
  const float d = largest_magnitude(x, 32) / 127.0f;
  store_u16(out, f16_from_f32(d));
  std::int8_t q[32];
  quantize(x, d != 0.0f ? 1.0f / d : 0.0f, 32, q);
  std::memcpy(out + 2, q, sizeof q);
}

inline constexpr FormatRow kRow{.name = "q8_0",
                                .ggml = 8,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 34,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .in_cache = true,
                                .header_bytes = 2,
                                .decode = decode_groups<32, 34, 32, unpack, false>,
                                .encode = encode_blocks<32, 34, encode>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 34, 32, unpack>};

}  // namespace tokencycle::formats::q8_0
