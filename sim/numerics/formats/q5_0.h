// SPDX-License-Identifier: Apache-2.0
// q5_0: blocks of 32: fp16 d, 4 bytes with bit i for element i, 16 bytes of halves as in q4_0 (22 bytes);
// value = d * (q - 16).
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q5_0 {

// Elements 0 to 31 as 0 to 31: the halves' 16 bytes lie behind the 4 bytes of fifth bits.
inline void unpack_five(const std::byte* in, std::int8_t* q) {
  std::uint32_t high = 0;
  std::memcpy(&high, in, sizeof high);
  for (std::uint32_t j = 0; j < 16; j += 8) {
    const std::uint64_t pairs = load_eight(in + 4 + j);
    store_eight(q + j, (pairs & each(15)) | spread_bits(high >> j & 255) << 4);
    store_eight(q + j + 16, (pairs >> 4 & each(15)) | spread_bits(high >> (j + 16) & 255) << 4);
  }
}

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  unpack_five(block + 2, q);
  for (std::uint32_t i = 0; i < 32; ++i) q[i] = static_cast<std::int8_t>(q[i] - 16);
  return {load_half(block), 0.0f};
}

inline constexpr FormatRow kRow{.name = "q5_0",
                                .ggml = 6,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 22,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .decoding = Decoding::fields,
                                .granule_elements = 32,
                                .header_bytes = 6,
                                .decode = decode_groups<32, 22, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 22, 32, unpack>};

}  // namespace tokencycle::formats::q5_0
