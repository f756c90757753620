// SPDX-License-Identifier: Apache-2.0
#include "support/random_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "numerics/scalar.h"

namespace tokencycle::test {

namespace {

// The fp16 numbers of a block: where they are, and what they are for values of magnitude 1.
struct Halves {
  std::string_view format;
  int scale, minimum;  // bytes from the block's begin; -1: none
  float unit, offset;
};
constexpr Halves kHalves[] = {
    {"q4_k", 0, 2, 1.0f / (63 * 7), 7.0f / (63 * 7)},
    {"q5_k", 0, 2, 1.0f / (63 * 15), 15.0f / (63 * 15)},
    {"q6_k", 208, -1, 1.0f / (127 * 31), 0},
    {"q2_k", 80, 82, 1.0f / 22, 1.0f / 15},
    {"q3_k", 108, -1, 1.0f / (31 * 4), 0},
    {"q5_0", 0, -1, 1.0f / 16, 0},
    {"q5_1", 0, 2, 1.0f / 16, -1},
    {"iq4_xs", 0, -1, 1.0f / (32 * 127), 0},
    {"tq1_0", 52, -1, 1.0f, 0},
    {"tq2_0", 64, -1, 1.0f, 0},
    {"q1_0", 0, -1, 1.0f, 0},
    {"q2_0", 0, -1, 1.0f, 0},
    {"mxfp4", -1, -1, 0, 0},
    {"nvfp4", -1, -1, 0, 0},
    {"", 0, -1, 1.0f / 127, 0},  // all others
};

}  // namespace

void make_blocks(Format f, std::span<const float> values, std::span<std::byte> row) {
  const auto* halves = std::find_if(std::begin(kHalves), std::end(kHalves) - 1,
                                    [f](const Halves& h) { return h.format == name_of(f); });
  const std::uint32_t elements = block_elements(f), bytes = block_bytes(f);
  for (std::size_t b = 0; b < row.size() / bytes; ++b) {
    const std::span<const float> block = values.subspan(b * elements, elements);
    std::byte* out = row.data() + b * bytes;
    std::uint32_t seed = 1;
    float magnitude = 0.0f;
    for (const float v : block) {
      seed = seed * 31 + std::bit_cast<std::uint32_t>(v);
      magnitude = std::max(magnitude, std::fabs(v));
    }
    std::mt19937 random(seed);
    for (std::uint32_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(random());
    const auto put = [&](int at, float value) {
      const std::uint16_t bits = f16_from_f32(value);
      if (at >= 0) std::memcpy(out + at, &bits, sizeof bits);
    };
    put(halves->scale, magnitude * halves->unit);
    put(halves->minimum, magnitude * halves->offset);
    const int exponent = std::ilogb(magnitude + 0x1p-60f);
    if (halves->format == "mxfp4") out[0] = static_cast<std::byte>(124 + exponent);
    if (halves->format != "nvfp4") continue;
    for (int g = 0; g < 4; ++g) {
      const int code = std::clamp(5 + exponent, 0, 14) << 3 | std::to_integer<int>(out[g] & std::byte{7});
      out[g] = static_cast<std::byte>(code);
    }
  }
}

}  // namespace tokencycle::test
