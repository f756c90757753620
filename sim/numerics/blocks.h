// SPDX-License-Identifier: Apache-2.0
// Rows of numbers in their stored formats: encode (quantize) and decode (dequantize).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/format.h"

namespace tokencycle {

// Decodes row elements [first, first + out.size()) of `row` (encoded in f, starting at element 0) to fp32.
// A block value is f32(d) * f32(q). u32 and u8 are not numbers here and are refused
// (std::invalid_argument), as are elements outside the row.
void decode_row(Format f, std::span<const std::byte> row, std::uint64_t first, std::span<float> out);

// Encodes all of `values` into `row` (row_bytes(f, values.size()) bytes).
// f16 and bf16 round to nearest even. q8_0 follows ggml's quantize_row_q8_0_ref: amax = max |x| of the
// block, d = amax / 127, id = d ? 1 / d : 0, q = roundf(x * id) (half away from zero), d stored as fp16.
// q4_0 follows ggml's quantize_row_q4_0_ref: max = the value with the largest |x| (the first such),
// d = max / -8, id = d ? 1 / d : 0, q = min(15, int8(x * id + 8.5f)).
// Where ggml leaves the result to the host it is fixed here: q saturates and NaN gives q = 0; the d of a
// block with a NaN or an infinity is one too, so that the block does not decode to finite numbers in silence.
// Throws std::invalid_argument for a row of another size and for u8, u32, i8 and i4.
void encode_row(Format f, std::span<const float> values, std::span<std::byte> row);

}  // namespace tokencycle
