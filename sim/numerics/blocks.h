// SPDX-License-Identifier: Apache-2.0
// Rows of numbers in their stored formats: encode (quantize), decode (dequantize), and unpack for products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/format.h"

namespace tokencycle {

// Decodes row elements [first, first + out.size()) of `row` (encoded in f, starting at element 0) to fp32.
// Elements outside the row and formats that hold no numbers are refused (std::invalid_argument).
void decode_row(Format f, std::span<const std::byte> row, std::uint64_t first, std::span<float> out);

// Encodes all of `values` into `row` (row_bytes(f, values.size()) bytes), as the format's file says.
// Throws std::invalid_argument for a row of another size and for formats that nothing encodes.
void encode_row(Format f, std::span<const float> values, std::span<std::byte> row);

// Elements [first, first + count) of a row of a scaled format: their q, and the scale of each group that they
// lie in. A group is `group` elements: one or more of the format's own, which all have one scale then, and
// the offset is the sum of theirs; or a part of one, without offset.
void unpack_row(Format f, const std::byte* row, std::uint32_t first, std::uint32_t count, std::uint32_t group,
                std::int8_t* q, GroupScale* scales);

// All of these groups, as the format has them: their q as [row][group][element], their scales and offsets as
// [group][row].
inline void unpack_groups(Format f, const GroupRows& rows, std::int8_t* q, float* scales, float* offsets) {
  row_of(f).unpack_rows(rows, q, scales, offsets);
}

// Elements [first, first + count) of a row of plain integers.
inline void integers_of_row(Format f, const std::byte* row, std::uint64_t first, std::size_t count,
                            std::int8_t* out) {
  row_of(f).integers(row, first, count, out);
}

// What one closed group adds to the fp32 accumulator: (d_x * d_w) * sum, and for weights with a minimum
// + m_w * s_x. x and w may change places.
inline float group_term(const GroupScale& x, const GroupScale& w, std::int32_t sum, bool minimum) {
  const float product = (x.scale * w.scale) * static_cast<float>(sum);
  return minimum ? product + x.offset * w.offset : product;
}

}  // namespace tokencycle
