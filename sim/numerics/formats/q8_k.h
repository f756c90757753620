// SPDX-License-Identifier: Apache-2.0
// q8_k: activations for super-blocks of 256: fp32 d, int8 q[256], int16 sums of 16 q each (292 bytes);
// value = d * q. The sum of a group of 16 values is d * (sum of q), one rounding.
#pragma once

#include "numerics/formats/bytes.h"

namespace tokencycle::formats::q8_k {

inline constexpr std::uint32_t kElements = 256, kGroup = 16, kSums = 4 + kElements;

inline GroupScale unpack(const std::byte* block, std::uint32_t group, std::int8_t* q) {
  float d = 0.0f;
  std::memcpy(&d, block, sizeof d);
  std::memcpy(q, block + 4 + group * kGroup, kGroup);
  const auto sum = static_cast<std::int16_t>(load_u16(block + kSums + 2 * group));
  return {d, d * static_cast<float>(sum)};
}

// To the nearest integer, halves to even; |x| < 2^22.
inline int round_half_even(float x) {
  return static_cast<int>((x + 0x1.8p23f) - 0x1.8p23f);
}

// ggml's quantize_row_q8_K_ref: max = the value with the largest |x| (the first such), 1 / d = -127 / max, q
// = min(127, nearest(x / d)); all zero when max is. As in q8_0, q saturates, NaN gives 0 and a NaN among the
// values makes d one.
inline void encode(const float* x, std::byte* out) {
  float magnitude = 0.0f, extreme = 0.0f;
  for (std::uint32_t i = 0; i < kElements; ++i) {
    const float a = std::bit_cast<float>(magnitude_bits(x[i]));
    if (a <= magnitude || magnitude != magnitude) continue;
    magnitude = a;
    extreme = x[i];
  }
  const float inverse = extreme != 0.0f ? -127.0f / extreme : 0.0f;
  const float d = extreme != 0.0f ? 1.0f / inverse : 0.0f;
  std::memcpy(out, &d, sizeof d);
  for (std::uint32_t g = 0; g < kElements / kGroup; ++g) {
    int sum = 0;
    for (std::uint32_t i = g * kGroup; i < (g + 1) * kGroup; ++i) {
      const int q = round_half_even(saturate(x[i] * inverse, -128.0f, 127.0f));
      out[4 + i] = static_cast<std::byte>(static_cast<std::int8_t>(q));
      sum += q;
    }
    store_u16(out + kSums + 2 * g, static_cast<std::uint16_t>(static_cast<std::int16_t>(sum)));
  }
}

// A granule is 32 q and their two sums.
inline constexpr FormatRow kRow{.name = "q8_k",
                                .ggml = 15,
                                .numbers = Numbers::scaled,
                                .block_elements = kElements,
                                .block_bytes = 292,
                                .group_elements = kGroup,
                                .offset = Offset::sum,
                                .granule_elements = 32,
                                .header_bytes = 4,
                                .decode = decode_groups<kElements, 292, kGroup, unpack, false>,
                                .encode = encode_blocks<kElements, 292, encode>,
                                .unpack = unpack,
                                .unpack_rows = unpack_rows<kElements, 292, kGroup, unpack>};

}  // namespace tokencycle::formats::q8_k
