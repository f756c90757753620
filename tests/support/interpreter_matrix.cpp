// SPDX-License-Identifier: Apache-2.0
// The matrix unit's instructions, element by element.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "numerics/blocks.h"
#include "numerics/scalar.h"
#include "support/interpreter.h"

namespace tokencycle::test {

using isa::Instruction;
using isa::TileOrder;

namespace {

// One element of a row of blocks without its scale, and the two numbers of its group. q8_0 and q4_0 are taken
// apart here; what the table says of them and of the others is checked in tests/numerics.
struct Quantized {
  float q, scale, offset;
};
Quantized quantized(Format f, const std::byte* row, std::uint32_t element) {
  const std::byte* b = row + element / block_elements(f) * block_bytes(f);
  const std::uint32_t j = element % block_elements(f);
  if (f != Format::q8_0 && f != Format::q4_0) {
    std::int8_t q[256];
    const GroupScale s = row_of(f).unpack(b, j / group_elements(f), q);
    return {static_cast<float>(q[j % group_elements(f)]), s.scale, s.offset};
  }
  std::uint16_t half = 0;
  std::memcpy(&half, b, 2);
  const float scale = f32_from_f16(half);
  if (f == Format::q8_0) return {static_cast<float>(static_cast<std::int8_t>(b[2 + j])), scale, 0.0f};
  const auto pair = std::to_integer<int>(b[2 + j % 16]);
  return {static_cast<float>((j < 16 ? pair & 15 : pair >> 4) - 8), scale, 0.0f};
}

// A plain integer: i4 lies two a byte, the earlier one in the low half, and is negative from 8 on.
float integer(Format f, const std::byte* row, std::uint32_t element) {
  if (f == Format::i8) return static_cast<float>(static_cast<std::int8_t>(row[element]));
  const auto pair = std::to_integer<int>(row[element / 2]);
  const int digit = element % 2 == 0 ? pair % 16 : pair / 16;
  return static_cast<float>(digit < 8 ? digit : digit - 16);
}

// Adds the whole sum of the first `depth` products to an int32, modulo 2^32.
void add_integers(std::byte* total, bool accumulate, const std::vector<float>& x, const std::vector<float>& w,
                  std::uint32_t depth) {
  std::int32_t before = 0;
  if (accumulate) std::memcpy(&before, total, 4);
  std::int64_t sum = before;
  for (std::uint32_t k = 0; k < depth; ++k) sum += std::int64_t(x[k]) * std::int64_t(w[k]);
  const auto low = static_cast<std::uint32_t>(sum);
  std::memcpy(total, &low, 4);
}

}  // namespace

// The offset of the group of `length` elements that element k lies in; of activations with several sums
// there, all of them.
float Interpreter::offset_of(const Elements& e, std::uint32_t k, std::uint32_t length) {
  const std::uint32_t own = group_elements(e.format), begin = (e.first + k) / length * length;
  float sum = quantized(e.format, e.row.data(), begin).offset;
  for (std::uint32_t at = begin + own; at < begin + length; at += own) {
    sum = sum + quantized(e.format, e.row.data(), at).offset;
  }
  return sum;
}

// What the sum of the group that element k lies in adds to the total.
float Interpreter::term(Format weight, const Elements& x, const Elements& w, std::uint32_t k, float sum) {
  const float product = (x.scales[k] * w.scales[k]) * sum;
  if (row_of(weight).offset != Offset::minimum) return product;
  const std::uint32_t length = group_elements(weight);
  return product + offset_of(x, k, length) * offset_of(w, k, length);
}

// Elements [first, first + count) of an encoded row.
Interpreter::Elements Interpreter::elements(const Matrix& matrix, std::uint32_t row, std::uint32_t first,
                                            std::uint32_t count) {
  const Format f = matrix.format;
  const std::uint64_t offset = std::uint64_t{row} * matrix.stride;
  Elements e{f, first, std::vector<float>(count), std::vector<float>(count, 1.0f), {}};
  if (is_real(f)) {
    e.values = read_row(matrix.at, offset + std::uint64_t{first} * block_bytes(f), f, count);
    return e;
  }
  const std::byte* bytes = local_at(matrix.at, offset, row_bytes(f, first + count));
  e.row.assign(bytes, bytes + row_bytes(f, first + count));
  for (std::uint32_t k = 0; k < count; ++k) {
    if (is_scaled(f)) {
      const Quantized q = quantized(f, bytes, first + k);
      e.values[k] = q.q, e.scales[k] = q.scale;
    } else {
      e.values[k] = integer(f, bytes, first + k);
    }
  }
  return e;
}

Interpreter::Tile Interpreter::tile(const Matrix& matrix, TileOrder order, std::uint32_t k_offset,
                                    std::uint32_t k, std::uint32_t n) {
  Tile t{matrix.format, k_offset, {}};
  if (order == TileOrder::nk) {
    for (std::uint32_t c = 0; c < n; ++c) t.columns.push_back(elements(matrix, c, k_offset, k));
    return t;
  }
  t.columns.assign(n, {matrix.format, 0, std::vector<float>(k), std::vector<float>(k, 1.0f), {}});
  for (std::uint32_t r = 0; r < k; ++r) {
    const Elements line = elements(matrix, r, 0, n);
    for (std::uint32_t c = 0; c < n; ++c) t.columns[c].values[r] = line.values[c];
  }
  return t;
}

void Interpreter::preload(const Instruction& i) {
  shadow_ = tile({i.a, i.a_stride, i.a_format}, i.order, i.k_offset, i.rows, i.cols);
}

void Interpreter::check_pass(const Instruction& i) const {
  if (active_.columns.empty()) throw std::runtime_error("no tile was taken");
  if (i.depth > active_.columns[0].values.size() || i.cols > active_.columns.size())
    throw std::runtime_error("the pass is larger than the tile");
  if (!weight_of(active_.format, i.a_format)) {
    throw std::runtime_error("the moving operand's format does not go with the tile's");
  }
  if (is_integer(active_.format)) {
    if (!i.open || !i.close) throw std::runtime_error("sums of plain integers have no groups");
    return;
  }
  const std::uint32_t group = group_elements(*weight_of(active_.format, i.a_format));
  if (i.k_offset % group != active_.k_offset % group)
    throw std::runtime_error("the operands are at different places of a group");
  if (!i.open && (open_rows_ != i.rows || open_cols_ != i.cols))
    throw std::runtime_error("a pass continues sums that are not there");
}

void Interpreter::multiply(const Instruction& i) {
  if (i.swap) active_ = shadow_;
  check_pass(i);
  const Format weight = *weight_of(active_.format, i.a_format);
  const std::uint32_t group = group_elements(weight);
  if (i.open) group_sums_.assign(std::size_t{i.rows} * i.cols, 0.0f);
  for (std::uint32_t m = 0; m < i.rows; ++m) {
    const Elements x = elements({i.a, i.a_stride, i.a_format}, m, i.k_offset, i.depth);
    for (std::uint32_t n = 0; n < i.cols; ++n) {
      const std::uint64_t row = i.transposed ? n : m, column = i.transposed ? m : n;
      std::byte* sum_bytes = local_at(i.dst, row * i.dst_stride + 4 * column, 4);
      const Elements& w = active_.columns[n];
      if (is_integer(active_.format)) {
        add_integers(sum_bytes, i.accumulate, x.values, w.values, i.depth);
        continue;
      }
      float total = 0.0f;
      if (i.accumulate) std::memcpy(&total, sum_bytes, 4);
      bool folded = false;
      float sum = group_sums_[std::size_t{m} * i.cols + n];
      const auto fold = [&](std::uint32_t k) {  // the group of the pass's element k
        total = total + term(weight, x, w, k, sum);
        folded = true;
        sum = 0.0f;
      };
      for (std::uint32_t k = 0; k < i.depth; ++k) {
        if (k > 0 && (i.k_offset + k) % group == 0) fold(k - 1);
        sum = sum + x.values[k] * w.values[k];
      }
      if (i.close) fold(i.depth - 1);
      group_sums_[std::size_t{m} * i.cols + n] = sum;
      if (folded) std::memcpy(sum_bytes, &total, 4);
    }
  }
  open_rows_ = i.close ? 0 : i.rows;
  open_cols_ = i.close ? 0 : i.cols;
  counts_.multiplications += std::uint64_t{i.rows} * i.depth * i.cols;
}

void Interpreter::matmul(const Instruction& i) {
  const bool plain = is_integer(i.b_format);
  const Format moving = activation_format(i.b_format);
  const std::uint32_t length = group_elements(i.b_format);
  const Tile weights = tile({i.b, i.b_stride, i.b_format}, i.order, 0, i.depth, i.cols);
  for (std::uint32_t m = 0; m < i.rows; ++m) {
    const Elements x = elements({i.a, i.a_stride, moving}, m, 0, i.depth);
    for (std::uint32_t n = 0; n < i.cols; ++n) {
      std::byte* sum_bytes = local_at(i.dst, std::uint64_t{m} * i.dst_stride + 4 * std::uint64_t{n}, 4);
      const Elements& w = weights.columns[n];
      if (plain) {
        add_integers(sum_bytes, i.accumulate, x.values, w.values, i.depth);
        continue;
      }
      float total = 0.0f;
      if (i.accumulate) std::memcpy(&total, sum_bytes, 4);
      for (std::uint32_t group = 0; group < i.depth; group += length) {
        float sum = 0.0f;
        for (std::uint32_t k = group; k < std::min(group + length, i.depth); ++k) {
          sum = sum + x.values[k] * w.values[k];
        }
        total = total + term(i.b_format, x, w, group, sum);
      }
      std::memcpy(sum_bytes, &total, 4);
    }
  }
  counts_.multiplications += std::uint64_t{i.rows} * i.depth * i.cols;
}

}  // namespace tokencycle::test
