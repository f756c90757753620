// SPDX-License-Identifier: Apache-2.0
#include "machine/vector/functions.h"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "numerics/blocks.h"

namespace tokencycle::machine {

using isa::Instruction;
using Row = std::vector<float>;

namespace {

// The index at element c of row r of b.
std::uint32_t index_at(const Instruction& i, std::span<const std::byte> b, std::size_t r, std::size_t c) {
  std::uint32_t index = 0;
  std::memcpy(&index, b.data() + r * i.b_stride + c * sizeof index, sizeof index);
  if (index >= i.extent) {
    throw SimulationError(fmt::format("row {}: index {} where the extent is {}", r, index, i.extent));
  }
  return index;
}

void move_by_index(const Instruction& i, isa::Indexed indexed, const VectorOperands& o,
                   std::vector<std::byte>& result) {
  const std::size_t row_size = isa::result_row_bytes(i);
  for (std::size_t r = 0; r < i.rows; ++r) {
    std::byte* out = result.data() + r * row_size;
    if (indexed == isa::Indexed::a_elements) {
      for (std::size_t c = 0; c < i.cols; ++c) {
        const std::size_t from = r * i.a_stride + index_at(i, o.b, r, c) * sizeof(float);
        std::memcpy(out + c * sizeof(float), o.a.data() + from, sizeof(float));
      }
      continue;
    }
    const std::size_t from = indexed == isa::Indexed::a_rows ? index_at(i, o.b, r, 0) : r;
    std::memcpy(out, o.a.data() + from * i.a_stride, row_size);
  }
}

// Row after row: one that names a row of dst again adds to the sum of the one before.
void add_to_rows(const Instruction& i, const VectorOperands& o, std::vector<std::byte>& result) {
  const std::size_t row_size = isa::result_row_bytes(i);
  std::map<std::uint32_t, const std::byte*> sums;  // by row of dst
  Row a(i.cols), d(i.cols);
  for (std::size_t r = 0; r < i.rows; ++r) {
    const std::uint32_t row = index_at(i, o.b, r, 0);
    const auto before = sums.find(row);
    const std::byte* base =
        before == sums.end() ? o.dst.data() + std::size_t{row} * i.dst_stride : before->second;
    std::memcpy(d.data(), base, row_size);
    std::memcpy(a.data(), o.a.data() + r * i.a_stride, row_size);
    for (std::size_t c = 0; c < d.size(); ++c) d[c] = d[c] + a[c];
    std::byte* out = result.data() + r * row_size;
    std::memcpy(out, d.data(), row_size);
    sums[row] = out;
  }
}

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
  result.resize((f.result == isa::Result::turned ? i.cols : i.rows) * row_size);
  if (f.indexed == isa::Indexed::dst_sums) return add_to_rows(i, operands, result);
  if (f.indexed != isa::Indexed::nothing) return move_by_index(i, f.indexed, operands, result);
  if (f.result == isa::Result::turned) return turn(i, operands.a, result);
  const std::size_t a_size = row_bytes(i.a_format, i.cols);
  Row a(i.cols), b(isa::second_columns(i)), d(isa::result_columns(i));
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    read_row(i.a_format, operands.a.subspan(std::size_t{r} * i.a_stride, a_size), a);
    if (!b.empty()) {
      read_row(Format::f32,
               operands.b.subspan(std::size_t{r} * isa::second_stride(i), b.size() * sizeof(float)), b);
    }
    f.compute({i, r, a, b, d});
    write_row(i.dst_format, d, std::span(result).subspan(r * row_size, row_size));
  }
}

std::vector<std::uint32_t> rows_of_result(const Instruction& i, std::span<const std::byte> b) {
  const isa::VectorFunction& f = isa::vector_function(i.op);
  std::vector<std::uint32_t> rows(f.result == isa::Result::turned ? i.cols : i.rows);
  const bool indexed = f.indexed == isa::Indexed::dst_rows || f.indexed == isa::Indexed::dst_sums;
  for (std::uint32_t r = 0; r < rows.size(); ++r) rows[r] = indexed ? index_at(i, b, r, 0) : r;
  return rows;
}

}  // namespace tokencycle::machine
