// SPDX-License-Identifier: Apache-2.0
// Parts that the block formats share.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "numerics/formats/row.h"
#include "numerics/scalar.h"

namespace tokencycle::formats {

inline std::uint16_t load_u16(const std::byte* p) {
  std::uint16_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store_u16(std::byte* p, std::uint16_t v) {
  std::memcpy(p, &v, sizeof v);
}

inline float load_half(const std::byte* p) {
  return f32_from_f16(load_u16(p));
}

// Eight bytes at once, each a number below 128 of its own.
inline std::uint64_t load_eight(const std::byte* p) {
  std::uint64_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store_eight(std::int8_t* q, std::uint64_t v) {
  std::memcpy(q, &v, sizeof v);
}
constexpr std::uint64_t each(std::uint64_t byte) {
  return byte * 0x0101010101010101u;
}
// Each byte less `byte`, at most 128: the top bits keep what is borrowed.
constexpr std::uint64_t less_each(std::uint64_t v, std::uint64_t byte) {
  return ((v | each(0x80)) - each(byte)) ^ each(0x80);
}
// Bit j of eight as byte j, 0 or 1: in byte j only bit j is kept, and what is added carries it to the top.
constexpr std::uint64_t spread_bits(std::uint64_t eight) {
  return ((eight * each(1) & 0x8040201008040201u) + 0x00406070787c7e7fu) >> 7 & each(1);
}

// Halves of bytes, as most formats of 4 bits have them: byte j holds element j in its low half and element j
// + kBytes in its high half. `number` makes q of a half.
template <std::uint32_t kBytes, class Number>
void unpack_halves(const std::byte* in, std::int8_t* q, const Number& number) {
  for (std::uint32_t j = 0; j < kBytes; ++j) {
    const int pair = std::to_integer<int>(in[j]);
    q[j] = static_cast<std::int8_t>(number(pair & 15));
    q[j + kBytes] = static_cast<std::int8_t>(number(pair >> 4));
  }
}
template <std::uint32_t kBytes, class Half>
void pack_halves(const float* x, std::byte* out, const Half& half) {
  for (std::uint32_t j = 0; j < kBytes; ++j) {
    out[j] = static_cast<std::byte>(half(x[j]) | half(x[j + kBytes]) << 4);
  }
}

// The same where a half chooses one of 16 numbers: those of both halves, for every byte.
using HalfNumbers = std::array<std::array<std::int8_t, 2>, 256>;
constexpr HalfNumbers numbers_of_halves(const std::array<std::int8_t, 16>& numbers) {
  HalfNumbers both{};
  for (std::size_t byte = 0; byte < both.size(); ++byte)
    both[byte] = {numbers[byte % 16], numbers[byte / 16]};
  return both;
}
template <std::uint32_t kBytes>
void choose_halves(const std::byte* in, std::int8_t* q, const HalfNumbers& numbers) {
  for (std::uint32_t j = 0; j < kBytes; ++j) {
    const auto [low, high] = numbers[std::to_integer<std::size_t>(in[j])];
    q[j] = low;
    q[j + kBytes] = high;
  }
}

// x limited to [low, high]; NaN gives 0.
inline float saturate(float x, float low, float high) {
  x = x > low ? x : (x == x ? low : 0.0f);
  return x < high ? x : high;
}

// To the nearest integer, half away from zero, as C's roundf; |x| < 2^22. x - trunc(x) is exact.
inline int round_half_away(float x) {
  const int whole = static_cast<int>(x);
  const float rest = x - static_cast<float>(whole);
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

// |x| as an integer: the bits of non-negative floats are ordered as the floats are, and NaN is above all.
inline std::int32_t magnitude_bits(float x) {
  return std::bit_cast<std::int32_t>(x) & 0x7FFFFFFF;
}

// The largest magnitude of `count` values; a NaN when there is one.
inline float largest_magnitude(const float* x, std::uint32_t count) {
  std::int32_t largest = 0;
  for (std::uint32_t i = 0; i < count; ++i) largest = std::max(largest, magnitude_bits(x[i]));
  return std::bit_cast<float>(largest);
}

// Whole blocks of a scaled format as fp32: scale * q, plus the minimum where there is one. This is how ggml's
// dequantize_row_* computes, two roundings.
template <std::uint32_t kElements, std::uint32_t kBytes, std::uint32_t kGroup, auto kUnpack, bool kMinimum>
void decode_groups(const std::byte* in, std::size_t blocks, float* out) {
  for (std::size_t b = 0; b < blocks; ++b, in += kBytes) {
    for (std::uint32_t g = 0; g < kElements / kGroup; ++g, out += kGroup) {
      std::int8_t q[kGroup];
      const GroupScale s = kUnpack(in, g, q);
      for (std::uint32_t i = 0; i < kGroup; ++i) {
        const float product = s.scale * static_cast<float>(q[i]);
        out[i] = kMinimum ? product + s.offset : product;
      }
    }
  }
}

// unpack_groups() of blocks.h.
template <std::uint32_t kElements, std::uint32_t kBytes, std::uint32_t kGroup, auto kUnpack>
void unpack_rows(const GroupRows& rows, std::int8_t* __restrict q, float* __restrict scales,
                 float* __restrict offsets) {
  constexpr std::uint32_t kGroups = kElements / kGroup;
  for (std::uint32_t g = 0; g < rows.groups; ++g) {
    const std::uint32_t group = rows.first + g;
    const std::byte* block = rows.bytes + std::size_t{group / kGroups} * kBytes;
    std::int8_t* out = q + std::size_t{g} * kGroup;
    for (std::uint32_t r = 0; r < rows.rows;
         ++r, block += rows.stride, out += std::size_t{rows.groups} * kGroup) {
      const GroupScale scale = kUnpack(block, group % kGroups, out);
      *scales++ = scale.scale;
      *offsets++ = scale.offset;
    }
  }
}

// Whole blocks, one call a block.
template <std::uint32_t kElements, std::uint32_t kBytes, auto kEncode>
void encode_blocks(const float* in, std::size_t blocks, std::byte* out) {
  for (std::size_t b = 0; b < blocks; ++b) kEncode(in + b * kElements, out + b * kBytes);
}

}  // namespace tokencycle::formats
