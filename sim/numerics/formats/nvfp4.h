// SPDX-License-Identifier: Apache-2.0
// nvfp4: FP4 E2M1 with a scale for each 16. Blocks of 64 in 4 groups: 4 bytes of scales, 32 bytes of halves
// (36 bytes). Byte j of a group's 8 holds its element j (low half) and j + 8 (high half), as q of mxfp4:
// twice the number.
#pragma once

#include "numerics/formats/mxfp4.h"

namespace tokencycle::formats::nvfp4 {

// A scale, halved as q is doubled: 4 bits of exponent (bias 7), 3 of mantissa; the top bit has no meaning.
// 0x7F, NaN in FP8, is 0 as in ggml.
inline float scale_of(std::byte code) {
  const auto bits = std::to_integer<std::uint32_t>(code);
  if (bits == 0x7F) return 0.0f;
  const std::uint32_t exponent = bits >> 3 & 15, mantissa = bits & 7;
  if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10f;
  return std::bit_cast<float>((exponent + 119) << 23 | mantissa << 20);  // 2^(exponent - 8)
}

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  choose_halves<8>(block + 4 + group * 8, q, mxfp4::kNumbers);
  return {scale_of(block[group]), 0.0f};
}

inline constexpr FormatRow kRow{.name = "nvfp4",
                                .ggml = 40,
                                .numbers = Numbers::scaled,
                                .block_elements = 64,
                                .block_bytes = 36,
                                .group_elements = 16,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .decoding = Decoding::table,
                                .granule_elements = 16,
                                .header_bytes = 4,
                                .decode = decode_groups<64, 36, 16, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<64, 36, 16, unpack>};

}  // namespace tokencycle::formats::nvfp4
