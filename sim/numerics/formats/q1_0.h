// SPDX-License-Identifier: Apache-2.0
// q1_0: signs. Blocks of 128: fp16 d, 16 bytes with bit i % 8 of byte i / 8 for element i (18 bytes); value =
// d where the bit is set, else -d. Groups of 32, as the activations have.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q1_0 {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::byte* in = block + 2 + group * 4;
  for (std::uint32_t i = 0; i < 32; i += 8) {
    store_eight(q + i, less_each(spread_bits(std::to_integer<std::uint64_t>(in[i / 8])) << 1, 1));
  }
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "q1_0",
                                .ggml = 41,
                                .numbers = Numbers::scaled,
                                .block_elements = 128,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int4},
                                .decoding = Decoding::fields,
                                .granule_elements = 8,
                                .header_bytes = 2,
                                .decode = decode_groups<128, 18, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<128, 18, 32, unpack>};

}  // namespace tokencycle::formats::q1_0
