// SPDX-License-Identifier: Apache-2.0
#include "model/reference/math.h"

#include <algorithm>
#include <cstring>

#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::model {
namespace {

// A row of integers with scales: the weight's groups of `group` elements have a scale each.
struct ScaledRow {
  std::vector<std::int8_t> q;
  std::vector<GroupScale> groups;
  ScaledRow(std::size_t elements, std::size_t group) : q(elements), groups(elements / group) {}
};

std::int32_t sum_of_products(const std::int8_t* x, const std::int8_t* w, std::size_t count) {
  constexpr std::size_t kUsual = 32;
  std::int32_t sum = 0;
  if (count == kUsual) {  // the same loop; a fixed count is faster
    for (std::size_t i = 0; i < kUsual; ++i) sum += x[i] * w[i];
    return sum;
  }
  for (std::size_t i = 0; i < count; ++i) sum += x[i] * w[i];
  return sum;
}

void unpack(Format f, const std::byte* row, std::uint32_t group, ScaledRow& out) {
  unpack_row(f, row, 0, static_cast<std::uint32_t>(out.q.size()), group, out.q.data(), out.groups.data());
}

void multiply_floats(const Weight& weight, std::span<const float> x, std::span<float> y) {
  std::vector<float> w(weight.cols);
  for (std::uint32_t n = 0; n < weight.rows; ++n) {
    decode_row(weight.format, weight.row(n), 0, w);
    y[n] = grouped_dot(x, w.data(), 1);
  }
}

}  // namespace

void multiply_blocks(const BlockRows& rows, const std::byte* x_row, std::span<float> y) {
  const std::uint32_t group = group_elements(rows.format);
  const bool minimum = row_of(rows.format).offset == Offset::minimum;
  ScaledRow x(rows.cols, group), w(rows.cols, group);
  unpack(activation_format(rows.format), x_row, group, x);
  for (std::size_t n = 0; n < y.size(); ++n) {
    unpack(rows.format, rows.first + n * rows.stride, group, w);
    float acc = 0.0f;
    for (std::size_t g = 0; g < x.groups.size(); ++g) {
      const std::int32_t sum = sum_of_products(&x.q[g * group], &w.q[g * group], group);
      const GroupScale &xs = x.groups[g], &ws = w.groups[g];
      float term = (xs.scale * ws.scale) * static_cast<float>(sum);
      if (minimum) term = term + ws.offset * xs.offset;
      acc = acc + term;
    }
    y[n] = acc;
  }
}

float grouped_dot(std::span<const float> row, const float* b, std::size_t stride) {
  const float* a = row.data();  // without the bounds checks of debug builds, where this loop is all the time
  float acc = 0.0f;
  for (std::size_t first = 0; first < row.size(); first += kPlainGroup) {
    const std::size_t end = std::min<std::size_t>(first + kPlainGroup, row.size());
    float sum = 0.0f;
    for (std::size_t k = first; k < end; ++k) sum = sum + a[k] * b[k * stride];
    acc = acc + sum;
  }
  return acc;
}

void multiply(const Weight& weight, std::span<const float> x, std::span<float> y) {
  const Format f = activation_format(weight.format);
  if (is_real(f)) return multiply_floats(weight, rounded_to(f, x), y);
  std::vector<std::byte> row(row_bytes(f, x.size()));
  encode_row(f, x, row);
  multiply_blocks({weight.format, weight.cols, weight.row(0).data(), row_bytes(weight.format, weight.cols)},
                  row.data(), y);
}

std::vector<float> rounded_to(Format f, std::span<const float> x) {
  std::vector<std::byte> row(row_bytes(f, x.size()));
  std::vector<float> back(x.size());
  encode_row(f, x, row);
  decode_row(f, row, 0, back);
  return back;
}

std::vector<float> decoded_row(const Weight& weight) {
  std::vector<float> row(weight.cols);
  decode_row(weight.format, weight.row(0), 0, row);
  return row;
}

}  // namespace tokencycle::model
