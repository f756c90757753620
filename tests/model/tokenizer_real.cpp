// SPDX-License-Identifier: Apache-2.0
// Do real vocabularies give llama.cpp's ids? The data lies beside the project; without it there is nothing to
// ask.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

const std::filesystem::path kModels = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "../shared/models";

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

bool absent(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return false;
  WARN("skipped: " << path << " does not exist");
  return true;
}

std::vector<std::string> cases(const std::filesystem::path& path) {
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  const std::string all = contents(path);
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (std::size_t end; (end = all.find(kSeparator, at)) != std::string::npos; at = end + kSeparator.size()) {
    texts.push_back(all.substr(at, end - at));
  }
  return texts;
}

std::vector<Ids> expected_ids(const std::filesystem::path& path) {
  std::istringstream lines(contents(path));
  std::vector<Ids> all;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    all.emplace_back(std::istream_iterator<model::TokenId>(numbers), std::istream_iterator<model::TokenId>());
  }
  return all;
}

void check_vocabulary(const std::string& name) {
  const std::filesystem::path path = kModels / "vocab" / name;
  if (absent(path)) return;
  const auto tokenizer = model::make_tokenizer(model::GgufFile(path));
  const std::vector<std::string> texts = cases(path.string() + ".inp");
  const std::vector<Ids> expected = expected_ids(path.string() + ".out");
  REQUIRE(texts.size() == expected.size());
  REQUIRE(texts.size() > 40);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    INFO("case " << i << ": \"" << texts[i] << '"');
    CHECK(tokenizer->encode(texts[i], false, false) == expected[i]);
    CHECK(tokenizer->decode(expected[i]) == texts[i]);
  }
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 48, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 256);
    if (tokenizer->decode(tokenizer->encode(bytes, true, false)) != bytes) FAIL("lost random text " << i);
  }
}

}  // namespace

TEST_CASE("Llama 2's vocabulary gives llama.cpp's ids", "[tokenizer]") {
  check_vocabulary("ggml-vocab-llama-spm.gguf");
}

TEST_CASE("GPT-2's vocabulary gives llama.cpp's ids", "[tokenizer]") {
  check_vocabulary("ggml-vocab-gpt-2.gguf");
}

TEST_CASE("the story model's vocabulary of 512 tokens there and back", "[tokenizer]") {
  const std::filesystem::path path = kModels / "stories260K-q8_0.gguf";
  if (absent(path)) return;
  const auto tokenizer = model::make_tokenizer(model::GgufFile(path));
  CHECK(tokenizer->size() == 512);
  CHECK(tokenizer->special().add_bos);
  const std::string text = "Once upon a time";
  const Ids ids = tokenizer->encode(text, true, false);
  REQUIRE(!ids.empty());
  CHECK(ids.front() == 1);
  CHECK(ids.size() < text.size());
  CHECK(tokenizer->decode(ids) == text);
  CHECK(tokenizer->ends_text(2));
}
