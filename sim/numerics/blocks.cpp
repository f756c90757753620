// SPDX-License-Identifier: Apache-2.0
#include "numerics/blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "numerics/scalar.h"

namespace tokencycle {
namespace {

using Block = std::array<float, kBlock>;
constexpr std::size_t kScaleBytes = 2;

std::uint16_t load_u16(const std::byte* p) {
  std::uint16_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return v;
}

void store_u16(std::byte* p, std::uint16_t v) {
  std::memcpy(p, &v, sizeof v);
}

// x limited to [low, high]; NaN gives 0.
float saturate(float x, float low, float high) {
  x = x > low ? x : (x == x ? low : 0.0f);
  return x < high ? x : high;
}

// To the nearest integer, half away from zero, as C's roundf; |x| < 2^22. x - trunc(x) is exact.
int round_half_away(float x) {
  const int whole = static_cast<int>(x);
  const float rest = x - static_cast<float>(whole);
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

void decode_q8_0(const std::byte* in, float* out) {
  const float d = f32_from_f16(load_u16(in));
  std::int8_t q[kBlock];
  std::memcpy(q, in + kScaleBytes, sizeof q);
  for (std::uint32_t i = 0; i < kBlock; ++i) out[i] = d * static_cast<float>(q[i]);
}

void decode_q4_0(const std::byte* in, float* out) {
  const float d = f32_from_f16(load_u16(in));
  for (std::uint32_t j = 0; j < kBlock / 2; ++j) {
    const int q = std::to_integer<int>(in[kScaleBytes + j]);
    out[j] = d * static_cast<float>((q & 15) - 8);
    out[j + kBlock / 2] = d * static_cast<float>((q >> 4) - 8);
  }
}

void encode_q8_0(const float* x, std::byte* out) {
  // The largest magnitude as an integer: the bits of non-negative floats are ordered as the floats are,
  // and NaN is above all, so that d carries it.
  std::int32_t largest = 0;
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF);
  }
  const float d = std::bit_cast<float>(largest) / 127.0f;
  const float id = d != 0.0f ? 1.0f / d : 0.0f;
  store_u16(out, f16_from_f32(d));
  std::int8_t q[kBlock];
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    q[i] = static_cast<std::int8_t>(round_half_away(saturate(x[i] * id, -127.0f, 127.0f)));
  }
  std::memcpy(out + kScaleBytes, q, sizeof q);
}

void encode_q4_0(const float* x, std::byte* out) {
  float magnitude = 0.0f, extreme = 0.0f;
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    const float a = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFu);
    if (a <= magnitude || magnitude != magnitude) continue;
    magnitude = a;
    extreme = x[i];
  }
  const float d = extreme / -8.0f;
  const float id = d != 0.0f ? 1.0f / d : 0.0f;
  store_u16(out, f16_from_f32(d));
  const auto quantize = [id](float v) { return static_cast<int>(saturate(v * id + 8.5f, 0.0f, 15.0f)); };
  for (std::uint32_t j = 0; j < kBlock / 2; ++j) {
    out[kScaleBytes + j] = static_cast<std::byte>(quantize(x[j]) | quantize(x[j + kBlock / 2]) << 4);
  }
}

// Elements [first, first + out.size()): whole blocks straight into `out`, ragged ends through a copy.
template <auto kDecodeBlock, std::uint32_t kBytes>
void decode_blocks(const std::byte* row, std::uint64_t first, std::span<float> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t element = first + done;
    const std::size_t offset = element % kBlock;
    const std::byte* block = row + element / kBlock * kBytes;
    const std::size_t n = std::min<std::size_t>(kBlock - offset, out.size() - done);
    if (n == kBlock) {
      kDecodeBlock(block, out.data() + done);
    } else {
      Block values;
      kDecodeBlock(block, values.data());
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(offset), n, out.data() + done);
    }
    done += n;
  }
}

[[noreturn]] void refuse(const char* what, Format f) {
  throw std::invalid_argument(std::string(what) + " of format " + std::string(name_of(f)) +
                              ", which does not hold numbers to compute with");
}

void check_decode(Format f, std::size_t bytes, std::uint64_t first, std::size_t count) {
  const std::uint64_t held = bytes / block_bytes(f) * block_elements(f);
  if (first <= held && count <= held - first) return;
  throw std::invalid_argument("decode_row: elements " + std::to_string(first) + " to " +
                              std::to_string(first + count) + " of a " + std::string(name_of(f)) +
                              " row that holds " + std::to_string(held));
}

void check_encode(Format f, std::size_t count, std::size_t bytes) {
  if (count % block_elements(f) == 0 && bytes == row_bytes(f, count)) return;
  throw std::invalid_argument("encode_row: " + std::to_string(count) + " values into " +
                              std::to_string(bytes) + " bytes of " + std::string(name_of(f)) + " (" +
                              std::to_string(block_bytes(f)) + " bytes hold " +
                              std::to_string(block_elements(f)) + ")");
}

}  // namespace

void decode_row(Format f, std::span<const std::byte> row, std::uint64_t first, std::span<float> out) {
  check_decode(f, row.size(), first, out.size());
  if (out.empty()) return;
  switch (f) {
    case Format::f32:
      std::memcpy(out.data(), row.data() + first * 4, out.size_bytes());
      return;
    case Format::f16: {
      const std::byte* in = row.data() + first * 2;
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = f32_from_f16(load_u16(in + 2 * i));
      return;
    }
    case Format::bf16: {
      const std::byte* in = row.data() + first * 2;
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = f32_from_bf16(load_u16(in + 2 * i));
      return;
    }
    case Format::q8_0:
      return decode_blocks<decode_q8_0, block_bytes(Format::q8_0)>(row.data(), first, out);
    case Format::q4_0:
      return decode_blocks<decode_q4_0, block_bytes(Format::q4_0)>(row.data(), first, out);
    case Format::i8:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int8_t>(row[first + i]);
      return;
    case Format::i4:
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto pair = std::to_integer<int>(row[(first + i) / 2]);
        const int nibble = (first + i) % 2 == 0 ? pair & 15 : pair >> 4;
        out[i] = static_cast<float>(nibble < 8 ? nibble : nibble - 16);
      }
      return;
    case Format::u8:
    case Format::u32:
      break;
  }
  refuse("decode_row", f);
}

void encode_row(Format f, std::span<const float> values, std::span<std::byte> row) {
  check_encode(f, values.size(), row.size());
  if (values.empty()) return;
  switch (f) {
    case Format::f32:
      std::memcpy(row.data(), values.data(), values.size_bytes());
      return;
    case Format::f16:
      for (std::size_t i = 0; i < values.size(); ++i) store_u16(row.data() + 2 * i, f16_from_f32(values[i]));
      return;
    case Format::bf16:
      for (std::size_t i = 0; i < values.size(); ++i) store_u16(row.data() + 2 * i, bf16_from_f32(values[i]));
      return;
    case Format::q8_0:
      for (std::size_t i = 0; i < values.size(); i += kBlock) {
        encode_q8_0(values.data() + i, row.data() + i / kBlock * block_bytes(f));
      }
      return;
    case Format::q4_0:
      for (std::size_t i = 0; i < values.size(); i += kBlock) {
        encode_q4_0(values.data() + i, row.data() + i / kBlock * block_bytes(f));
      }
      return;
    case Format::u8:
    case Format::u32:
    case Format::i8:
    case Format::i4:
      break;
  }
  refuse("encode_row", f);
}

}  // namespace tokencycle
