// SPDX-License-Identifier: Apache-2.0
// q2_k: super-blocks of 256 in 16 groups of 16: 16 bytes with a 4-bit scale (low) and a 4-bit minimum (high)
// a group, 64 bytes of two bits, fp16 d, fp16 dmin (84 bytes); value = (d * scale) * q - dmin * minimum. Of
// each 128 elements, element 32 * j + i is at bit 2 * j of byte i of 32.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q2_k {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::uint32_t j = group % 8 / 2;
  const std::byte* in = block + 16 + group / 8 * 32 + group % 2 * 16;
  for (std::uint32_t i = 0; i < 16; i += 8) store_eight(q + i, load_eight(in + i) >> (2 * j) & each(3));
  const int packed = std::to_integer<int>(block[group]);
  return {load_half(block + 80) * static_cast<float>(packed & 15),
          -(load_half(block + 82) * static_cast<float>(packed >> 4))};
}

inline constexpr FormatRow kRow{.name = "q2_k",
                                .ggml = 10,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 84,
                                .group_elements = 16,
                                .offset = Offset::minimum,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int4},
                                .decoding = Decoding::packed_scales,
                                .granule_elements = 128,
                                .header_bytes = 20,
                                .decode = decode_groups<256, 84, 16, unpack, true>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 84, 16, unpack>};

}  // namespace tokencycle::formats::q2_k
