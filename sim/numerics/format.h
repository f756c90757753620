// SPDX-License-Identifier: Apache-2.0
// The number formats that the machine stores and multiplies, with their block geometry.
#pragma once

#include <cstdint>
#include <string_view>

namespace tokencycle {

// Formats of stored numbers. q8_0 and q4_0 are ggml's block formats: 32 values share one fp16 scale.
//   q8_0: fp16 d, int8 q[32]                                    value = d * q          (34 bytes)
//   q4_0: fp16 d, 16 bytes; byte j holds value j (low nibble) and value j + 16 (high), each minus 8
//                                                               value = d * (q - 8)    (18 bytes)
// i8 and i4 are integers in two's complement without a scale, i4 two a byte, the earlier one in the low
// nibble.
enum class Format : std::uint8_t {
  f32 = 0,
  f16 = 1,
  bf16 = 2,
  q8_0 = 3,
  q4_0 = 4,
  u8 = 5,
  u32 = 6,
  i8 = 7,
  i4 = 8
};
inline constexpr int kFormats = 9;

// Values along the reduction dimension that are summed before the sum enters the fp32 accumulator.
// It is ggml's block length; plain formats use the same grouping, so that one order of additions
// serves all formats, arrays and tilings (sim/numerics/README.md).
inline constexpr std::uint32_t kBlock = 32;

// Elements that share one encoded unit: 32 for block formats, 2 for i4, 1 for the others.
constexpr std::uint32_t block_elements(Format f) {
  return f == Format::q8_0 || f == Format::q4_0 ? kBlock : f == Format::i4 ? 2 : 1;
}

// Bytes of one encoded unit.
constexpr std::uint32_t block_bytes(Format f) {
  switch (f) {
    case Format::f32:
      return 4;
    case Format::f16:
      return 2;
    case Format::bf16:
      return 2;
    case Format::q8_0:
      return 34;
    case Format::q4_0:
      return 18;
    case Format::u8:
      return 1;
    case Format::u32:
      return 4;
    case Format::i8:
    case Format::i4:
      return 1;
  }
  return 0;
}

// Bytes of a row of `elements` values: whole encoded units.
constexpr std::uint64_t row_bytes(Format f, std::uint64_t elements) {
  return (elements + block_elements(f) - 1) / block_elements(f) * block_bytes(f);
}

// "f32", "q8_0", ...
std::string_view name_of(Format f);

// The format called `name`; false when there is none.
bool format_from_name(std::string_view name, Format& out);

// How the matrix unit multiplies: the type of its multipliers, each with its own rate.
enum class MultiplyType : std::uint8_t { int8 = 0, int4 = 1, fp16 = 2, bf16 = 3, fp32 = 4 };
inline constexpr int kMultiplyTypes = 5;
std::string_view name_of(MultiplyType t);

// The multiplier type that a stationary operand (a weight) of format f needs:
// q8_0 and i8 int8, q4_0 and i4 int4 (int8 activations), f16 fp16, bf16 bf16, f32 fp32. Not for u8, u32.
MultiplyType multiply_type(Format f);

// The format that activations take against weights of format f: q8_0 for q8_0 and q4_0, i8 for i8 and i4,
// else f itself.
Format activation_format(Format weight);

}  // namespace tokencycle
