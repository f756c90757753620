// SPDX-License-Identifier: Apache-2.0
// q4_1: blocks of 32: fp16 d, fp16 m, 16 bytes; byte j holds element j (low half) and element j + 16 (high
// half), 0 to 15 (20 bytes); value = d * q + m.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q4_1 {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  unpack_halves<16>(block + 4, q, [](int half) { return half; });
  return {load_half(block), load_half(block + 2)};
}

// ggml's quantize_row_q4_1_ref: d = (max - min) / 15, id = d ? 1 / d : 0, q = min(15, int8((x - min) * id +
// 0.5f)). As in q8_0, q saturates and NaN gives 0; a NaN among the values makes d and m one.
inline void encode(const float* x, std::byte* out) {
  float least = x[0], most = x[0];
  for (std::uint32_t i = 1; i < 32; ++i) {
    least = least != least || x[i] >= least ? least : x[i];
    most = most != most || x[i] <= most ? most : x[i];
  }
  const float d = (most - least) / 15.0f;
  const float id = d != 0.0f ? 1.0f / d : 0.0f;
  store_u16(out, f16_from_f32(d));
  store_u16(out + 2, f16_from_f32(least));
  const auto quantize = [=](float v) {
    return static_cast<int>(saturate((v - least) * id + 0.5f, 0.0f, 15.0f));
  };
  pack_halves<16>(x, out + 4, quantize);
}

inline constexpr FormatRow kRow{.name = "q4_1",
                                .ggml = 3,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 20,
                                .group_elements = 32,
                                .offset = Offset::minimum,
                                .as_weight = Multiplication{Format::q8_1, MultiplyType::int4},
                                .decoding = Decoding::fields,
                                .granule_elements = 32,
                                .header_bytes = 4,
                                .decode = decode_groups<32, 20, 32, unpack, true>,
                                .encode = encode_blocks<32, 20, encode>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 20, 32, unpack>};

}  // namespace tokencycle::formats::q4_1
