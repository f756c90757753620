// SPDX-License-Identifier: Apache-2.0
// Random operands of the array and their product by plain loops.
#pragma once

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "machine/matrix/multiply.h"
#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::machine::test {

using Random = std::mt19937;
using Bytes = std::vector<std::byte>;

inline std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

inline bool plain_integer(Format f) {
  return f == Format::i8 || f == Format::i4;
}

// Rows of encoded values, `stride` bytes apart, and what they decode to.
struct Matrix {
  Format format;
  std::uint32_t rows, columns, stride;
  Bytes bytes;

  Matrix(Random& random, Format f, std::uint32_t rows_, std::uint32_t columns_)
      : format(f), rows(rows_), columns(static_cast<std::uint32_t>(round_up(columns_, block_elements(f)))) {
    const auto row = static_cast<std::uint32_t>(row_bytes(f, columns));
    stride = row + number(random, 0, 2) * 6;
    bytes.resize(std::size_t{stride} * rows);
    if (plain_integer(f)) {
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
      return;
    }
    std::vector<float> values(columns);
    for (std::uint32_t r = 0; r < rows; ++r) {
      for (float& v : values) v = std::uniform_real_distribution<float>(-2, 2)(random);
      encode_row(f, values, std::span(bytes).subspan(std::size_t{r} * stride, row));
    }
  }
  std::span<const std::byte> row(std::uint32_t r) const {
    return std::span(bytes).subspan(std::size_t{r} * stride, row_bytes(format, columns));
  }
  float value(std::uint32_t r, std::uint32_t c) const {
    float v = 0;
    decode_row(format, row(r), c, {&v, 1});
    return v;
  }
  // The integer of an element and, in block formats, its scale, from the format's definition.
  int quantum(std::uint32_t r, std::uint32_t c) const {
    if (format == Format::i8) return static_cast<std::int8_t>(row(r)[c]);
    if (format == Format::i4) {
      const int pair = static_cast<int>(row(r)[c / 2]), digit = c % 2 == 0 ? pair % 16 : pair / 16;
      return digit >= 8 ? digit - 16 : digit;
    }
    const std::byte* block = row(r).data() + c / 32 * block_bytes(format);
    if (format == Format::q8_0) return static_cast<std::int8_t>(block[2 + c % 32]);
    const int pair = static_cast<int>(block[2 + c % 16]);
    return (c % 32 < 16 ? pair % 16 : pair / 16) - 8;
  }
  float scale(std::uint32_t r, std::uint32_t c) const {
    std::uint16_t half = 0;
    std::memcpy(&half, row(r).data() + c / 32 * block_bytes(format), 2);
    return f32_from_f16(half);
  }
};

// numerics/README.md: groups of 32 from element 0 on, each summed alone, added in ascending order.
inline float product(const Matrix& x, std::uint32_t m, const Matrix& w, std::uint32_t n, std::uint32_t first,
                     std::uint32_t k, float start) {
  float total = start;
  for (std::uint32_t g = first; g < first + k;) {
    const std::uint32_t end = std::min((g / 32 + 1) * 32, first + k);
    if (block_elements(w.format) > 1) {
      int sum = 0;
      for (std::uint32_t i = g; i < end; ++i) sum += x.quantum(m, i) * w.quantum(n, i);
      total = total + (x.scale(m, g) * w.scale(n, g)) * static_cast<float>(sum);
    } else {
      float sum = 0.0f;
      for (std::uint32_t i = g; i < end; ++i) sum = sum + x.value(m, i) * w.value(n, i);
      total = total + sum;
    }
    g = end;
  }
  return total;
}

inline isa::Instruction preload_of(const Matrix& w, std::uint32_t n0, std::uint32_t columns, std::uint32_t k0,
                                   std::uint32_t k) {
  isa::Instruction i;
  i.op = isa::Opcode::preload;
  i.a_format = w.format;
  i.a_stride = w.stride;
  i.rows = k;
  i.cols = columns;
  i.k_offset = k0;
  i.a = isa::LocalAddress::scratchpad(n0 * w.stride);
  return i;
}

inline isa::Instruction multiply_of(const Matrix& x, std::uint32_t columns, std::uint32_t k0,
                                    std::uint32_t k) {
  isa::Instruction i;
  i.op = isa::Opcode::multiply;
  i.a_format = x.format;
  i.a_stride = x.stride;
  i.rows = x.rows;
  i.cols = columns;
  i.k_offset = k0;
  i.depth = k;
  i.dst_stride = columns * 4 + 8;
  return i;
}

}  // namespace tokencycle::machine::test
