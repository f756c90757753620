// SPDX-License-Identifier: Apache-2.0
// q5_1: blocks of 32: fp16 d, fp16 m, 4 bytes with bit i for element i, 16 bytes of halves as in q4_1 (24
// bytes); value = d * q + m.
#pragma once

#include "numerics/formats/q5_0.h"

namespace tokencycle::formats::q5_1 {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  q5_0::unpack_five(block + 4, q);
  return {load_half(block), load_half(block + 2)};
}

inline constexpr FormatRow kRow{.name = "q5_1",
                                .ggml = 7,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 24,
                                .group_elements = 32,
                                .offset = Offset::minimum,
                                .as_weight = Multiplication{Format::q8_1, MultiplyType::int8},
                                .decoding = Decoding::fields,
                                .granule_elements = 32,
                                .header_bytes = 8,
                                .decode = decode_groups<32, 24, 32, unpack, true>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 24, 32, unpack>};

}  // namespace tokencycle::formats::q5_1
