// SPDX-License-Identifier: Apache-2.0
// Does a damaged file ever do anything but load or be refused with an error of this project?
#include <catch2/catch.hpp>
#include <random>

#include "base/error.h"
#include "model/architecture.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using namespace tokencycle::test;

namespace {

// A small file with every kind of metadata in it; the data section is a few kilobytes.
std::vector<std::byte> small_model(SyntheticTokenizer tokenizer) {
  SyntheticModel spec;
  spec.layers = 1;
  spec.width = spec.feed_forward = 32;
  spec.context = 16;
  spec.vocabulary = tokenizer == SyntheticTokenizer::none ? 8 : 259;
  spec.matrices = Format::q4_0;
  spec.rope_factors = true;
  spec.tokenizer = tokenizer;
  return synthetic_gguf(spec).bytes();
}

// True when the file loads; false when it is refused. Any other exception or a crash fails the test.
bool loads(const TemporaryFile& file) {
  try {
    const LlamaModel model(GgufFile(file.path()));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("a file cut at any byte is refused as a model error") {
  const std::vector<std::byte> whole = small_model(SyntheticTokenizer::none);
  const TemporaryFile file(whole);
  REQUIRE(loads(file));
  for (std::size_t length = 0; length < whole.size(); length += length < 3072 ? 1 : 61) {
    file.write(std::span(whole).first(length));
    INFO("cut to " << length << " of " << whole.size() << " bytes");
    CHECK_THROWS_AS(GgufFile(file.path()), ModelError);
  }
}

TEST_CASE("random damage loads or is refused") {
  const auto tokenizer = GENERATE(SyntheticTokenizer::none, SyntheticTokenizer::llama);
  const std::vector<std::byte> whole = small_model(tokenizer);
  const TemporaryFile file(whole);
  REQUIRE(loads(file));
  std::mt19937 random(20240601);
  int loaded = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> damaged = whole;
    const std::size_t reach = round % 4 == 0 ? whole.size() : std::min<std::size_t>(whole.size(), 2048);
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      damaged[random() % reach] ^= static_cast<std::byte>(1 + random() % 255);
    }
    file.write(damaged);
    (loads(file) ? loaded : refused) += 1;
  }
  CHECK(loaded >
        100);  // both outcomes are reached: damage to weights loads, damage to the directory does not
  CHECK(refused > 100);
}
