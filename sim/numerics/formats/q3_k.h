// SPDX-License-Identifier: Apache-2.0
// q3_k: super-blocks of 256 in 16 groups of 16: 32 bytes of third bits, 64 bytes of two bits, 12 bytes with a
// 6-bit scale a group, fp16 d (110 bytes); value = (d * (scale - 32)) * (q - 4). Of each 128 elements,
// element 32 * j + i is at bit 2 * j of byte i of 32; its third bit is at bit 4 * part + j of byte i. Scale g
// has its low half in bytes 0 to 7 (g < 8: the low half of byte g) and its two high bits at bit 2 * (g / 4)
// of byte 8 + g % 4.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q3_k {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::uint32_t part = group / 8, j = group % 8 / 2, first = group % 2 * 16;
  const std::byte *low = block + 32 + part * 32 + first, *third = block + first, *packed = block + 96;
  for (std::uint32_t i = 0; i < 16; i += 8) {
    const std::uint64_t bit = load_eight(third + i) >> (4 * part + j) & each(1);
    store_eight(q + i, less_each((load_eight(low + i) >> (2 * j) & each(3)) | bit << 2, 4));
  }
  const int half = std::to_integer<int>(packed[group % 8]) >> (group < 8 ? 0 : 4) & 15;
  const int high = std::to_integer<int>(packed[8 + group % 4]) >> (2 * (group / 4)) & 3;
  return {load_half(block + 108) * static_cast<float>((half | high << 4) - 32), 0.0f};
}

inline constexpr FormatRow kRow{.name = "q3_k",
                                .ggml = 11,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 110,
                                .group_elements = 16,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int4},
                                .decoding = Decoding::packed_scales,
                                .granule_elements = 128,
                                .header_bytes = 46,
                                .decode = decode_groups<256, 110, 16, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 110, 16, unpack>};

}  // namespace tokencycle::formats::q3_k
