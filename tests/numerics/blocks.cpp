// SPDX-License-Identifier: Apache-2.0
// Do rows encode as ggml's reference quantizers do, and decode from any element on?
#include "numerics/blocks.h"

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "numerics/scalar.h"

using namespace tokencycle;

namespace {

using Bytes = std::vector<std::byte>;
constexpr std::uint32_t kBlock = 32;  // of q8_0 and q4_0
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Bytes encode(Format f, const std::vector<float>& values) {
  Bytes row(row_bytes(f, values.size()));
  encode_row(f, values, row);
  return row;
}

std::vector<float> decode(Format f, const Bytes& row, std::uint64_t first, std::size_t count) {
  std::vector<float> out(count);
  decode_row(f, row, first, out);
  return out;
}

std::uint16_t scale_bits(const Bytes& row, std::size_t offset = 0) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(row[offset]) |
                                    std::to_integer<unsigned>(row[offset + 1]) << 8);
}

int q8(const Bytes& row, std::size_t i) {
  return static_cast<std::int8_t>(std::to_integer<unsigned>(row[2 + i]));
}

int q4(const Bytes& row, std::size_t i) {
  const unsigned byte = std::to_integer<unsigned>(row[2 + i % 16]);
  return static_cast<int>(i < 16 ? byte & 15u : byte >> 4);
}

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> v(n);
  for (float& x : v) x = static_cast<float>(random() % 2000001) / 500000.0f - 2.0f;
  return v;
}

// ggml's quantize_row_q8_0_ref, one value at a time with the C library's roundf.
int q8_by_definition(float x, float amax) {
  const float d = amax / 127.0f;
  const float id = d != 0.0f ? 1.0f / d : 0.0f;
  return static_cast<int>(std::round(x * id));
}

}  // namespace

TEST_CASE("q8_0: scale, signs and zeros by hand") {
  std::vector<float> x(kBlock, 0.0f);
  x[0] = 127.0f;
  x[1] = -127.0f;
  x[2] = 1.0f;
  x[3] = -64.0f;
  x[31] = 100.4f;
  const Bytes row = encode(Format::q8_0, x);
  REQUIRE(row.size() == 34);
  REQUIRE(scale_bits(row) == 0x3C00);  // d = 1
  REQUIRE(q8(row, 0) == 127);
  REQUIRE(q8(row, 1) == -127);
  REQUIRE(q8(row, 2) == 1);
  REQUIRE(q8(row, 3) == -64);
  REQUIRE(q8(row, 4) == 0);
  REQUIRE(q8(row, 31) == 100);
  REQUIRE(decode(Format::q8_0, row, 3, 1)[0] == -64.0f);
}

TEST_CASE("q8_0: halves round away from zero, and what is just below them does not") {
  std::vector<float> x(kBlock, 0.0f);
  x[0] = 127.0f;
  const std::array<std::pair<float, int>, 8> cases = {{{0.5f, 1},
                                                       {-0.5f, -1},
                                                       {1.5f, 2},
                                                       {-2.5f, -3},
                                                       {0.49999997f, 0},
                                                       {-0.49999997f, 0},
                                                       {125.5f, 126},
                                                       {-126.5f, -127}}};
  for (std::size_t i = 0; i < cases.size(); ++i) x[i + 1] = cases[i].first;
  const Bytes row = encode(Format::q8_0, x);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].first);
    REQUIRE(q8(row, i + 1) == cases[i].second);
  }
}

TEST_CASE("q8_0: a block of zeros has scale 0") {
  const Bytes row = encode(Format::q8_0, std::vector<float>(kBlock, -0.0f));
  for (const std::byte b : row) REQUIRE(b == std::byte{0});
  for (const float v : decode(Format::q8_0, row, 0, kBlock)) REQUIRE(v == 0.0f);
}

TEST_CASE("q8_0: the quotient uses the fp32 scale, the stored scale is fp16") {
  std::vector<float> x(kBlock, 0.0f);
  x[5] = -0.3f;
  x[6] = 0.1f;
  const Bytes row = encode(Format::q8_0, x);
  REQUIRE(scale_bits(row) == f16_from_f32(0.3f / 127.0f));
  REQUIRE(q8(row, 5) == -127);
  REQUIRE(q8(row, 6) == 42);  // 0.1 * 127 / 0.3 = 42.33
  REQUIRE(decode(Format::q8_0, row, 5, 1)[0] == f32_from_f16(scale_bits(row)) * -127.0f);
}

TEST_CASE("q8_0: random rows agree with the definition value by value") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto x = random_values(2 * kBlock, seed);
    const Bytes row = encode(Format::q8_0, x);
    for (std::size_t block = 0; block < 2; ++block) {
      float amax = 0.0f;
      for (std::size_t i = 0; i < kBlock; ++i) amax = std::max(amax, std::fabs(x[block * kBlock + i]));
      REQUIRE(scale_bits(row, block * 34) == f16_from_f32(amax / 127.0f));
      for (std::size_t i = 0; i < kBlock; ++i) {
        CAPTURE(seed, block, i);
        REQUIRE(q8(row, block * 34 + i) == q8_by_definition(x[block * kBlock + i], amax));
      }
    }
  }
}

TEST_CASE("q8_0: extremes of fp32 saturate and do not hide") {
  std::vector<float> tiny(kBlock, 0.0f);
  tiny[0] = 1e-39f;  // 1 / d is infinite
  tiny[1] = -1e-40f;
  const Bytes row = encode(Format::q8_0, tiny);
  REQUIRE(scale_bits(row) == 0);
  REQUIRE(q8(row, 0) == 127);
  REQUIRE(q8(row, 1) == -127);
  REQUIRE(q8(row, 2) == 0);

  std::vector<float> damaged(kBlock, 1.0f);
  damaged[7] = kNan;
  for (const float v : decode(Format::q8_0, encode(Format::q8_0, damaged), 0, kBlock)) REQUIRE(std::isnan(v));
  damaged[7] = -kInfinity;
  for (const float v : decode(Format::q8_0, encode(Format::q8_0, damaged), 0, kBlock)) REQUIRE(std::isnan(v));
}

TEST_CASE("q4_0: the value of largest magnitude becomes -8") {
  std::vector<float> x(kBlock, 0.0f);
  x[0] = -8.0f;
  x[1] = 7.0f;
  x[2] = 0.49f;
  x[3] = 0.5f;
  x[16] = -7.6f;
  x[17] = 3.2f;
  const Bytes row = encode(Format::q4_0, x);
  REQUIRE(row.size() == 18);
  REQUIRE(scale_bits(row) == 0x3C00);  // d = -8 / -8 = 1
  REQUIRE(q4(row, 0) == 0);
  REQUIRE(q4(row, 1) == 15);
  REQUIRE(q4(row, 2) == 8);
  REQUIRE(q4(row, 3) == 9);
  REQUIRE(q4(row, 16) == 0);
  REQUIRE(q4(row, 17) == 11);
  REQUIRE(row[2] == std::byte{0x00});  // value 0 low, value 16 high
  REQUIRE(row[3] == std::byte{0xBF});  // value 1 low, value 17 high
  const auto back = decode(Format::q4_0, row, 0, kBlock);
  REQUIRE(back[0] == -8.0f);
  REQUIRE(back[1] == 7.0f);
  REQUIRE(back[17] == 3.0f);
}

TEST_CASE("q4_0: a positive extreme makes the scale negative, its opposite saturates at 15") {
  std::vector<float> x(kBlock, 0.0f);
  x[4] = 4.0f;  // the first of two with the largest magnitude
  x[9] = -4.0f;
  const Bytes row = encode(Format::q4_0, x);
  REQUIRE(scale_bits(row) == 0xB800);  // d = -0.5
  REQUIRE(q4(row, 4) == 0);
  REQUIRE(q4(row, 9) == 15);  // 16 does not fit
  REQUIRE(q4(row, 0) == 8);
  const auto back = decode(Format::q4_0, row, 0, kBlock);
  REQUIRE(back[4] == 4.0f);
  REQUIRE(back[9] == -3.5f);
}

TEST_CASE("q4_0: zeros are eights, and damage shows") {
  const Bytes row = encode(Format::q4_0, std::vector<float>(kBlock, 0.0f));
  for (std::size_t i = 2; i < row.size(); ++i) REQUIRE(row[i] == std::byte{0x88});
  for (const float v : decode(Format::q4_0, row, 0, kBlock)) REQUIRE(v == 0.0f);

  std::vector<float> damaged(kBlock, 1.0f);
  damaged[30] = kNan;
  for (const float v : decode(Format::q4_0, encode(Format::q4_0, damaged), 0, kBlock)) REQUIRE(std::isnan(v));
}

TEST_CASE("decode_row starts and ends anywhere") {
  const auto x = random_values(4 * kBlock, 11);
  for (const Format f : {Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0}) {
    const Bytes row = encode(f, x);
    const auto whole = decode(f, row, 0, x.size());
    for (const std::size_t first : {0u, 1u, 31u, 32u, 33u, 63u, 96u, 127u, 128u}) {
      for (const std::size_t count : {0u, 1u, 2u, 31u, 32u, 33u, 64u, 95u, 128u}) {
        if (first + count > x.size()) continue;
        CAPTURE(name_of(f), first, count);
        const auto part = decode(f, row, first, count);
        REQUIRE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
      }
    }
  }
}

TEST_CASE("plain formats take rows of any length and round to nearest even") {
  const std::vector<float> x = {1.0f, 1.0f + 0x1p-11f, 1.0f + 0x1p-9f + 0x1p-8f, -2.5f, 1e-30f};
  REQUIRE(decode(Format::f32, encode(Format::f32, x), 0, 5) == x);
  const auto half = decode(Format::f16, encode(Format::f16, x), 0, 5);
  REQUIRE(half == std::vector<float>{1.0f, 1.0f, 1.0f + 0x1p-9f + 0x1p-8f, -2.5f, 0.0f});
  const auto brain = decode(Format::bf16, encode(Format::bf16, x), 0, 5);
  REQUIRE(brain[2] == 1.0f + 0x1p-7f);  // 1 + 0.75 * 2^-7
  REQUIRE(brain[4] == f32_from_bf16(bf16_from_f32(1e-30f)));
}

TEST_CASE("i8 and i4 are two's complement, i4 with the earlier one in the low half of a byte") {
  const auto bytes = [](std::initializer_list<unsigned> values) {
    Bytes row;
    for (const unsigned v : values) row.push_back(static_cast<std::byte>(v));
    return row;
  };
  using Values = std::vector<float>;
  REQUIRE(decode(Format::i8, bytes({0x00, 0x7f, 0x80, 0xff}), 0, 4) == Values{0, 127, -128, -1});
  REQUIRE(decode(Format::i8, bytes({0x00, 0x7f, 0x80, 0xff}), 2, 1) == Values{-128});
  const Bytes pairs = bytes({0x70, 0xf8});
  REQUIRE(decode(Format::i4, pairs, 0, 4) == Values{0, 7, -8, -1});
  REQUIRE(decode(Format::i4, pairs, 1, 2) == Values{7, -8});  // from the middle of a byte to that of another
  REQUIRE(decode(Format::i4, pairs, 3, 1) == Values{-1});
  REQUIRE_THROWS_AS(decode(Format::i4, pairs, 3, 2), std::invalid_argument);
  REQUIRE_THROWS_AS(decode(Format::i8, pairs, 2, 1), std::invalid_argument);
}

TEST_CASE("rows of the wrong size and formats without numbers are refused") {
  std::vector<float> x(40);
  Bytes row(34);
  REQUIRE_THROWS_AS(encode_row(Format::q8_0, x, row), std::invalid_argument);
  REQUIRE_THROWS_AS(encode_row(Format::f16, x, row), std::invalid_argument);
  REQUIRE_THROWS_AS(decode_row(Format::q8_0, row, 0, x), std::invalid_argument);
  REQUIRE_THROWS_AS(decode_row(Format::q8_0, row, std::numeric_limits<std::uint64_t>::max(), x),
                    std::invalid_argument);
  REQUIRE_THROWS_AS(decode_row(Format::u8, row, 0, std::span(x).first(4)), std::invalid_argument);
  REQUIRE_THROWS_AS(decode_row(Format::u32, row, 0, std::span(x).first(4)), std::invalid_argument);
  REQUIRE_THROWS_AS(encode_row(Format::u8, std::span(x).first(34), row), std::invalid_argument);
  // Nothing says how fp32 would become integers without a scale.
  REQUIRE_THROWS_WITH(encode_row(Format::i8, std::span(x).first(34), row), Catch::Contains("i8"));
  x.resize(68);
  REQUIRE_THROWS_WITH(encode_row(Format::i4, x, row), Catch::Contains("i4"));
}
