// SPDX-License-Identifier: Apache-2.0
// Does an independent engine decode and quantize as this project does, bit for bit? Opt-in: skipped where
// its library (ggml's, from npm; scripts/npm_packages.sh) is not there.
#include <dlfcn.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "numerics/blocks.h"

using namespace tokencycle;

namespace {

class Engine {
 public:
  Engine() {
    const char* chosen = std::getenv("TOKENCYCLE_GGML");
    const std::string path = chosen != nullptr ? chosen
                                               : TOKENCYCLE_SOURCE_DIR
                                 "/build/npm/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so";
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    if (library_ != nullptr) dlclose(library_);
  }
  bool there() const { return library_ != nullptr; }

  // The function of `name`, for example dequantize_row_q4_K; absent for plain formats.
  template <class Function>
  Function function(const std::string& name) const {
    return reinterpret_cast<Function>(dlsym(library_, name.c_str()));
  }

 private:
  void* library_ = nullptr;
};

// Blocks of arbitrary bytes in whose places stand, one after the other, odd ones: zero, greatest and infinite
// fp16 scales of either sign, bytes that are the ends of other scales.
std::vector<std::byte> odd_blocks(const FormatRow& r, std::mt19937& random) {
  constexpr std::uint16_t kHalves[] = {0, 0x8000, 1, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00};
  constexpr std::uint8_t kBytes[] = {0, 1, 2, 0x7E, 0x7F, 0x80, 0xFE, 0xFF};
  std::vector<std::byte> row;
  const auto block = [&](std::size_t at, const void* value, std::size_t size) {
    const std::size_t begin = row.size();
    for (std::uint32_t i = 0; i < r.block_bytes; ++i) row.push_back(static_cast<std::byte>(random()));
    std::memcpy(row.data() + begin + at, value, size);
  };
  for (std::size_t at = 0; at + 1 < r.block_bytes; ++at) {
    for (const std::uint16_t half : kHalves) block(at, &half, sizeof half);
  }
  for (std::size_t at = 0; at < r.block_bytes; ++at) {
    for (const std::uint8_t byte : kBytes) block(at, &byte, sizeof byte);
  }
  for (int value = 0; value < 256; ++value)
    row.insert(row.end(), r.block_bytes, static_cast<std::byte>(value));
  return row;
}

using Decode = void (*)(const void* in, float* out, std::int64_t count);
using Encode = void (*)(const float* in, void* out, std::int64_t count);

std::string engine_name(std::string_view format) {
  std::string name(format);
  if (name.ends_with("_k")) name.back() = 'K';
  return name;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y) || (x != x && y != y);
  });
}

}  // namespace

TEST_CASE("every block format decodes as the engine does, whatever the bytes") {
  const Engine engine;
  if (!engine.there()) {
    WARN("the engine's library is not there");
    return;
  }
  std::mt19937 random(20);
  int compared = 0;
  for (const FormatRow& r : kFormatTable) {
    if (r.numbers != Numbers::scaled) continue;
    const auto theirs = engine.function<Decode>("dequantize_row_" + engine_name(r.name));
    if (theirs == nullptr) continue;  // activations: q8_1
    const std::vector<std::byte> row = odd_blocks(r, random);
    std::vector<float> ours(row.size() / r.block_bytes * r.block_elements), engines(ours.size());
    r.decode(row.data(), row.size() / r.block_bytes, ours.data());
    theirs(row.data(), engines.data(), static_cast<std::int64_t>(engines.size()));
    CAPTURE(r.name);
    REQUIRE(same_bits(ours, engines));
    ++compared;
  }
  CHECK(compared == 19);
}

TEST_CASE("the quantizers give the engine's bytes") {
  const Engine engine;
  if (!engine.there()) {
    WARN("the engine's library is not there");
    return;
  }
  std::mt19937 random(21);
  int compared = 0;
  for (const FormatRow& r : kFormatTable) {
    if (r.numbers != Numbers::scaled || r.encode == nullptr) continue;
    const auto theirs = engine.function<Encode>("quantize_row_" + engine_name(r.name) + "_ref");
    REQUIRE(theirs != nullptr);
    for (int trial = 0; trial < 300; ++trial) {
      std::normal_distribution<float> values(0.0f, std::ldexp(1.0f, trial % 24 - 12));
      std::vector<float> x(2 * r.block_elements);
      for (float& v : x)
        v = trial == 0 ? 0.0f : trial % 7 == 1 ? std::round(4 * values(random)) : values(random);
      std::vector<std::byte> ours(2 * r.block_bytes), engines(ours.size());
      r.encode(x.data(), 2, ours.data());
      theirs(x.data(), engines.data(), static_cast<std::int64_t>(x.size()));
      CAPTURE(r.name, trial);
      REQUIRE(std::memcmp(ours.data(), engines.data(), ours.size()) == 0);
    }
    ++compared;
  }
  CHECK(compared >= 4);
}
