// SPDX-License-Identifier: Apache-2.0
// The vector unit's instructions, row by row.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include "isa/vector/function.h"
#include "numerics/blocks.h"
#include "numerics/reduce.h"
#include "numerics/scalar.h"
#include "support/interpreter.h"

namespace tokencycle::test {

using isa::Instruction;
using isa::Opcode;

namespace {

void rms_norm(std::span<const float> x, std::span<const float> gain, float epsilon, std::span<float> y) {
  std::vector<float> squares(x.size());
  std::transform(x.begin(), x.end(), squares.begin(), [](float v) { return v * v; });
  const float r = 1.0f / std::sqrt(pairwise_sum(squares) / static_cast<float>(x.size()) + epsilon);
  for (std::size_t c = 0; c < x.size(); ++c) y[c] = (x[c] * r) * gain[c];
}

void softmax(std::span<const float> x, std::size_t valid, float scale, std::span<float> y) {
  const std::size_t v = std::min(valid, x.size());
  float largest = x[0] * scale;
  for (std::size_t c = 1; c < v; ++c) largest = std::max(largest, x[c] * scale);
  std::vector<float> e(v);
  for (std::size_t c = 0; c < v; ++c) e[c] = exp_f32(x[c] * scale - largest);
  const float sum = pairwise_sum(e);
  for (std::size_t c = 0; c < v; ++c) y[c] = e[c] / sum;
  std::fill(y.begin() + static_cast<std::ptrdiff_t>(v), y.end(), 0.0f);
}

// The sum has the sink's exponential in it, added last.
void softmax_sink(std::span<const float> x, std::size_t valid, float sink, std::span<float> y) {
  const std::size_t v = std::min(valid, x.size());
  const float largest =
      std::max(sink, *std::max_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(v)));
  std::vector<float> e(v);
  for (std::size_t c = 0; c < v; ++c) e[c] = exp_f32(x[c] - largest);
  const float sum = pairwise_sum(e) + exp_f32(sink - largest);
  for (std::size_t c = 0; c < x.size(); ++c) y[c] = c < v ? e[c] / sum : 0.0f;
}

void rotary(const Instruction& i, std::span<const float> x, std::span<const float> table,
            std::span<float> y) {
  std::copy(x.begin(), x.end(), y.begin());
  for (std::size_t h = 0; h < i.cols; h += i.head) {
    for (std::size_t n = 0; n < i.rotate / 2; ++n) {
      const bool adjacent = i.pairs == isa::RotaryPairs::adjacent;
      const std::size_t p = h + (adjacent ? 2 * n : n), q = adjacent ? p + 1 : p + i.rotate / 2;
      const float cosine = table[2 * n], sine = table[2 * n + 1];
      y[p] = x[p] * cosine - x[q] * sine;
      y[q] = x[p] * sine + x[q] * cosine;
    }
  }
}

std::uint32_t first_largest(std::span<const float> x) {
  return static_cast<std::uint32_t>(std::max_element(x.begin(), x.end()) - x.begin());
}

// Places in the order of falling values; equal ones in their order.
std::vector<std::uint32_t> places_by_size(std::span<const float> x) {
  std::vector<std::uint32_t> left(x.size()), places;
  std::iota(left.begin(), left.end(), 0u);
  while (!left.empty()) {
    std::size_t best = 0;
    for (std::size_t n = 1; n < left.size(); ++n) {
      if (x[left[n]] > x[left[best]]) best = n;
    }
    places.push_back(left[best]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return places;
}

}  // namespace

// take, take_rows, put_rows and add_rows: whole memories, element by element.
bool Interpreter::move_by_index(const Instruction& i) {
  const std::string_view name = isa::name_of(i.op);
  const bool put = name == "put_rows", sum = name == "add_rows", rows = name == "take_rows";
  if (!put && !sum && !rows && name != "take") return false;
  std::vector<float> a(std::size_t{i.rows} * i.cols);
  std::vector<std::uint32_t> index(a.size());
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    for (std::uint64_t c = 0; c < i.cols; ++c) {
      const std::size_t n = r * i.cols + c;
      std::memcpy(&index[n], local_at(i.b, r * i.b_stride + (name == "take" ? 4 * c : 0), 4), 4);
      if (index[n] >= i.extent) throw std::runtime_error("an index behind the extent");
      const std::uint64_t from_row = rows ? index[n] : r, from = name == "take" ? index[n] : c;
      std::memcpy(&a[n], local_at(i.a, from_row * i.a_stride + 4 * from, 4), 4);
    }
  }
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    for (std::uint64_t c = 0; c < i.cols; ++c) {
      const std::size_t n = r * i.cols + c;
      std::byte* out = local_at(i.dst, (put || sum ? index[n] : r) * i.dst_stride + 4 * c, 4);
      float value = a[n], before = 0;
      std::memcpy(&before, out, 4);
      if (sum) value = before + value;
      std::memcpy(out, &value, 4);
    }
  }
  return true;
}

void Interpreter::vector_row(const Instruction& i, std::uint32_t row, std::span<const float> a,
                             std::span<float> d) {
  const auto b = [&](std::uint32_t cols) {
    return read_row(i.b, std::uint64_t{row} * i.b_stride, Format::f32, cols);
  };
  switch (i.op) {
    case Opcode::add: {
      const auto right = b(i.per_row ? 1 : i.cols);
      for (std::size_t c = 0; c < a.size(); ++c) d[c] = a[c] + right[i.per_row ? 0 : c];
      return;
    }
    case Opcode::mul: {
      const auto right = b(i.per_row ? 1 : i.cols);
      for (std::size_t c = 0; c < a.size(); ++c) d[c] = a[c] * right[i.per_row ? 0 : c];
      return;
    }
    case Opcode::scale:
      std::transform(a.begin(), a.end(), d.begin(), [&](float v) { return v * i.scalar; });
      return;
    case Opcode::silu:
      std::transform(a.begin(), a.end(), d.begin(), silu_f32);
      return;
    case Opcode::rms_norm:
      return rms_norm(a, read_row(i.b, 0, Format::f32, i.cols), i.scalar, d);
    case Opcode::softmax:
      return softmax(a, std::size_t{i.valid} + (i.causal ? row : 0), i.scalar, d);
    case Opcode::softmax_sink:
      return softmax_sink(a, std::size_t{i.valid} + (i.causal ? row : 0),
                          read_row(i.b, i.per_row ? std::uint64_t{row} * 4 : 0, Format::f32, 1)[0], d);
    case Opcode::rotary:
      return rotary(i, a, b(i.rotate), d);
    case Opcode::reduce_sum:
      d[0] = pairwise_sum(a);
      return;
    case Opcode::reduce_max:
      d[0] = *std::max_element(a.begin(), a.end());
      return;
    case Opcode::top_k:  // top_k
      for (std::size_t n = 0; n < d.size(); ++n) d[n] = std::bit_cast<float>(places_by_size(a)[n]);
      return;
    case Opcode::copy:
    case Opcode::convert:
      std::copy(a.begin(), a.end(), d.begin());
      return;
    case Opcode::argmax:
      d[0] = std::bit_cast<float>(first_largest(a));
      return;
    default: {  // their values have tests of their own; where they come from and go to is what matters here
      const isa::VectorFunction& f = isa::vector_function(i.op);
      std::vector<float> second;
      if (f.second == isa::Second::rows) second = b(i.per_row ? 1 : i.cols);
      if (f.second == isa::Second::row_pair) second = read_row(i.b, 0, Format::f32, 2 * i.cols);
      return f.compute({i, row, a, second, d});
    }
  }
}

// All operands are read before the first result is written.
void Interpreter::vector_operation(const Instruction& i) {
  if (i.op == Opcode::transpose) return transpose(i);
  if (move_by_index(i)) return;
  const bool reduces = isa::class_of(i.op) == isa::Class::reduce || isa::class_of(i.op) == isa::Class::select;
  const std::uint32_t width = isa::name_of(i.op) == "top_k" ? i.depth : reduces ? 1 : i.cols;
  const std::uint64_t bytes = row_bytes(i.dst_format, width);
  std::vector<std::byte> results(i.rows * bytes);
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    const std::vector<float> a = read_row(i.a, std::uint64_t{r} * i.a_stride, i.a_format, i.cols);
    std::byte* out = results.data() + r * bytes;
    std::vector<float> d(width);
    vector_row(i, r, a, d);
    encode_row(i.dst_format, d, {out, bytes});
  }
  for (std::uint32_t r = 0; r < i.rows; ++r) {
    std::memcpy(local_at(i.dst, std::uint64_t{r} * i.dst_stride, bytes), results.data() + r * bytes, bytes);
  }
}

void Interpreter::transpose(const Instruction& i) {
  const std::uint32_t size = block_bytes(i.a_format);
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    for (std::uint64_t c = 0; c < i.cols; ++c) {
      std::memcpy(local_at(i.dst, c * i.dst_stride + r * size, size),
                  local_at(i.a, r * i.a_stride + c * size, size), size);
    }
  }
}

}  // namespace tokencycle::test
