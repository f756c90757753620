// SPDX-License-Identifier: Apache-2.0
#include "proof/operands.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "numerics/scalar.h"

namespace tokencycle::proof {

namespace {

Format named(const char* name) {
  Format format{};
  if (!format_from_name(name, format)) throw std::logic_error(std::string("no ") + name);
  return format;
}
const Format kQ6K = named("q6_k"), kNvfp4 = named("nvfp4");

template <class Number>
Number number_at(std::span<const std::byte> row, std::size_t byte) {
  Number number;
  std::memcpy(&number, row.subspan(byte, sizeof number).data(), sizeof number);
  return number;
}

// Magnitudes from 2^-6 to 2^6, so that the order of fp32 additions shows in the last bits.
float random_float(Random& random) {
  const float mantissa = std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
  return std::ldexp(mantissa, static_cast<int>(pick(random, 0, 12)) - 6);
}

void random_row(Random& random, Format format, std::span<std::byte> row) {
  for (std::byte& b : row) b = static_cast<std::byte>(pick(random, 0, 255));
  const std::uint32_t unit = block_bytes(format);
  for (std::size_t at = 0; at < row.size(); at += unit) {
    std::byte* to = row.data() + at;
    if (format == Format::f32) {
      const float x = random_float(random);
      std::memcpy(to, &x, sizeof x);
    } else if (format == Format::bf16) {
      const std::uint16_t x = bf16_from_f32(random_float(random));
      std::memcpy(to, &x, sizeof x);
    } else if (format == Format::q8_k) {
      const float x = random_float(random);
      std::memcpy(to, &x, sizeof x);
    } else if (format == kQ6K) {
      const std::uint16_t x = f16_from_f32(random_float(random));
      std::memcpy(to + 208, &x, sizeof x);
    } else if (format == kNvfp4) {
      for (int g = 0; g < 4; ++g) to[g] = static_cast<std::byte>(pick(random, 1, 0x7E));
    } else if (format == Format::f16 || unit > 4) {  // blocks begin with their fp16 scale
      const std::uint16_t x = f16_from_f32(random_float(random));
      std::memcpy(to, &x, sizeof x);
      if (format != Format::q8_1 && format != Format::q4_1) continue;
      const std::uint16_t offset = f16_from_f32(random_float(random));
      std::memcpy(to + 2, &offset, sizeof offset);
    }
  }
}

}  // namespace

Format random_format(Random& random, bool integers) {
  const std::array kFormats = {Format::i8,   Format::i4,   Format::f32,  Format::f16, Format::bf16,
                               Format::q8_0, Format::q4_0, Format::q4_1, kQ6K,        kNvfp4};
  return kFormats[pick(random, 0, integers ? 1 : kFormats.size() - 1)];
}

std::uint32_t append_lines(Random& random, std::vector<std::byte>& memory, Format format, std::uint32_t lines,
                           std::uint32_t elements) {
  const std::size_t first = memory.size(), bytes = row_bytes(format, elements);
  memory.resize(first + lines * bytes);
  for (std::size_t line = 0; line < lines; ++line) {
    random_row(random, format, std::span(memory).subspan(first + line * bytes, bytes));
  }
  return static_cast<std::uint32_t>(first);
}

namespace {

// Element 32 * j + i of 128: its low half in byte i + 32 * (j % 2), its high bits at bit 2 * j of byte i.
test::Operand element_q6_k(std::span<const std::byte> block, std::uint32_t index) {
  const std::uint32_t part = index / 128, j = index % 128 / 32, i = index % 32;
  const int low = number_at<std::uint8_t>(block, part * 64 + j % 2 * 32 + i) >> (j < 2 ? 0 : 4) & 15;
  const int high = number_at<std::uint8_t>(block, 128 + part * 32 + i) >> (2 * j) & 3;
  const float scale = number_at<std::int8_t>(block, 192 + index / 16);
  return {std::bit_cast<std::uint32_t>((low | high << 4) - 32),
          f32_from_f16(number_at<std::uint16_t>(block, 208)) * scale};
}

// Blocks of 64: a scale of 16 elements in each of the first 4 bytes; byte j of a group's 8 holds elements j
// and j + 8, FP4 E2M1, here doubled.
test::Operand element_nvfp4(std::span<const std::byte> block, std::uint32_t index) {
  constexpr int kMagnitudes[] = {0, 1, 2, 3, 4, 6, 8, 12};
  const std::uint32_t group = index / 16, j = index % 16;
  const int code = number_at<std::uint8_t>(block, 4 + group * 8 + j % 8) >> (j < 8 ? 0 : 4) & 15;
  const int scale = number_at<std::uint8_t>(block, group), exponent = scale >> 3 & 15;
  const float fraction = static_cast<float>(scale & 7) / 8.0f;
  const float value = exponent == 0 ? std::ldexp(fraction, -6) : std::ldexp(1.0f + fraction, exponent - 7);
  return {std::bit_cast<std::uint32_t>(code < 8 ? kMagnitudes[code] : -kMagnitudes[code - 8]), value / 2};
}

}  // namespace

test::Operand element(Format format, std::span<const std::byte> row, std::uint32_t index) {
  if (format == kQ6K) return element_q6_k(row.subspan(index / 256 * 210), index % 256);
  if (format == kNvfp4) return element_nvfp4(row.subspan(index / 64 * 36), index % 64);
  const std::uint32_t block = index / kPlainGroup * block_bytes(format), within = index % kPlainGroup;
  const auto integer = [](int value) { return std::bit_cast<std::uint32_t>(value); };
  switch (format) {
    case Format::f32:
      return {number_at<std::uint32_t>(row, std::size_t{index} * 4), 0};
    case Format::f16:
      return {
          std::bit_cast<std::uint32_t>(f32_from_f16(number_at<std::uint16_t>(row, std::size_t{index} * 2))),
          0};
    case Format::bf16:
      return {std::uint32_t{number_at<std::uint16_t>(row, std::size_t{index} * 2)} << 16, 0};
    case Format::q8_0:
      return {integer(number_at<std::int8_t>(row, block + 2 + within)),
              f32_from_f16(number_at<std::uint16_t>(row, block))};
    case Format::q4_0: {
      const int pair = number_at<std::uint8_t>(row, block + 2 + within % 16);
      return {integer((within < 16 ? pair & 15 : pair >> 4) - 8),
              f32_from_f16(number_at<std::uint16_t>(row, block))};
    }
    case Format::q8_1:
      return {integer(number_at<std::int8_t>(row, block + 4 + within)),
              f32_from_f16(number_at<std::uint16_t>(row, block)),
              f32_from_f16(number_at<std::uint16_t>(row, block + 2))};
    case Format::q4_1: {
      const int pair = number_at<std::uint8_t>(row, block + 4 + within % 16);
      return {integer(within < 16 ? pair & 15 : pair >> 4),
              f32_from_f16(number_at<std::uint16_t>(row, block)),
              f32_from_f16(number_at<std::uint16_t>(row, block + 2))};
    }
    case Format::q8_k:
      return {integer(number_at<std::int8_t>(row, index / 256 * 292 + 4 + index % 256)),
              number_at<float>(row, index / 256 * 292)};
    case Format::i8:
      return {integer(number_at<std::int8_t>(row, index)), 0};
    case Format::i4: {
      const int pair = number_at<std::uint8_t>(row, index / 2);
      const int nibble = index % 2 == 0 ? pair & 15 : pair >> 4;
      return {integer(nibble < 8 ? nibble : nibble - 16), 0};
    }
    case Format::u8:
    case Format::u32:
      break;
  }
  throw std::invalid_argument("not a format of operands");
}

test::Kind kind_of(Format format) {
  if (format == Format::i8 || format == Format::i4) return test::Kind::integer;
  const bool real = format == Format::f32 || format == Format::f16 || format == Format::bf16;
  return real ? test::Kind::real : test::Kind::scaled;
}

std::uint32_t group_of(Format format) {
  return format == Format::q8_k || format == kQ6K || format == kNvfp4 ? 16 : 32;
}

MultiplyType multiplier(Format one, Format other) {
  for (const Format f : {one, other}) {
    if (f == Format::q4_0 || f == Format::q4_1 || f == Format::i4) return MultiplyType::int4;
  }
  switch (one) {
    case Format::f32:
      return MultiplyType::fp32;
    case Format::f16:
      return MultiplyType::fp16;
    case Format::bf16:
      return MultiplyType::bf16;
    default:
      return MultiplyType::int8;
  }
}

}  // namespace tokencycle::proof
