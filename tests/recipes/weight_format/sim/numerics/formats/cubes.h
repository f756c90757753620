// SPDX-License-Identifier: Apache-2.0
// Example of a weight format: cubes, 4 bits with steps that are denser around zero. Blocks of 32: fp16 d, 16
// bytes of halves as in q4_0 (18 bytes); value = d * ((half - 8)^3 / 4). GGUF has no such format; the number
// is that of one which was withdrawn and had blocks of the same size.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::cubes {

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  unpack_halves<16>(block + 2, q, [](int half) { return (half - 8) * (half - 8) * (half - 8) / 4; });
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "cubes",
                                .ggml = 36,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 18,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .granule_elements = 32,
                                .header_bytes = 2,
                                .decode = decode_groups<32, 18, 32, unpack, false>,
                                .unpack = unpack};

}  // namespace tokencycle::formats::cubes
