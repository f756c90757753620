// SPDX-License-Identifier: Apache-2.0
// q4_0: blocks of 32: fp16 d, 16 bytes; byte j holds element j (low half) and element j + 16 (high half),
// each minus 8 (18 bytes); value = d * (q - 8).
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q4_0 {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  unpack_halves<16>(block + 2, q, [](int half) { return half - 8; });
  return {load_half(block), 0.0f};
}

// ggml's quantize_row_q4_0_ref: max = the value with the largest |x| (the first such), d = max / -8,
// id = d ? 1 / d : 0, q = min(15, int8(x * id + 8.5f)). q saturates, NaN gives q = 0, as in q8_0.
inline void encode(const float* x, std::byte* out) {
  float magnitude = 0.0f, extreme = 0.0f;
  for (std::uint32_t i = 0; i < 32; ++i) {
    const float a = std::bit_cast<float>(magnitude_bits(x[i]));
    if (a <= magnitude || magnitude != magnitude) continue;
    magnitude = a;
    extreme = x[i];
  }
  const float d = extreme / -8.0f;
  const float id = d != 0.0f ? 1.0f / d : 0.0f;
  store_u16(out, f16_from_f32(d));
  const auto quantize = [id](float v) { return static_cast<int>(saturate(v * id + 8.5f, 0.0f, 15.0f)); };
  pack_halves<16>(x, out + 2, quantize);
}

inline constexpr FormatRow kRow{.name = "q4_0",
                                .ggml = 2,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int4},
                                .in_cache = true,
                                .decoding = Decoding::fields,
                                .granule_elements = 32,
                                .header_bytes = 2,
                                .decode = decode_groups<32, 18, 32, unpack, false>,
                                .encode = encode_blocks<32, 18, encode>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 18, 32, unpack>};

}  // namespace tokencycle::formats::q4_0
