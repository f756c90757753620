// SPDX-License-Identifier: Apache-2.0
// q2_0: two bits. Blocks of 64: fp16 d, 16 bytes with bits 2 * (i % 4) of byte i / 4 for element i (18
// bytes); value = d * (q - 1). Groups of 32, as the activations have.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q2_0 {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::byte* in = block + 2 + group * 8;
  for (std::uint32_t i = 0; i < 32; ++i) {
    q[i] = static_cast<std::int8_t>((std::to_integer<int>(in[i / 4]) >> (i % 4 * 2) & 3) - 1);
  }
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "q2_0",
                                .ggml = 42,
                                .numbers = Numbers::scaled,
                                .block_elements = 64,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int4},
                                .decoding = Decoding::fields,
                                .granule_elements = 4,
                                .header_bytes = 2,
                                .decode = decode_groups<64, 18, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<64, 18, 32, unpack>};

}  // namespace tokencycle::formats::q2_0
