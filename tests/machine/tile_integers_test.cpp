// SPDX-License-Identifier: Apache-2.0
// Products of integers without scales, and which formats may meet in the array.
#include <catch2/catch.hpp>
#include <limits>
#include <utility>

#include "machine/tile_operands.h"

using namespace tokencycle;
using namespace tokencycle::machine;
using namespace tokencycle::machine::test;

namespace {

// The formats of a tile and of its moving rows.
constexpr std::pair<Format, Format> kPairs[] = {
    {Format::i8, Format::i8}, {Format::i4, Format::i8}, {Format::i8, Format::i4}};

int integer_product(const Matrix& x, std::uint32_t m, std::uint32_t x0, const Matrix& w, std::uint32_t n,
                    std::uint32_t w0, std::uint32_t k) {
  int sum = 0;
  for (std::uint32_t i = 0; i < k; ++i) sum += x.quantum(m, x0 + i) * w.quantum(n, w0 + i);
  return sum;
}

// The sums of one pass, on top of `before` if it accumulates.
std::vector<std::int32_t> sums_of(const isa::Instruction& i, const Tile& tile, const Matrix& x,
                                  std::vector<std::int32_t> before) {
  GroupBuffer none(0, tile.columns());
  Terms terms;
  REQUIRE(mismatch(i, tile, none) == "");
  multiply_tile(i, tile, x.bytes, none, terms);
  fold_terms(i, terms, std::as_writable_bytes(std::span(before)));
  return before;
}

}  // namespace

TEST_CASE("a product of plain integers is exact over any depth, from any even element of each operand on") {
  Random random(11);
  for (int round = 0; round < 90; ++round) {
    const auto& [f, moving] = kPairs[round % 3];
    const std::uint32_t m = number(random, 1, 5), n = number(random, 1, 6), k = number(random, 1, 150);
    const std::uint32_t x0 = 2 * number(random, 0, 40), w0 = 2 * number(random, 0, 40);
    const Matrix x(random, moving, m, x0 + k), w(random, f, n, w0 + k);
    Tile tile;
    tile.load(preload_of(w, 0, n, w0, k), w.bytes);
    isa::Instruction i = multiply_of(x, n, x0, k);
    i.open = i.close = true;
    i.accumulate = round % 2 == 0;
    i.transposed = round % 4 < 2;
    const std::uint32_t stride = (i.transposed ? m : n) + 1;
    i.dst_stride = 4 * stride;
    const auto y = sums_of(i, tile, x, std::vector<std::int32_t>(std::size_t{stride} * std::max(m, n), 77));
    INFO(name_of(moving) << " by " << name_of(f) << ", " << m << " x " << k << " x " << n);
    std::size_t wrong = 0;
    for (std::uint32_t r = 0; r < m; ++r) {
      for (std::uint32_t c = 0; c < n; ++c) {
        const std::int32_t got = i.transposed ? y[c * stride + r] : y[r * stride + c];
        wrong += got != integer_product(x, r, x0, w, c, w0, k) + (i.accumulate ? 77 : 0);
      }
    }
    wrong += y[stride - 1] != 77;  // nothing between the rows
    CHECK(wrong == 0);
  }
}

TEST_CASE("a tile of plain integers in rows of k is the one in rows of n") {
  Random random(12);
  const std::uint32_t k = 9, n = 7;
  for (const Format f : {Format::i8, Format::i4}) {
    const Matrix v(random, f, k, n);  // rows of k
    isa::Instruction preload = preload_of(v, 0, n, 0, k);
    preload.order = isa::TileOrder::kn;
    Tile tile;
    tile.load(preload, v.bytes);
    for (std::uint32_t r = 0; r < k; ++r) {
      for (std::uint32_t c = 0; c < n; ++c) CHECK(tile.column(c)[r] == v.quantum(r, c));
    }
  }
}

TEST_CASE("sums of plain integers are kept modulo 2^32") {
  Random random(13);
  Matrix x(random, Format::i8, 1, 3), w(random, Format::i8, 1, 3);
  x.bytes = {std::byte{1}, std::byte{0x80}, std::byte{0}};
  w.bytes = {std::byte{1}, std::byte{0}, std::byte{0}};
  Tile tile;
  tile.load(preload_of(w, 0, 1, 0, 3), w.bytes);
  isa::Instruction i = multiply_of(x, 1, 0, 3);
  i.open = i.close = i.accumulate = true;
  using Limits = std::numeric_limits<std::int32_t>;
  CHECK(sums_of(i, tile, x, {Limits::max()})[0] == Limits::min());
  CHECK(sums_of(i, tile, x, {-1})[0] == 0);
}

TEST_CASE("sums of plain integers neither stay open nor continue, and need no place in a group") {
  Random random(14);
  const Matrix x(random, Format::i4, 2, 64), w(random, Format::i8, 2, 64);
  const GroupBuffer buffer(8, 2);
  Tile tile;
  tile.load(preload_of(w, 0, 2, 5, 40), w.bytes);
  isa::Instruction i = multiply_of(x, 2, 12, 40);
  i.open = i.close = true;
  CHECK(mismatch(i, tile, buffer) == "");
  for (bool isa::Instruction::*end : {&isa::Instruction::open, &isa::Instruction::close}) {
    isa::Instruction half = i;
    half.*end = false;
    CHECK_THAT(mismatch(half, tile, buffer),
               Catch::Contains("sums of i8") && Catch::Contains("both `open` and `close`"));
  }
}

TEST_CASE("the narrower operand of a pair says which multipliers it needs, on either side") {
  using M = MultiplyType;
  const auto needs = [](Format tile, Format moving, M type) {
    CHECK(multiplier_of(tile, moving) == type);
    CHECK(multiplier_of(moving, tile) == type);
  };
  needs(Format::f32, Format::f32, M::fp32);
  needs(Format::f16, Format::f16, M::fp16);
  needs(Format::bf16, Format::bf16, M::bf16);
  needs(Format::q8_0, Format::q8_0, M::int8);
  needs(Format::q4_0, Format::q8_0, M::int4);
  needs(Format::i8, Format::i8, M::int8);
  needs(Format::i4, Format::i8, M::int4);
  for (const auto& [tile, moving] :
       {std::pair(Format::q4_0, Format::q4_0), std::pair(Format::i4, Format::i4),
        std::pair(Format::q8_0, Format::i8), std::pair(Format::q4_0, Format::i8),
        std::pair(Format::f16, Format::f32), std::pair(Format::bf16, Format::f16)}) {
    CHECK_FALSE(multiplier_of(tile, moving));
    CHECK_FALSE(multiplier_of(moving, tile));
  }
}
