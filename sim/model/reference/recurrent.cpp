// SPDX-License-Identifier: Apache-2.0
// Operators whose state does not grow with the positions.
#include <algorithm>
#include <cstring>
#include <vector>

#include "model/reference/math.h"
#include "numerics/reduce.h"

namespace tokencycle::model {

void convolution(const Weight& weight, std::span<const std::byte> rows, std::span<float> y) {
  const std::size_t columns = y.size(), count = rows.size() / (columns * sizeof(float));
  std::vector<float> x(count * columns), taps(weight.cols);
  std::memcpy(x.data(), rows.data(), x.size() * sizeof(float));
  for (std::size_t c = 0; c < columns; ++c) {
    std::memcpy(taps.data(), weight.row(static_cast<std::uint32_t>(c)).data(), taps.size() * sizeof(float));
    const std::size_t first = taps.size() - count;
    y[c] = x[c] * taps[first];
    for (std::size_t r = 1; r < count; ++r) y[c] = y[c] + x[r * columns + c] * taps[first + r];
  }
}

namespace {

float dot(std::span<const float> a, std::span<const float> b) {
  std::vector<float> products(a.size());
  mul(a, b, products);
  return pairwise_sum(products);
}

}  // namespace

void delta_rule(const DeltaShape& shape, const DeltaInputs& in, std::vector<std::byte>& state,
                std::span<float> y) {
  const std::size_t dim = shape.dim;
  const bool first = state.empty();
  std::vector<float> rows(shape.heads * dim * dim);
  if (!first) std::memcpy(rows.data(), state.data(), state.size());
  for (std::size_t h = 0; h < shape.heads; ++h) {
    const std::size_t key_head = h % shape.key_heads;
    const std::span<const float> q = in.q.subspan(key_head * dim, dim), k = in.k.subspan(key_head * dim, dim);
    for (std::size_t j = 0; j < dim; ++j) {
      const std::span<float> row = std::span(rows).subspan((h * dim + j) * dim, dim);
      float delta = in.v[h * dim + j];
      if (!first) {
        for (float& s : row) s = s * in.decay[h];
        delta = delta - dot(row, k);
      }
      delta = delta * in.beta[h];
      for (std::size_t i = 0; i < dim; ++i) row[i] = first ? k[i] * delta : row[i] + k[i] * delta;
      y[h * dim + j] = dot(row, q);
    }
  }
  const auto bytes = std::as_bytes(std::span(rows));
  state.assign(bytes.begin(), bytes.end());
}

namespace {

// gates: i, f, o, g of `width` values each.
void lstm(std::span<float> gates, std::span<float> c, bool first, std::span<float> h) {
  const std::size_t width = h.size();
  map(MapFunction::sigmoid, 0, gates.first(3 * width), gates.first(3 * width));
  map(MapFunction::tanh, 0, gates.last(width), gates.last(width));
  mul(gates.first(width), gates.last(width), gates.first(width));
  if (first) {
    std::copy(gates.begin(), gates.begin() + static_cast<std::ptrdiff_t>(width), c.begin());
  } else {
    mul(c, gates.subspan(width, width), c);
    add(c, gates.first(width), c);
  }
  map(MapFunction::tanh, 0, c, h);
  mul(h, gates.subspan(2 * width, width), h);
}

// gates: W h of r, u, n; x: the same of the input.
void gru(std::span<float> gates, std::span<const float> x, std::span<float> h, bool first) {
  const std::size_t width = h.size();
  const std::span<float> n = gates.last(width);
  add(gates.first(2 * width), x.first(2 * width), gates.first(2 * width));
  map(MapFunction::sigmoid, 0, gates.first(2 * width), gates.first(2 * width));
  mul(n, gates.first(width), n);
  add(n, x.last(width), n);
  map(MapFunction::tanh, 0, n, n);
  for (std::size_t i = 0; i < width; ++i) h[i] = first ? n[i] * -1.0f : h[i] - n[i];
  mul(h, gates.subspan(width, width), h);
  add(h, n, h);
}

}  // namespace

void cell(const CellShape& shape, const Weight& weight, const Weight* bias, std::span<const float> x,
          std::vector<std::byte>& state, std::span<float> y) {
  const bool first = state.empty();
  std::vector<float> rows(std::size_t{shape.state_rows()} * shape.width), gates(x.size());
  if (!first) std::memcpy(rows.data(), state.data(), state.size());
  const std::span<float> h = std::span(rows).first(shape.width);
  if (!first) multiply(weight, h, gates);
  if (bias != nullptr) {
    const std::vector<float> row = decoded_row(*bias);
    if (first)
      gates = row;
    else
      add(gates, row, gates);
  }
  if (shape.kind == CellKind::gru) {
    gru(gates, x, h, first);
  } else {
    if (first)
      gates.assign(x.begin(), x.end());
    else
      add(gates, x, gates);
    lstm(gates, std::span(rows).last(shape.width), first, h);
  }
  std::copy(h.begin(), h.end(), y.begin());
  const auto bytes = std::as_bytes(std::span(rows));
  state.assign(bytes.begin(), bytes.end());
}

}  // namespace tokencycle::model
