// SPDX-License-Identifier: Apache-2.0
// The array's arithmetic against plain loops: every format, ragged shapes, groups split over passes.
#include "core/tile.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "numerics/blocks.h"
#include "numerics/scalar.h"

using namespace tokencycle;
using namespace tokencycle::core;

namespace {

using Random = std::mt19937;
using Bytes = std::vector<std::byte>;

std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
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
  // The integer and the scale of an element of a block format, from the format's definition.
  int quantum(std::uint32_t r, std::uint32_t c) const {
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

// numerics/README.md: groups of 32 from element 0 on, each summed by itself, added in ascending order.
float product(const Matrix& x, std::uint32_t m, const Matrix& w, std::uint32_t n, std::uint32_t first,
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

isa::Instruction preload_of(const Matrix& w, std::uint32_t n0, std::uint32_t columns, std::uint32_t k0,
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

isa::Instruction multiply_of(const Matrix& x, std::uint32_t columns, std::uint32_t k0, std::uint32_t k) {
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

// Runs the passes of at most `array_rows` k values each, cut at groups' borders as compilers do.
std::vector<float> by_passes(const Matrix& x, const Matrix& w, std::uint32_t k, std::uint32_t array_rows) {
  Tile tile;
  GroupBuffer buffer(x.rows, w.rows);
  Terms terms;
  const std::uint32_t stride = (w.rows * 4 + 8) / 4;
  std::vector<float> accumulator(std::size_t{stride} * x.rows, -7.0f);
  bool folded = false;
  for (std::uint32_t k0 = 0; k0 < k;) {
    std::uint32_t depth = std::min(array_rows, k - k0);
    if (k0 % 32 != 0) depth = std::min(depth, 32 - k0 % 32);
    if (depth > 32) depth = std::min(depth / 32 * 32 + (k0 + depth == k ? depth % 32 : 0), depth);
    const isa::Instruction preload = preload_of(w, 0, w.rows, k0, depth);
    tile.load(preload, w.bytes);
    isa::Instruction multiply = multiply_of(x, w.rows, k0, depth);
    multiply.open = k0 % 32 == 0;
    multiply.close = (k0 + depth) % 32 == 0 || k0 + depth == k;
    multiply.accumulate = folded;
    REQUIRE(mismatch(multiply, tile, buffer).empty());
    multiply_tile(multiply, tile, x.bytes, buffer, terms);
    fold_terms(multiply, terms, std::as_writable_bytes(std::span(accumulator)));
    folded |= terms.groups > 0;
    k0 += depth;
  }
  return accumulator;
}

constexpr Format kWeights[] = {Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0};

}  // namespace

TEST_CASE("a product is the plain loops' to the last bit, whatever the array's height") {
  Random random(1);
  for (int round = 0; round < 150; ++round) {
    const Format f = kWeights[round % 5];
    const std::uint32_t m = number(random, 1, 5), n = number(random, 1, 7);
    const std::uint32_t k = number(random, 1, 150);
    const Matrix x(random, activation_format(f), m, k), w(random, f, n, k);
    for (const std::uint32_t array_rows : {1u, 3u, 8u, 16u, 31u, 32u, 40u, 64u, 200u}) {
      INFO("format " << name_of(f) << ", " << m << " x " << k << " x " << n << ", array of " << array_rows);
      const std::vector<float> y = by_passes(x, w, k, array_rows);
      std::size_t wrong = 0;
      for (std::uint32_t r = 0; r < m; ++r) {
        for (std::uint32_t c = 0; c < n; ++c) wrong += y[r * (n + 2) + c] != product(x, r, w, c, 0, k, 0.0f);
        if (r + 1 < m) wrong += y[r * (n + 2) + n] != -7.0f;  // nothing between the rows
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a tile in rows of n and one in columns of k are the same tile") {
  Random random(2);
  for (const Format f : {Format::f32, Format::f16, Format::bf16}) {
    const std::uint32_t k = 11, n = 6;
    const Matrix v(random, f, k, n);  // rows of k, n contiguous
    Matrix turned(random, f, n, k);
    for (std::uint32_t r = 0; r < n; ++r) {
      for (std::uint32_t c = 0; c < k; ++c) {
        std::memcpy(turned.bytes.data() + r * turned.stride + c * block_bytes(f),
                    v.bytes.data() + c * v.stride + r * block_bytes(f), block_bytes(f));
      }
    }
    isa::Instruction kn = preload_of(v, 0, n, 0, k);
    kn.order = isa::TileOrder::kn;
    Tile a, b;
    a.load(kn, v.bytes);
    b.load(preload_of(turned, 0, n, 0, k), turned.bytes);
    for (std::uint32_t r = 0; r < k; ++r) {
      for (std::uint32_t c = 0; c < n; ++c) {
        CHECK(a.row(r)[c] == b.row(r)[c]);
        CHECK(a.row(r)[c] == v.value(r, c));
      }
    }
  }
}

TEST_CASE("a part of a long row: k_offset counts elements from the row's first block") {
  Random random(3);
  for (const Format f : kWeights) {
    for (const std::uint32_t offset : {0u, 5u, 31u, 32u, 64u, 77u, 96u}) {
      const std::uint32_t depth =
          offset % 32 == 0 ? number(random, 1, 50) : number(random, 1, 32 - offset % 32);
      const Matrix x(random, activation_format(f), 3, 160), w(random, f, 4, 160);
      Tile tile;
      GroupBuffer buffer(0, 4);
      Terms terms;
      tile.load(preload_of(w, 0, 4, offset, depth), w.bytes);
      isa::Instruction multiply = multiply_of(x, 4, offset, depth);
      multiply.open = multiply.close = true;
      REQUIRE(mismatch(multiply, tile, buffer).empty());
      multiply_tile(multiply, tile, x.bytes, buffer, terms);
      std::vector<float> y(3 * 6);
      fold_terms(multiply, terms, std::as_writable_bytes(std::span(y)));
      for (std::uint32_t r = 0; r < 3; ++r) {
        for (std::uint32_t c = 0; c < 4; ++c) {
          INFO(name_of(f) << ", offset " << offset << ", depth " << depth);
          CHECK(y[r * 6 + c] == product(x, r, w, c, offset, depth, 0.0f));
        }
      }
    }
  }
}

TEST_CASE(
    "accumulate adds to what is there, otherwise it is overwritten, and without a fold nothing is touched") {
  Random random(4);
  const Matrix x(random, Format::f32, 2, 32), w(random, Format::f32, 3, 32);
  Tile tile;
  GroupBuffer buffer(2, 3);
  Terms terms;
  tile.load(preload_of(w, 0, 3, 0, 16), w.bytes);
  isa::Instruction i = multiply_of(x, 3, 0, 16);
  for (const bool accumulate : {false, true}) {
    for (const bool close : {false, true}) {
      i.open = true;
      i.close = close;
      i.accumulate = accumulate;
      multiply_tile(i, tile, x.bytes, buffer, terms);
      std::vector<float> y(2 * 5, 2.5f);
      fold_terms(i, terms, std::as_writable_bytes(std::span(y)));
      const float start = accumulate ? 2.5f : 0.0f;
      CHECK(y[6] == (close ? product(x, 1, w, 1, 0, 16, start) : 2.5f));
      CHECK(y[3] == 2.5f);
    }
  }
}

TEST_CASE("group parts are cut at every 32nd element of the row") {
  isa::Instruction i;
  const auto parts = [&](std::uint32_t offset, std::uint32_t depth, bool open, bool close) {
    i.k_offset = offset;
    i.depth = depth;
    i.open = open;
    i.close = close;
    std::string text;
    for (const GroupPart& p : group_parts(i)) {
      text += std::to_string(p.begin) + "-" + std::to_string(p.end) + (p.starts ? "s" : "") +
              (p.closes ? "c" : "") + " ";
    }
    return text;
  };
  CHECK(parts(0, 32, true, true) == "0-32sc ");
  CHECK(parts(0, 16, true, false) == "0-16s ");
  CHECK(parts(16, 16, false, true) == "0-16c ");
  CHECK(parts(0, 80, true, true) == "0-32sc 32-64sc 64-80sc ");
  CHECK(parts(0, 80, true, false) == "0-32sc 32-64sc 64-80s ");
  CHECK(parts(24, 16, false, false) == "0-8c 8-16s ");
  CHECK(parts(96, 33, false, true) == "0-32c 32-33sc ");
}

TEST_CASE("what does not go together is named") {
  Random random(6);
  const Matrix x(random, Format::q8_0, 4, 64), w(random, Format::q4_0, 4, 64);
  Tile tile;
  const GroupBuffer buffer(2, 4);
  using Catch::Matchers::Contains;
  isa::Instruction i = multiply_of(x, 4, 0, 32);
  i.open = i.close = true;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("no tile"));
  tile.load(preload_of(w, 0, 4, 32, 32), w.bytes);
  CHECK(mismatch(i, tile, buffer) == "");
  i.k_offset = 4;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("k_offset"));
  i.k_offset = 64;
  i.depth = 33;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("33"));
  i.depth = 32;
  i.a_format = Format::f16;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("f16") && Contains("q8_0"));
  i.a_format = Format::q8_0;
  i.close = false;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("group_buffer_rows"));
  i.rows = 2;
  CHECK(mismatch(i, tile, buffer) == "");
}
