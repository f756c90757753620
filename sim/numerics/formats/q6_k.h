// SPDX-License-Identifier: Apache-2.0
// q6_k: super-blocks of 256 in 16 groups of 16: 128 bytes of low halves, 64 bytes of two high bits, int8
// scales[16], fp16 d (210 bytes); value = (d * scale) * (q - 32).
// Of each 128 elements, element 32 * j + i has its low half in byte i + 32 * (j % 2) of 64 (j < 2: the low
// half of it) and its high bits at bit 2 * j of byte i of 32.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q6_k {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::uint32_t part = group / 8, j = group % 8 / 2, first = group % 2 * 16;
  const std::byte* low = block + part * 64 + j % 2 * 32 + first;
  const std::byte* high = block + 128 + part * 32 + first;
  for (std::uint32_t i = 0; i < 16; i += 8) {
    const std::uint64_t half = load_eight(low + i) >> (j < 2 ? 0 : 4) & each(15);
    store_eight(q + i, less_each(half | (load_eight(high + i) >> (2 * j) & each(3)) << 4, 32));
  }
  const auto scale = static_cast<std::int8_t>(block[192 + group]);
  return {load_half(block + 208) * static_cast<float>(scale), 0.0f};
}

inline constexpr FormatRow kRow{.name = "q6_k",
                                .ggml = 14,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 210,
                                .group_elements = 16,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int8},
                                .decoding = Decoding::packed_scales,
                                .granule_elements = 128,
                                .header_bytes = 18,
                                .decode = decode_groups<256, 210, 16, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 210, 16, unpack>};

}  // namespace tokencycle::formats::q6_k
