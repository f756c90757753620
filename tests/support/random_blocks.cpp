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
    {"mxfp4", -1, -1, 0, 0},
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
    if (halves->format == "mxfp4") out[0] = static_cast<std::byte>(124 + std::ilogb(magnitude + 0x1p-60f));
  }
}

}  // namespace tokencycle::test
