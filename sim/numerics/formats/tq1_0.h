// SPDX-License-Identifier: Apache-2.0
// tq1_0: ternary numbers, five in a byte. Super-blocks of 256: 48 bytes of five digits, 4 bytes of four, fp16
// d (54 bytes); value = d * (digit - 1). A byte is the fraction 0.abcde of base 3, rounded up to 1 / 256:
// times 3, its carry is digit a, and so on. Of elements 0 to 159, element 32 * n + i is digit n of byte i; of
// the next 80, 16 * n + i is digit n of byte 32 + i; of the last 16, 4 * n + i is digit n of byte 48 + i.
#pragma once

#include <array>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::tq1_0 {

inline constexpr std::array<std::uint8_t, 5> kPowers = {1, 3, 9, 27, 81};

// Digit n of a byte: what is left of it behind n digits, times 3, carries.
inline int digit(std::byte five, std::uint32_t n) {
  const auto left = static_cast<std::uint8_t>(std::to_integer<unsigned>(five) * kPowers[n]);
  return left * 3 >> 8;
}

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  for (std::uint32_t i = 0; i < 32; ++i) {
    const std::uint32_t e = group * 32 + i;
    const int d = e < 160   ? digit(block[e % 32], e / 32)
                  : e < 240 ? digit(block[32 + e % 16], (e - 160) / 16)
                            : digit(block[48 + e % 4], (e - 240) / 4);
    q[i] = static_cast<std::int8_t>(d - 1);
  }
  return {load_half(block + 52), 0.0f};
}

// The digits of a group are all over the block.
inline constexpr FormatRow kRow{.name = "tq1_0",
                                .ggml = 34,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 54,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int4},
                                .decoding = Decoding::table,
                                .granule_elements = 256,
                                .decode = decode_groups<256, 54, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 54, 32, unpack>};

}  // namespace tokencycle::formats::tq1_0
