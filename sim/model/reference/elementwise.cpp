// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include "model/reference/math.h"
#include "numerics/activation.h"
#include "numerics/scalar.h"

namespace tokencycle::model {

void map(MapFunction f, float scalar, std::span<const float> x, std::span<float> y) {
  switch (f) {
    case MapFunction::silu:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = silu_f32(x[i]);
      return;
    case MapFunction::gelu_tanh:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = gelu_tanh_f32(x[i]);
      return;
    case MapFunction::tanh:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = tanh_f32(x[i]);
      return;
    case MapFunction::scale:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scalar;
      return;
    case MapFunction::sigmoid:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = sigmoid_f32(x[i]);
      return;
    case MapFunction::exp:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = exp_f32(x[i]);
      return;
    case MapFunction::softplus:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = softplus_f32(x[i]);
      return;
    case MapFunction::add:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] + scalar;
      return;
    case MapFunction::minimum:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::min(x[i], scalar);
      return;
    case MapFunction::maximum:
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::max(x[i], scalar);
      return;
  }
  throw std::logic_error("a function has no meaning in the reference");
}

void add(std::span<const float> a, std::span<const float> b, std::span<float> y) {
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = a[i] + b[i];
}

void mul(std::span<const float> a, std::span<const float> b, std::span<float> y) {
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = a[i] * b[i];
}

void zip_row(ZipFunction f, std::span<const float> x, std::span<const float> row, std::span<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float right = row.size() == 1 ? row[0] : row[i];
    y[i] = f == ZipFunction::add ? x[i] + right : x[i] * right;
  }
}

void join(const ColumnsShape& shape, std::span<const float> x, std::span<const float> y, std::span<float> z) {
  for (std::size_t g = 0; g < z.size() / shape.group; ++g) {
    const std::span<float> group = z.subspan(g * shape.group, shape.group);
    for (std::size_t i = 0; i < shape.first; ++i) group[i] = x[g * shape.first + i];
    for (std::size_t i = 0; i < shape.count; ++i) group[shape.first + i] = y[g * shape.count + i];
  }
}

void columns(const ColumnsShape& shape, std::span<const float> x, std::span<float> y) {
  for (std::size_t from = 0, to = 0; from < x.size(); from += shape.group, to += shape.count) {
    for (std::size_t i = 0; i < shape.count; ++i) y[to + i] = x[from + shape.first + i];
  }
}

}  // namespace tokencycle::model
