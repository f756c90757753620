// SPDX-License-Identifier: Apache-2.0
// mxfp4 (OCP microscaling, FP4 E2M1): blocks of 32: one byte e, 16 bytes of halves as in q4_0 (17 bytes). An
// element is 0, 0.5, 1, 1.5, 2, 3, 4 or 6, or its negative, times 2^(e - 127). As ggml does, q is twice that
// number and the scale half of the power, so that q is an integer; there is no -0, and e = 255 is no NaN.
#pragma once

#include <array>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::mxfp4 {

inline constexpr std::array<std::int8_t, 16> kTwice = {0, 1,  2,  3,  4,  6,  8,  12,
                                                       0, -1, -2, -3, -4, -6, -8, -12};

inline constexpr HalfNumbers kNumbers = numbers_of_halves(kTwice);

inline GroupScale unpack(const std::byte* block, std::uint32_t, std::int8_t* q) {
  choose_halves<16>(block + 1, q, kNumbers);
  // 2^(e - 128): for the two smallest e a subnormal number.
  const auto e = std::to_integer<std::uint32_t>(block[0]);
  return {std::bit_cast<float>(e < 2 ? 0x0020'0000u << e : (e - 1) << 23), 0.0f};
}

inline constexpr FormatRow kRow{.name = "mxfp4",
                                .ggml = 39,
                                .numbers = Numbers::scaled,
                                .block_elements = 32,
                                .block_bytes = 17,
                                .group_elements = 32,
                                .as_weight = Multiplication{Format::q8_0, MultiplyType::int8},
                                .decoding = Decoding::table,
                                .granule_elements = 32,
                                .header_bytes = 1,
                                .decode = decode_groups<32, 17, 32, unpack, false>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<32, 17, 32, unpack>};

}  // namespace tokencycle::formats::mxfp4
