// SPDX-License-Identifier: Apache-2.0
// q5_k: as q4_k with a fifth bit: fp16 d, fp16 dmin, 12 bytes of scales and minimums, 32 bytes with bit g of
// byte i for element i of group g, 128 bytes of halves (176 bytes).
#pragma once

#include "numerics/formats/q4_k.h"

namespace tokencycle::formats::q5_k {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  const std::byte *high = block + 16, *in = block + 48 + group / 2 * 32;
  for (std::uint32_t i = 0; i < 32; i += 8) {
    const std::uint64_t half = load_eight(in + i) >> (group % 2 * 4) & each(15);
    store_eight(q + i, half | (load_eight(high + i) >> group & each(1)) << 4);
  }
  return q4_k::scale_of(block, group);
}

// The fifth bits of all elements come with the header.
inline constexpr FormatRow kRow{.name = "q5_k",
                                .ggml = 13,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 176,
                                .group_elements = 32,
                                .offset = Offset::minimum,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int8},
                                .decoding = Decoding::packed_scales,
                                .granule_elements = 64,
                                .header_bytes = 48,
                                .decode = decode_groups<256, 176, 32, unpack, true>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 176, 32, unpack>};

}  // namespace tokencycle::formats::q5_k
