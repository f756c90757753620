// SPDX-License-Identifier: Apache-2.0
// Are the products' loops, which compilers make vectors of, the plain ones to the last bit?
#include "numerics/products.h"

#include <bit>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

#include "numerics/blocks.h"

using namespace tokencycle;

namespace {

using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t end) {
  return static_cast<std::uint32_t>(random() % end);
}

std::int8_t any_int8(Random& random) {
  const auto v = static_cast<int>(random() % 256) - 128;
  return static_cast<std::int8_t>(random() % 8 == 0 ? (v < 0 ? -128 : 127) : v);
}

// Every kind of number: ordinary ones, -0, subnormals, the largest, infinities, NaN.
float any_float(Random& random) {
  constexpr float kSpecial[] = {0.0f,     -0.0f,     0x1p-149f,  -0x1.8p-130f,
                                0x1p-10f, 0x1.fp99f, -0x1.fp99f, std::numeric_limits<float>::max()};
  switch (random() % 16) {
    case 0:
      return std::numeric_limits<float>::infinity() * (random() % 2 == 0 ? 1.0f : -1.0f);
    case 1:
      return std::numeric_limits<float>::quiet_NaN();
    case 2:
    case 3:
    case 4:
      return kSpecial[random() % std::size(kSpecial)];
    default:
      return std::uniform_real_distribution<float>(-2.0f, 2.0f)(random);
  }
}

// One NaN is like another: which of two a sum keeps is the host's.
bool same(float a, float b) {
  return (a != a && b != b) || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

}  // namespace

TEST_CASE("dot_rows is the exact sum, for every count, also of the extremes") {
  Random random(1);
  for (std::uint32_t count = 0; count <= 70; ++count) {
    const std::uint32_t rows = below(random, 9), stride = count + below(random, 5);
    std::vector<std::int8_t> x(count), w(std::size_t{rows} * stride);
    for (auto& v : x) v = count % 3 == 0 ? std::int8_t{-128} : any_int8(random);
    for (auto& v : w) v = count % 3 == 0 ? std::int8_t{-128} : any_int8(random);
    std::vector<std::int16_t> wide(count);
    widen(x.data(), count, wide.data());
    std::vector<std::int32_t> sums(rows + 1, 7);
    dot_rows(wide.data(), count, w.data(), stride, rows, sums.data());
    for (std::uint32_t r = 0; r < rows; ++r) {
      std::int64_t sum = 0;
      for (std::uint32_t i = 0; i < count; ++i) sum += std::int64_t{x[i]} * w[std::size_t{r} * stride + i];
      CAPTURE(count, r);
      CHECK(sums[r] == sum);
    }
    CHECK(sums[rows] == 7);
  }
}

TEST_CASE("group_terms is group_term of every column, whatever the numbers") {
  Random random(2);
  for (int round = 0; round < 2000; ++round) {
    const std::uint32_t columns = below(random, 40);
    const GroupScale x{any_float(random), any_float(random)};
    std::vector<float> scales(columns), offsets(columns), terms(columns + 1, 3.0f);
    std::vector<std::int32_t> sums(columns);
    for (float& v : scales) v = any_float(random);
    for (float& v : offsets) v = any_float(random);
    for (std::int32_t& v : sums) v = static_cast<std::int32_t>(random()) >> below(random, 32);
    for (const bool minimum : {false, true}) {
      group_terms(x, scales.data(), minimum ? offsets.data() : nullptr, sums.data(), columns, terms.data());
      for (std::uint32_t n = 0; n < columns; ++n) {
        REQUIRE(same(terms[n], group_term(x, {scales[n], offsets[n]}, sums[n], minimum)));
      }
      REQUIRE(terms[columns] == 3.0f);
    }
  }
}

TEST_CASE("add_products adds one product after the other to each sum, whatever the numbers") {
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    const std::uint32_t columns = below(random, 40), count = below(random, 40),
                        stride = columns + below(random, 3);
    const bool ordinary = round % 2 == 0;  // where one NaN would hide the order
    const auto number = [&] {
      return ordinary ? std::uniform_real_distribution<float>(-2.0f, 2.0f)(random) : any_float(random);
    };
    std::vector<float> x(count), w(std::size_t{count} * stride), sums(columns + 1);
    for (float& v : x) v = number();
    for (float& v : w) v = number();
    for (float& v : sums) v = number();
    std::vector<float> plain = sums;
    for (std::uint32_t n = 0; n < columns; ++n) {
      for (std::uint32_t k = 0; k < count; ++k) plain[n] = plain[n] + x[k] * w[std::size_t{k} * stride + n];
    }
    add_products(x.data(), count, w.data(), stride, columns, sums.data());
    for (std::uint32_t n = 0; n <= columns; ++n) REQUIRE(same(sums[n], plain[n]));
  }
}

TEST_CASE("unpack_groups takes the same q, scales and offsets out of any bytes as a group at a time") {
  Random random(4);
  for (int code = 0; code < kFormats; ++code) {
    const auto f = static_cast<Format>(code);
    if (!is_scaled(f)) continue;
    CAPTURE(name_of(f));
    const FormatRow& format = row_of(f);
    const std::uint32_t own = format.group_elements, in_block = format.block_elements / own;
    for (int round = 0; round < 40; ++round) {
      const std::uint32_t first = below(random, 9), groups = 1 + below(random, 9),
                          rows = 1 + below(random, 36);
      const std::size_t stride = row_bytes(f, std::uint64_t{first + groups} * own) + below(random, 7);
      std::vector<std::byte> bytes(stride * rows);
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
      std::vector<std::int8_t> q(std::size_t{rows} * groups * own), one(own);
      std::vector<float> scales(std::size_t{rows} * groups), offsets(scales.size());
      unpack_groups(f, {bytes.data(), stride, rows, first, groups}, q.data(), scales.data(), offsets.data());
      for (std::uint32_t r = 0; r < rows; ++r) {
        for (std::uint32_t g = 0; g < groups; ++g) {
          const std::uint32_t group = first + g;
          const std::byte* block =
              bytes.data() + r * stride + std::size_t{group / in_block} * format.block_bytes;
          const GroupScale scale = format.unpack(block, group % in_block, one.data());
          REQUIRE(same(scales[g * rows + r], scale.scale));
          REQUIRE(same(offsets[g * rows + r], scale.offset));
          REQUIRE(std::equal(one.begin(), one.end(), q.begin() + (std::ptrdiff_t{r} * groups + g) * own));
        }
      }
    }
  }
}
