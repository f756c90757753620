// SPDX-License-Identifier: Apache-2.0
// Integers in two's complement without a scale, i4 two a byte, the earlier one in the low half; and words
// that are not numbers to compute with.
#pragma once

#include <cstring>

#include "numerics/formats/bytes.h"

namespace tokencycle::formats {

inline void integers_i8(const std::byte* row, std::uint64_t first, std::size_t count, std::int8_t* out) {
  std::memcpy(out, row + first, count);
}

inline void integers_i4(const std::byte* row, std::uint64_t first, std::size_t count, std::int8_t* out) {
  for (std::uint64_t e = first; e < first + count; ++e) {
    const auto pair = std::to_integer<unsigned>(row[e / 2]);
    const unsigned nibble = e % 2 == 0 ? pair & 15u : pair >> 4;
    *out++ = static_cast<std::int8_t>(static_cast<int>(nibble ^ 8u) - 8);
  }
}

inline constexpr FormatRow kI8{.name = "i8",
                               .numbers = Numbers::integer,
                               .as_weight = Multiplication{Format::i8, MultiplyType::int8},
                               .integers = integers_i8};
inline constexpr FormatRow kI4{.name = "i4",
                               .numbers = Numbers::integer,
                               .block_elements = 2,
                               .as_weight = Multiplication{Format::i8, MultiplyType::int4},
                               .granule_elements = 2,
                               .integers = integers_i4};
inline constexpr FormatRow kU8{.name = "u8"};
inline constexpr FormatRow kU32{.name = "u32", .block_bytes = 4};

}  // namespace tokencycle::formats
