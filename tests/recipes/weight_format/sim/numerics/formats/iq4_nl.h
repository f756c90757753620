// SPDX-License-Identifier: Apache-2.0
// Example of a weight format: iq4_nl, 4 bits through a table. Blocks of 32: fp16 d, 16 bytes of halves as in
// q4_0 (18 bytes); value = d * table[half].
#pragma once

#include <array>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::iq4_nl {

inline constexpr std::array<std::int8_t, 16> kTable = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                       1,    13,   25,  38,  53,  69,  89,  113};

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  for (std::uint32_t j = 0; j < 16; ++j) {
    const auto pair = std::to_integer<unsigned>(block[2 + j]);
    q[j] = kTable[pair & 15];
    q[j + 16] = kTable[pair >> 4];
  }
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "iq4_nl",
                                .ggml = 20,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .granule_elements = 32,
                                .header_bytes = 2,
                                .decode = decode_groups<32, 18, 32, unpack, false>,
                                .unpack = unpack};

}  // namespace tokencycle::formats::iq4_nl
