// SPDX-License-Identifier: Apache-2.0
// q4_k: super-blocks of 256 in 8 groups of 32: fp16 d, fp16 dmin, 12 bytes with a 6-bit scale and a 6-bit
// minimum a group, 128 bytes of halves (144 bytes); value = (d * scale) * q - dmin * minimum.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q4_k {

// Scale and minimum of a group from the 12 bytes: of groups 0 to 3 the low six bits of bytes 0 to 3 and 4 to
// 7; of groups 4 to 7 the halves of bytes 8 to 11, and above them the two high bits of bytes 0 to 3 and 4
// to 7.
inline GroupScale scale_of(const std::byte* block, std::uint32_t group) {
  const std::byte* packed = block + 4;
  const auto at = [packed](std::uint32_t i) { return std::to_integer<int>(packed[i]); };
  int scale = 0, minimum = 0;
  if (group < 4) {
    scale = at(group) & 63;
    minimum = at(group + 4) & 63;
  } else {
    scale = (at(group + 4) & 15) | at(group - 4) >> 6 << 4;
    minimum = at(group + 4) >> 4 | at(group) >> 6 << 4;
  }
  return {load_half(block) * static_cast<float>(scale),
          -(load_half(block + 2) * static_cast<float>(minimum))};
}

// 64 elements in 32 bytes: the earlier group in the low halves.
inline void unpack_halves(const std::byte* halves, std::uint32_t group, std::int8_t* q) {
  const std::byte* in = halves + group / 2 * 32;
  for (std::uint32_t i = 0; i < 32; i += 8) {
    store_eight(q + i, load_eight(in + i) >> (group % 2 * 4) & each(15));
  }
}

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  unpack_halves(block + 16, group, q);
  return scale_of(block, group);
}

inline constexpr FormatRow kRow{.name = "q4_k",
                                .ggml = 12,
                                .numbers = Numbers::scaled,
                                .block_elements = 256,
                                .block_bytes = 144,
                                .group_elements = 32,
                                .offset = Offset::minimum,
                                .as_weight = Multiplication{Format::q8_k, MultiplyType::int4},
                                .decoding = Decoding::packed_scales,
                                .granule_elements = 64,
                                .header_bytes = 16,
                                .decode = decode_groups<256, 144, 32, unpack, true>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<256, 144, 32, unpack>};

}  // namespace tokencycle::formats::q4_k
