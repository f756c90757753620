// SPDX-License-Identifier: Apache-2.0
// iq4_nl: 4 bits through a table. Blocks of 32: fp16 d, 16 bytes of halves as in q4_0 (18 bytes); value = d *
// table[half]. The table is ggml's, steps that are denser around zero.
#pragma once

#include <array>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::iq4_nl {

inline constexpr std::array<std::int8_t, 16> kTable = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                       1,    13,   25,  38,  53,  69,  89,  113};

inline constexpr HalfNumbers kNumbers = numbers_of_halves(kTable);

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  choose_halves<16>(block + 2, q, kNumbers);
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "iq4_nl",
                                .ggml = 20,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .decoding = Decoding::table,
                                .granule_elements = 32,
                                .header_bytes = 2,
                                .decode = decode_groups<32, 18, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 18, 32, unpack>};

}  // namespace tokencycle::formats::iq4_nl
