// SPDX-License-Identifier: Apache-2.0
// Do the reference's operators follow sim/numerics/README.md operation by operation?
#include "model/reference/math.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "numerics/blocks.h"
#include "numerics/reduce.h"
#include "numerics/scalar.h"

using namespace tokencycle;
using namespace tokencycle::model;

TEST_CASE("the largest come first, of equal ones the earlier, and are renormalized by their pairwise sum") {
  const std::vector<float> x = {0.5f, 2.0f, -1.0f, 2.0f, 0.5f};
  std::vector<float> places(4);
  top_k(x, places);
  std::vector<std::uint32_t> found;
  for (std::size_t i = 0; i < places.size(); ++i) found.push_back(place_at(places, i));
  CHECK(found == std::vector<std::uint32_t>{1, 3, 0, 4});
  std::vector<float> shares(3);
  normalize(std::vector<float>{1.0f, 2.0f, 5.0f}, shares);
  CHECK(shares == std::vector<float>{0.125f, 0.25f, 0.625f});
  std::vector<float> sum(2);
  weighted_sum(std::vector<float>{1, 2, 10, 20}, std::vector<float>{3, 0.5f}, sum);
  CHECK(sum == std::vector<float>{8, 16});
}

namespace {

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> v(n);
  for (float& x : v) x = static_cast<float>(random() % 2000001) / 1000000.0f - 1.0f;
  return v;
}

// A weight together with the bytes it points at.
struct OwnedWeight {
  std::vector<std::byte> bytes;
  Weight weight;

  OwnedWeight(Format f, std::uint32_t rows, std::uint32_t cols, const std::vector<float>& values)
      : bytes(rows * row_bytes(f, cols)) {
    for (std::uint32_t r = 0; r < rows; ++r) {
      encode_row(f, std::span(values).subspan(r * cols, cols),
                 std::span(bytes).subspan(r * row_bytes(f, cols), row_bytes(f, cols)));
    }
    weight.format = f;
    weight.rows = rows;
    weight.cols = cols;
    weight.data = bytes;
  }
  OwnedWeight(const OwnedWeight&) = delete;
};

std::uint32_t bits(float x) {
  return std::bit_cast<std::uint32_t>(x);
}

// The value of an integer block's element over its scale.
int quantum(Format f, std::span<const std::byte> row, std::size_t i) {
  const std::byte* block = row.data() + i / kPlainGroup * block_bytes(f) + 2;
  const std::size_t j = i % kPlainGroup;
  if (f == Format::q8_0) return static_cast<std::int8_t>(std::to_integer<unsigned>(block[j]));
  const unsigned pair = std::to_integer<unsigned>(block[j % 16]);
  return static_cast<int>(j < 16 ? pair & 15u : pair >> 4) - 8;
}

float block_scale(Format f, std::span<const std::byte> row, std::size_t block) {
  const std::byte* p = row.data() + block * block_bytes(f);
  return f32_from_f16(
      static_cast<std::uint16_t>(std::to_integer<unsigned>(p[0]) | std::to_integer<unsigned>(p[1]) << 8));
}

}  // namespace

TEST_CASE("a float product sums groups of 32 in fp32, one rounding an operation") {
  // 2^24 swallows the ones after it in its own group; the ones of the next group are summed first.
  std::vector<float> x(70, 1.0f);
  const std::vector<float> ones(70, 1.0f);
  x[0] = 0x1p24f;
  REQUIRE(grouped_dot(x, ones.data(), 1) == 0x1p24f + 32.0f + 6.0f);

  std::vector<float> spread(140, 0.0f);
  for (std::size_t i = 0; i < 70; ++i) spread[2 * i] = ones[i];
  REQUIRE(grouped_dot(x, spread.data(), 2) == 0x1p24f + 38.0f);
}

TEST_CASE("a float product with a ragged last group, for each plain format") {
  const std::uint32_t rows = 5, cols = 77;
  const auto x = random_values(cols, 1), w = random_values(rows * cols, 2);
  for (const Format f : {Format::f32, Format::f16, Format::bf16}) {
    const OwnedWeight owned(f, rows, cols, w);
    std::vector<float> y(rows);
    multiply(owned.weight, x, y);
    const auto rounded = rounded_to(f, x);
    for (std::uint32_t n = 0; n < rows; ++n) {
      const auto row = rounded_to(f, std::span(w).subspan(n * cols, cols));
      float acc = 0.0f;
      for (std::uint32_t b = 0; b < 3; ++b) {
        float sum = 0.0f;
        for (std::uint32_t k = b * 32; k < std::min(cols, b * 32 + 32); ++k) {
          const float product = rounded[k] * row[k];
          sum += product;
        }
        acc += sum;
      }
      CAPTURE(name_of(f), n);
      REQUIRE(bits(y[n]) == bits(acc));
    }
  }
}

TEST_CASE("an integer product is exact in each block and scales in fp32") {
  const std::uint32_t rows = 4, cols = 96;
  const auto x = random_values(cols, 3), w = random_values(rows * cols, 4);
  std::vector<std::byte> x_row(row_bytes(Format::q8_0, cols));
  encode_row(Format::q8_0, x, x_row);
  for (const Format f : {Format::q8_0, Format::q4_0}) {
    const OwnedWeight owned(f, rows, cols, w);
    std::vector<float> y(rows);
    multiply(owned.weight, x, y);
    for (std::uint32_t n = 0; n < rows; ++n) {
      const auto row = owned.weight.row(n);
      float acc = 0.0f;
      for (std::size_t b = 0; b < cols / kPlainGroup; ++b) {
        long sum = 0;
        for (std::size_t i = b * kPlainGroup; i < (b + 1) * kPlainGroup; ++i) {
          sum += static_cast<long>(quantum(Format::q8_0, x_row, i)) * quantum(f, row, i);
        }
        const float scale = block_scale(Format::q8_0, x_row, b) * block_scale(f, row, b);
        acc += scale * static_cast<float>(sum);
      }
      CAPTURE(name_of(f), n);
      REQUIRE(bits(y[n]) == bits(acc));
      double exact = 0;
      for (std::uint32_t k = 0; k < cols; ++k) exact += static_cast<double>(x[k]) * w[n * cols + k];
      REQUIRE(y[n] == Approx(exact).margin(f == Format::q8_0 ? 0.1 : 1.0));
    }
  }
}

TEST_CASE("RMS norm by its formula") {
  const std::vector<float> x = {3.0f, -4.0f, 0.0f, 12.0f};
  const OwnedWeight gain(Format::f32, 1, 4, {1.0f, 2.0f, 3.0f, 0.5f});
  std::vector<float> y(4);
  rms_norm(x, &gain.weight, 0.0f, y);
  const float r = 1.0f / 6.5f;  // sqrt((9 + 16 + 144) / 4)
  REQUIRE(y == std::vector<float>{3.0f * r, (-4.0f * r) * 2.0f, 0.0f, (12.0f * r) * 0.5f});
  rms_norm(std::vector<float>(4, 0.0f), &gain.weight, 1e-5f, y);
  REQUIRE(y == std::vector<float>(4, 0.0f));
}

TEST_CASE("rotation pairs neighbours or halves and leaves the rest") {
  RotaryShape shape{6, 4, RopePairs::adjacent};
  const std::vector<float> table = {0.0f, 1.0f, 0.6f, 0.8f};  // a quarter turn, and (cos, sin) = (0.6, 0.8)
  const std::vector<float> heads = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};

  auto adjacent = heads;
  rotate(shape, table, adjacent);
  const auto turn_c = [](float a, float b) { return a * 0.6f - b * 0.8f; };
  const auto turn_s = [](float a, float b) { return a * 0.8f + b * 0.6f; };
  REQUIRE(adjacent == std::vector<float>{-2, 1, turn_c(3, 4), turn_s(3, 4), 5, 6, -20, 10, turn_c(30, 40),
                                         turn_s(30, 40), 50, 60});

  auto split = heads;
  shape.pairs = RopePairs::split;
  rotate(shape, table, split);
  REQUIRE(split == std::vector<float>{-3, turn_c(2, 4), 1, turn_s(2, 4), 5, 6, -30, turn_c(20, 40), 10,
                                      turn_s(20, 40), 50, 60});
}

TEST_CASE("softmax by its formula") {
  const auto raw = random_values(100, 9);
  auto x = raw;
  softmax(x, 3.0f);
  float largest = raw[0] * 3.0f;
  for (const float v : raw) largest = std::max(largest, v * 3.0f);
  std::vector<float> e;
  for (const float v : raw) e.push_back(exp_f32(v * 3.0f - largest));
  const float sum = pairwise_sum(e);
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(bits(x[i]) == bits(e[i] / sum));

  std::vector<float> one = {-1234.5f};
  softmax(one, 0.25f);
  REQUIRE(one[0] == 1.0f);
  std::vector<float> far = {1e30f, -1e30f, 1e30f};
  softmax(far, 1.0f);
  REQUIRE(far == std::vector<float>{0.5f, 0.0f, 0.5f});
}
