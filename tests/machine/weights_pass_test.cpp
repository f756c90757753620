// SPDX-License-Identifier: Apache-2.0
// Weights that pass a tile of activations, as in input-stationary and dot-product arrays: sums put side by
// side into the columns' rows are those that are put one by one, for every format and any bytes.
#include <bit>
#include <catch2/catch.hpp>

#include "machine/tile_operands.h"

using namespace tokencycle;
using namespace tokencycle::machine;
using namespace tokencycle::machine::test;

namespace {

// One NaN is like another.
bool same(float a, float b) {
  return (a != a && b != b) || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

void compare(Random& random, Format weight, Format activations) {
  const std::uint32_t cut = cut_elements(weight), group = group_elements(weight);
  const std::uint32_t groups = number(random, 1, 6), first = number(random, 0, cut / group) * group;
  const std::uint32_t rows = number(random, 1, 150), columns = number(random, 1, 5), depth = groups * group;
  const Matrix x(random, activations, columns, first + depth);
  const auto w_stride = static_cast<std::uint32_t>(row_bytes(weight, round_up(first + depth, cut)) + 3);
  Bytes w(std::size_t{w_stride} * rows);
  for (std::byte& b : w) b = static_cast<std::byte>(random());
  Tile tile;
  tile.load(preload_of(x, 0, columns, first, depth), x.bytes);
  isa::Instruction multiply;
  multiply.a_format = weight;
  multiply.a_stride = w_stride;
  multiply.rows = rows;
  multiply.cols = columns;
  multiply.k_offset = first;
  multiply.depth = depth;
  multiply.open = multiply.close = true;
  GroupBuffer none(0, columns);
  REQUIRE(mismatch(multiply, tile, none).empty());
  Terms terms;
  std::vector<float> one_by_one(std::size_t{rows} * columns, 0.5f), side_by_side = one_by_one;
  for (const bool accumulate : {false, true}) {
    multiply.accumulate = accumulate;
    multiply.transposed = false;
    multiply.dst_stride = columns * 4;
    multiply_tile(multiply, tile, w, none, terms);
    REQUIRE(!terms.by_column);
    fold_terms(multiply, terms, std::as_writable_bytes(std::span(one_by_one)));
    multiply.transposed = true;
    multiply.dst_stride = rows * 4;
    multiply_tile(multiply, tile, w, none, terms);
    REQUIRE(terms.by_column);
    fold_terms(multiply, terms, std::as_writable_bytes(std::span(side_by_side)));
    std::size_t wrong = 0;
    for (std::uint32_t m = 0; m < rows; ++m) {
      for (std::uint32_t n = 0; n < columns; ++n) {
        wrong += !same(one_by_one[m * columns + n], side_by_side[n * rows + m]);
      }
    }
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("weights of every format pass activations with the same sums in either order of dst") {
  Random random(11);
  for (int code = 0; code < kFormats; ++code) {
    const auto weight = static_cast<Format>(code);
    if (!is_scaled(weight) || !kWeightFormats.has(weight)) continue;
    CAPTURE(name_of(weight));
    for (int round = 0; round < 20; ++round) compare(random, weight, activation_format(weight));
  }
}
