// SPDX-License-Identifier: Apache-2.0
// iq4_xs: super-blocks of 256 in 8 groups of 32 as in iq4_nl: fp16 d, 16 bits with the two high bits of the
// groups' scales, 4 bytes with their low halves (even groups low), 128 bytes of halves (136 bytes); value =
// (d
// * (scale - 32)) * table[half].
#pragma once

#include "numerics/formats/iq4_nl.h"

namespace tokencycle::formats::iq4_xs {

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  choose_halves<16>(block + 8 + group * 16, q, iq4_nl::kNumbers);
  const int low = std::to_integer<int>(block[4 + group / 2]) >> (4 * (group % 2)) & 15;
  const int scale = low | (load_u16(block + 2) >> (2 * group) & 3) << 4;
  return {load_half(block) * static_cast<float>(scale - 32), 0.0f};
}

inline constexpr FormatRow kRow{.name = "iq4_xs",
                                .ggml = 23,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 136,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int8},
                                .decoding = Decoding::table,
                                .granule_elements = 32,
                                .header_bytes = 8,
                                .decode = decode_groups<256, 136, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 136, 32, unpack>};

}  // namespace tokencycle::formats::iq4_xs
