// SPDX-License-Identifier: Apache-2.0
#include "machine/vector/functions.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/blocks.h"
#include "numerics/reduce.h"
#include "numerics/scalar.h"

namespace tokencycle::machine {

using isa::Instruction;
using isa::Opcode;
using Row = std::vector<float>;

namespace {

// (columns) fp32 values of row r of an operand.
void read_row(std::span<const std::byte> memory, std::size_t stride, std::uint32_t r, Row& out) {
  std::memcpy(out.data(), memory.data() + stride * r, out.size() * sizeof(float));
}

void rms_norm(const Instruction& i, const Row& x, const Row& gain, Row& y) {
  for (std::size_t c = 0; c < x.size(); ++c) y[c] = x[c] * x[c];
  const float squares = pairwise_sum(y);
  const float r = 1.0f / std::sqrt(squares / static_cast<float>(x.size()) + i.scalar);
  for (std::size_t c = 0; c < x.size(); ++c) y[c] = (x[c] * r) * gain[c];
}

void softmax(const Instruction& i, std::uint32_t r, const Row& x, Row& y) {
  const std::size_t valid = std::min<std::size_t>(x.size(), std::size_t{i.valid} + (i.causal ? r : 0));
  std::fill(y.begin(), y.end(), 0.0f);
  if (valid == 0) return;
  float largest = x[0] * i.scalar;
  for (std::size_t c = 1; c < valid; ++c) largest = std::max(largest, x[c] * i.scalar);
  for (std::size_t c = 0; c < valid; ++c) y[c] = exp_f32(x[c] * i.scalar - largest);
  const float sum = pairwise_sum(std::span(y).first(valid));
  for (std::size_t c = 0; c < valid; ++c) y[c] = y[c] / sum;
}

// table: rotate / 2 pairs (cos, sin)
void rotary(const Instruction& i, const Row& x, const Row& table, Row& y) {
  y = x;
  for (std::size_t head = 0; head + i.head <= x.size(); head += i.head) {
    for (std::size_t pair = 0; pair < i.rotate / 2; ++pair) {
      const bool adjacent = i.pairs == isa::RotaryPairs::adjacent;
      const std::size_t first = head + (adjacent ? 2 * pair : pair);
      const std::size_t second = adjacent ? first + 1 : first + i.rotate / 2;
      const float cosine = table[2 * pair], sine = table[2 * pair + 1];
      y[first] = x[first] * cosine - x[second] * sine;
      y[second] = x[first] * sine + x[second] * cosine;
    }
  }
}

void transpose(const Instruction& i, std::span<const std::byte> a, std::vector<std::byte>& result) {
  const std::size_t size = block_bytes(i.a_format);
  for (std::size_t r = 0; r < i.rows; ++r) {
    for (std::size_t c = 0; c < i.cols; ++c) {
      std::memcpy(result.data() + (c * i.rows + r) * size, a.data() + r * i.a_stride + c * size, size);
    }
  }
}

void convert(const Instruction& i, std::span<const std::byte> a, std::vector<std::byte>& result) {
  Row values(i.cols);
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    decode_row(i.a_format, a.subspan(std::size_t{r} * i.a_stride, row_bytes(i.a_format, i.cols)), 0, values);
    encode_row(i.dst_format, values, std::span(result).subspan(r * dst_row_bytes(i), dst_row_bytes(i)));
  }
}

std::uint32_t argmax(const Row& x) {
  return static_cast<std::uint32_t>(std::max_element(x.begin(), x.end()) - x.begin());
}

template <class T>
void put(std::vector<std::byte>& result, std::uint32_t r, T value) {
  std::memcpy(result.data() + std::size_t{r} * sizeof value, &value, sizeof value);
}

// One row of the operations that read fp32 rows.
void execute_row(const Instruction& i, std::uint32_t r, const Row& x, const Row& b, Row& y,
                 std::vector<std::byte>& result) {
  switch (i.op) {
    case Opcode::add:
      for (std::size_t c = 0; c < x.size(); ++c) y[c] = x[c] + b[c];
      break;
    case Opcode::mul:
      for (std::size_t c = 0; c < x.size(); ++c) y[c] = x[c] * b[c];
      break;
    case Opcode::scale:
      for (std::size_t c = 0; c < x.size(); ++c) y[c] = x[c] * i.scalar;
      break;
    case Opcode::copy:
      y = x;
      break;
    case Opcode::silu:
      for (std::size_t c = 0; c < x.size(); ++c) y[c] = silu_f32(x[c]);
      break;
    case Opcode::rms_norm:
      rms_norm(i, x, b, y);
      break;
    case Opcode::softmax:
      softmax(i, r, x, y);
      break;
    case Opcode::rotary:
      rotary(i, x, b, y);
      break;
    case Opcode::reduce_sum:
      put(result, r, pairwise_sum(x));
      return;
    case Opcode::reduce_max:
      put(result, r, *std::max_element(x.begin(), x.end()));
      return;
    case Opcode::argmax:
      put(result, r, argmax(x));
      return;
    default:
      return;
  }
  const std::span<std::byte> row = std::span(result).subspan(r * dst_row_bytes(i), dst_row_bytes(i));
  if (i.op == Opcode::softmax && i.dst_format != Format::f32) {
    encode_row(i.dst_format, y, row);
  } else {
    std::memcpy(row.data(), y.data(), row.size());
  }
}

}  // namespace

std::size_t dst_rows(const Instruction& i) {
  return i.op == Opcode::transpose ? i.cols : i.rows;
}

std::size_t dst_row_bytes(const Instruction& i) {
  switch (i.op) {
    case Opcode::convert:
    case Opcode::softmax:
      return row_bytes(i.dst_format, i.cols);
    case Opcode::transpose:
      return row_bytes(i.a_format, i.rows);
    case Opcode::reduce_sum:
    case Opcode::reduce_max:
    case Opcode::argmax:
      return 4;
    default:
      return row_bytes(Format::f32, i.cols);
  }
}

void execute_vector(const Instruction& i, const VectorOperands& operands, std::vector<std::byte>& result) {
  result.resize(dst_rows(i) * dst_row_bytes(i));
  if (i.op == Opcode::convert) return convert(i, operands.a, result);
  if (i.op == Opcode::transpose) return transpose(i, operands.a, result);
  const std::size_t b_columns = i.op == Opcode::rotary ? i.rotate : i.cols;
  Row x(i.cols), b(operands.b.empty() ? 0 : b_columns), y(i.cols);
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    read_row(operands.a, i.a_stride, r, x);
    if (!b.empty()) read_row(operands.b, i.b_stride, r, b);
    execute_row(i, r, x, b, y, result);
  }
}

}  // namespace tokencycle::machine
