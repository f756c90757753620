// SPDX-License-Identifier: Apache-2.0
#include "machine/vector/functions.h"

#include <cstring>

#include "numerics/blocks.h"

namespace tokencycle::machine {

using isa::Instruction;
using Row = std::vector<float>;

namespace {

void turn(const Instruction& i, std::span<const std::byte> a, std::vector<std::byte>& result) {
  const std::size_t size = block_bytes(i.a_format);
  for (std::size_t r = 0; r < i.rows; ++r) {
    for (std::size_t c = 0; c < i.cols; ++c) {
      std::memcpy(result.data() + (c * i.rows + r) * size, a.data() + r * i.a_stride + c * size, size);
    }
  }
}

void read_row(Format format, std::span<const std::byte> encoded, Row& values) {
  if (format != Format::f32) return decode_row(format, encoded, 0, values);
  std::memcpy(values.data(), encoded.data(), values.size() * sizeof(float));
}

void write_row(Format format, const Row& values, std::span<std::byte> encoded) {
  if (format != Format::f32) return encode_row(format, values, encoded);
  std::memcpy(encoded.data(), values.data(), encoded.size());
}

}  // namespace

void execute_vector(const Instruction& i, const VectorOperands& operands, std::vector<std::byte>& result) {
  const isa::VectorFunction& f = isa::vector_function(i.op);
  const std::size_t row_size = isa::result_row_bytes(i);
  result.resize(isa::result_rows(i) * row_size);
  if (f.result == isa::Result::turned) return turn(i, operands.a, result);
  const std::size_t a_size = row_bytes(i.a_format, i.cols);
  Row a(i.cols), b(isa::second_columns(i)), d(f.result == isa::Result::one ? 1 : i.cols);
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    read_row(i.a_format, operands.a.subspan(std::size_t{r} * i.a_stride, a_size), a);
    if (!b.empty()) {
      read_row(Format::f32, operands.b.subspan(std::size_t{r} * i.b_stride, b.size() * sizeof(float)), b);
    }
    f.compute({i, r, a, b, d});
    write_row(i.dst_format, d, std::span(result).subspan(r * row_size, row_size));
  }
}

}  // namespace tokencycle::machine
