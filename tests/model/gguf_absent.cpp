// SPDX-License-Identifier: Apache-2.0
// Is a file without its tensors' bytes read as far as it goes, and refused where they are needed?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using test::TemporaryFile;

namespace {

GgufFile open_absent(std::span<const std::byte> bytes) {
  return GgufFile(TemporaryFile(bytes).path(), TensorData::absent);
}

}  // namespace

TEST_CASE("a file that ends behind its directory has the tensors of the whole one, without bytes") {
  const std::vector<std::byte> bytes = test::synthetic_gguf({.matrices = Format::q8_0}).bytes();
  const GgufFile whole(TemporaryFile(bytes).path());
  const auto start = static_cast<std::size_t>(whole.data_start());
  CHECK(whole.tensor_data().size() == whole.data_bytes());
  for (const std::size_t size : {start, start + 1, bytes.size() - 1, bytes.size()}) {
    CAPTURE(size, bytes.size());
    const GgufFile cut = open_absent(std::span(bytes).first(size));
    CHECK(cut.data() == TensorData::absent);
    CHECK(cut.tensor_data().empty());
    CHECK(cut.data_start() == whole.data_start());
    CHECK(cut.data_bytes() == whole.data_bytes());
    REQUIRE(cut.tensors().size() == whole.tensors().size());
    for (std::size_t i = 0; i < whole.tensors().size(); ++i) {
      CHECK(cut.tensors()[i].file_offset == whole.tensors()[i].file_offset);
      CHECK(cut.tensors()[i].bytes == whole.tensors()[i].bytes);
      CHECK(cut.tensors()[i].data.empty());
    }
    CHECK(cut.digest() == open_absent(bytes).digest());
    CHECK(cut.digest() != whole.digest());
  }
}

TEST_CASE("a file that ends within its directory is refused") {
  const std::vector<std::byte> bytes = test::synthetic_gguf({}).bytes();
  const auto start = static_cast<std::size_t>(GgufFile(TemporaryFile(bytes).path()).data_start());
  for (std::size_t size = 0; size + 32 < start; size += 97) {
    CAPTURE(size);
    CHECK_THROWS_AS(open_absent(std::span(bytes).first(size)), ModelError);
  }
}

TEST_CASE("a header is refused where its tensors' bytes are needed") {
  const std::vector<std::byte> bytes = test::synthetic_gguf({}).bytes();
  const auto start = static_cast<std::size_t>(GgufFile(TemporaryFile(bytes).path()).data_start());
  const TemporaryFile file{std::span(bytes).first(start)};
  CHECK_THROWS_WITH(GgufFile(file.path()), Contains("truncated"));
}

TEST_CASE("tensors beyond any memory, or on top of each other, are refused in a header too") {
  const std::vector<std::byte> data(128);
  test::GgufWriter far, overlapping;
  far.tensor("far", {32}, 0, data, std::uint64_t{1} << 47);
  CHECK_THROWS_WITH(open_absent(far.bytes()), Contains("'far'") && Contains("beyond the 70368744177664"));
  overlapping.tensor("a", {32}, 0, data, 0).tensor("b", {32}, 0, data, 64);
  CHECK_THROWS_WITH(open_absent(overlapping.bytes()), Contains("inside tensor 'a'"));
}

TEST_CASE("any damaged header is refused or read, and nothing else happens") {
  std::vector<std::byte> bytes =
      test::synthetic_gguf({.layers = 1, .tokenizer = test::SyntheticTokenizer::none}).bytes();
  bytes.resize(GgufFile(TemporaryFile(bytes).path()).data_start());
  std::size_t refused = 0, read = 0;
  std::uint64_t random = 1;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<std::byte> damaged = bytes;
    random = random * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
    damaged[(random >> 33) % damaged.size()] = static_cast<std::byte>(random >> 25);
    try {
      const LlamaModel model(open_absent(damaged));
      ++read;
    } catch (const ModelError&) {
      ++refused;
    }
  }
  CHECK(refused > 0);
  CHECK(read > 0);
}

TEST_CASE("a model without tensor data has the graph of the whole one and no rotary table") {
  const std::vector<std::byte> bytes = test::synthetic_gguf({.rope_factors = true}).bytes();
  const LlamaModel whole{GgufFile(TemporaryFile(bytes).path())};
  const LlamaModel without(open_absent(bytes));
  REQUIRE(without.graph().operators.size() == whole.graph().operators.size());
  CHECK(without.rotary_table(without.graph().rotary_tables.begin()->first).empty());
  CHECK_FALSE(whole.rotary_table(whole.graph().rotary_tables.begin()->first).empty());
  for (std::size_t i = 0; i < whole.graph().operators.size(); ++i) {
    CHECK(without.graph().operators[i].name == whole.graph().operators[i].name);
    if (whole.graph().operators[i].weight == nullptr) continue;
    CHECK(without.graph().operators[i].weight->offset == whole.graph().operators[i].weight->offset);
    CHECK(without.graph().operators[i].weight->data.empty());
  }
}
