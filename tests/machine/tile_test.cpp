// SPDX-License-Identifier: Apache-2.0
// The array's arithmetic against plain loops: every format, ragged shapes, groups split over passes.
#include <catch2/catch.hpp>
#include <utility>

#include "machine/tile_operands.h"

using namespace tokencycle;
using namespace tokencycle::machine;
using namespace tokencycle::machine::test;

namespace {

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

// The formats of a tile and of its moving rows; in the last pair the rows are the weights.
constexpr std::pair<Format, Format> kPairs[] = {{Format::f32, Format::f32},   {Format::f16, Format::f16},
                                                {Format::bf16, Format::bf16}, {Format::q8_0, Format::q8_0},
                                                {Format::q4_0, Format::q8_0}, {Format::q8_0, Format::q4_0}};

}  // namespace

TEST_CASE("a product is the plain loops' to the last bit, whatever the array's height") {
  Random random(1);
  for (int round = 0; round < 150; ++round) {
    const auto [f, moving] = kPairs[round % 6];
    const std::uint32_t m = number(random, 1, 5), n = number(random, 1, 7);
    const std::uint32_t k = number(random, 1, 150);
    const Matrix x(random, moving, m, k), w(random, f, n, k);
    for (const std::uint32_t array_rows : {1u, 3u, 8u, 16u, 31u, 32u, 40u, 64u, 200u}) {
      INFO(name_of(moving) << " by " << name_of(f) << ", " << m << " x " << k << " x " << n << ", array of "
                           << array_rows);
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
  for (const auto& [f, moving] : kPairs) {
    for (const std::uint32_t offset : {0u, 5u, 31u, 32u, 64u, 77u, 96u}) {
      const std::uint32_t depth =
          offset % 32 == 0 ? number(random, 1, 50) : number(random, 1, 32 - offset % 32);
      const Matrix x(random, moving, 3, 160), w(random, f, 4, 160);
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
    for (const GroupPart& p : group_parts(i, kPlainGroup)) {
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
  for (const Format f : {Format::f16, Format::q4_0, Format::i8}) {
    i.a_format = f;
    CHECK_THAT(mismatch(i, tile, buffer),
               Contains("operand is " + std::string(name_of(f))) && Contains("q8_0"));
  }
  i.a_format = Format::q8_0;
  i.close = false;
  CHECK_THAT(mismatch(i, tile, buffer), Contains("group_buffer_rows"));
  i.rows = 2;
  CHECK(mismatch(i, tile, buffer) == "");
}

TEST_CASE("transposed sums are the same ones, a column of dst for each moving row") {
  Random random(7);
  for (const auto& [f, moving] : kPairs) {
    const Matrix x(random, moving, 5, 64), w(random, f, 3, 64);
    Tile tile;
    GroupBuffer buffer(0, 3);
    Terms terms;
    tile.load(preload_of(w, 0, 3, 0, 64), w.bytes);
    for (const bool accumulate : {false, true}) {
      isa::Instruction i = multiply_of(x, 3, 0, 64);
      i.open = i.close = i.transposed = true;
      i.accumulate = accumulate;
      i.dst_stride = 7 * 4;
      multiply_tile(i, tile, x.bytes, buffer, terms);
      std::vector<float> y(2 * 7 + 5, 0.5f);
      fold_terms(i, terms, std::as_writable_bytes(std::span(y)));
      for (std::uint32_t n = 0; n < 3; ++n) {
        for (std::uint32_t m = 0; m < 5; ++m) {
          CHECK(y[n * 7 + m] == product(x, m, w, n, 0, 64, accumulate ? 0.5f : 0.0f));
        }
        if (n < 2) CHECK(y[n * 7 + 5] == 0.5f);  // nothing between the rows
      }
    }
  }
}
