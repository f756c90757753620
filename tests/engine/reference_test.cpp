// SPDX-License-Identifier: Apache-2.0
// Does the reference agree with the independent engine on real models, logit by logit?
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/comparison.h"
#include "engine/engine.h"
#include "model/tokenizer/tokenizer.h"

using namespace tokencycle;

namespace {

const std::filesystem::path kRoot = TOKENCYCLE_SOURCE_DIR;
const std::filesystem::path kStories = kRoot / "../shared/models";

bool absent(const std::filesystem::path& file) {
  if (!engine::processor_has_avx2()) {
    WARN("skipped: this processor lacks AVX2, and the engine's other code gives other logits");
    return true;
  }
  if (std::filesystem::exists(file)) return false;
  WARN("skipped: " << file << " does not exist");
  return true;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Case {
  std::filesystem::path file;
  double logits;  // the largest difference of a logit, and the
  double margin;  // largest distance of the engine's two best where the tokens differ: README.md here
  std::vector<std::string> prompts;
  int steps;
};

const std::vector<std::string> kStoryPrompts = {"Once upon a time", "The little dog", "Lily and Tom"};
const std::vector<std::string> kNovelPrompts = {"Captain Wentworth",
                                                "\"My dear Mr. Bennet,\" said his lady to him one day,"};

}  // namespace

TEST_CASE("logits and greedy tokens are the independent engine's, as far as it agrees with itself") {
  const Case model = GENERATE(Case{kStories / "stories260K-f32.gguf", 0.05, 0.02, kStoryPrompts, 100},
                              Case{kStories / "stories260K-f16.gguf", 0.05, 0.02, kStoryPrompts, 100},
                              Case{kStories / "stories260K-q8_0.gguf", 0.5, 0.1, kStoryPrompts, 100},
                              Case{kStories / "stories260K-q4_0.gguf", 0.5, 0.1, kStoryPrompts, 100},
                              Case{kRoot / "models/austen-2.9m-q8_0.gguf", 0.25, 0.1, kNovelPrompts, 64},
                              Case{kRoot / "models/austen-2.9m-q4_0.gguf", 0.25, 0.1, kNovelPrompts, 64},
                              Case{kRoot / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf",
                                   1.5,
                                   0.5,
                                   {"The capital of France is"},
                                   20});
  if (absent(model.file)) return;
  const auto tokenizer = model::make_tokenizer(model::GgufFile(model.file));
  for (const std::string& prompt : model.prompts) {
    const auto result =
        engine::compare_greedy(model.file, tokenizer->encode(prompt, true, true), model.steps);
    CAPTURE(model.file, prompt, result.steps, result.equal_steps, result.different, result.largest_margin,
            result.largest_difference);
    CHECK(result.steps > 8);
    CHECK(result.largest_difference < model.logits);
    CHECK(result.largest_margin < model.margin);
  }
}

namespace {

// No farther from the engine than its own ways of computing attention are from each other, and no bias.
void check_text(const engine::TextComparison& result) {
  CHECK(result.logits < 1.15 * result.own_logits);
  CHECK(std::abs(std::log(result.reference / result.engine)) < 4 * result.standard_error);
}

}  // namespace

TEST_CASE("along a text the reference is no farther from the engine than the engine from itself") {
  const auto [file, text] =
      GENERATE(std::pair{kStories / "stories260K-f32.gguf", kStories / "story_sample.txt"},
               std::pair{kStories / "stories260K-q8_0.gguf", kStories / "story_sample.txt"},
               std::pair{kStories / "stories260K-q4_0.gguf", kStories / "story_sample.txt"},
               std::pair{kRoot / "models/austen-2.9m-q8_0.gguf", kRoot / "models/heldout.txt"},
               std::pair{kRoot / "models/austen-2.9m-q4_0.gguf", kRoot / "models/heldout.txt"});
  if (absent(file)) return;
  const auto result = engine::compare_text(file, contents(text), 256);
  CAPTURE(file, result.reference, result.engine, result.standard_error, result.logits, result.own_logits);
  check_text(result);
}

TEST_CASE("with an f32 cache and f32 weights the reference is the engine without flash attention") {
  const std::filesystem::path file = kStories / "stories260K-f32.gguf";
  if (absent(file)) return;
  const auto tokenizer = model::make_tokenizer(model::GgufFile(file));
  const auto result = engine::compare_greedy(file, tokenizer->encode(kStoryPrompts[0], true, true), 100,
                                             {.flash_attention = false, .f32_cache = true});
  CAPTURE(result.steps, result.different, result.largest_difference);
  CHECK(result.steps > 8);
  CHECK(result.different == 0);
  CHECK(result.largest_difference < 0.0005);
}

namespace {

struct Kind {
  const char* name;
  int type;  // of enum llama_ftype
  double logits = 0.35, margin = 0.1;
};
// Rows of 256 and 512: every matrix is in the format that the file is named after, or a k-quant beside it.
const std::vector<Kind> kKinds = {{"F16", 1},
                                  {"BF16", 32},
                                  {"Q4_1", 3},
                                  {"Q5_0", 8},
                                  {"Q5_1", 9},
                                  {"Q2_K", 10},
                                  {"Q3_K_M", 12},
                                  {"Q4_K_M", 15},
                                  {"Q5_K_M", 17},
                                  {"Q6_K", 18},
                                  {"IQ4_NL", 25},
                                  {"IQ4_XS", 30},
                                  {"Q1_0", 40},
                                  // Of weights that were not trained to be ternary little is left.
                                  {"Q2_0", 41, 0.5},
                                  {"TQ1_0", 36, 1.0, 0.2},
                                  {"TQ2_0", 37, 1.0, 0.2}};
const std::filesystem::path kBundled = kRoot / "models/austen-2.9m-q8_0.gguf";

// The bundled model as the engine quantizes it, for as long as this lives.
class Quantized {
 public:
  explicit Quantized(const Kind& kind)
      : file_(std::filesystem::temp_directory_path() /
              fmt::format("tokencycle-{}-{}.gguf", kind.name, ::getpid())) {
    engine::quantize_file(kBundled, file_, kind.type);
  }
  Quantized(const Quantized&) = delete;
  Quantized& operator=(const Quantized&) = delete;
  ~Quantized() { std::filesystem::remove(file_); }
  const std::filesystem::path& path() const { return file_; }

 private:
  std::filesystem::path file_;
};

}  // namespace

TEST_CASE("files that the independent engine quantizes mean to the reference what they mean to it") {
  if (absent(kBundled)) return;
  for (const Kind& kind : kKinds) {
    const Quantized file(kind);
    const auto tokenizer = model::make_tokenizer(model::GgufFile(file.path()));
    const auto result =
        engine::compare_greedy(file.path(), tokenizer->encode(kNovelPrompts[0], true, true), 32);
    CAPTURE(kind.name, result.steps, result.equal_steps, result.different, result.largest_margin,
            result.largest_difference);
    CHECK(result.steps > 8);
    CHECK(result.largest_difference < kind.logits);
    CHECK(result.largest_margin < kind.margin);
  }
}

TEST_CASE("along a text such files are no farther from the engine than it from itself", "[.long]") {
  if (absent(kBundled)) return;
  for (const Kind& kind : kKinds) {
    const Quantized file(kind);
    const auto result = engine::compare_text(file.path(), contents(kRoot / "models/heldout.txt"), 256);
    CAPTURE(kind.name, result.reference, result.engine, result.standard_error, result.logits,
            result.own_logits);
    check_text(result);
  }
}
