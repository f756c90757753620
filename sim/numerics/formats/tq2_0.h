// SPDX-License-Identifier: Apache-2.0
// tq2_0: ternary numbers, two bits each. Super-blocks of 256: 64 bytes, fp16 d (66 bytes); value = d * (q -
// 1). Of each 128 elements, element 32 * j + i is at bit 2 * j of byte i of 32.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::tq2_0 {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::byte* in = block + group / 4 * 32;
  for (std::uint32_t i = 0; i < 32; i += 8) {
    store_eight(q + i, less_each(load_eight(in + i) >> (group % 4 * 2) & each(3), 1));
  }
  return {load_half(block + 64), 0.0f};
}

inline constexpr FormatRow kRow{.name = "tq2_0",
                                .ggml = 35,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 66,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int4},
                                .decoding = Decoding::fields,
                                .granule_elements = 128,
                                .header_bytes = 2,
                                .decode = decode_groups<256, 66, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 66, 32, unpack>};

}  // namespace tokencycle::formats::tq2_0
