// SPDX-License-Identifier: Apache-2.0
// The bundled model: recorded figures, exact because everything is deterministic.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "model/reference/reference.h"
#include "model/tokenizer/tokenizer.h"
#include "trial.h"

using namespace tokencycle;

namespace {

const std::string kModels = std::string(TOKENCYCLE_SOURCE_DIR) + "/models/";

// Perplexity of a bundled model over the first windows of models/heldout.txt, by the reference.
double perplexity_of(const std::string& file, std::uint32_t window) {
  const model::LlamaModel model{model::GgufFile(kModels + file)};
  const auto tokenizer = model::make_tokenizer(model.file());
  std::ifstream in(kModels + "heldout.txt", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  model::Reference reference(model, Format::f16);
  return model::perplexity(*tokenizer, text.str(), window,
                           [&](std::span<const model::TokenId> tokens) {
                             reference.reset();
                             std::vector<std::vector<float>> logits;
                             for (const model::TokenId t : tokens) {
                               const auto row = reference.step(t);
                               logits.emplace_back(row.begin(), row.end());
                             }
                             return logits;
                           })
      .value;
}

}  // namespace

TEST_CASE("the bundled models have their recorded perplexity over the held-out passage") {
  const double q8_0 = perplexity_of("austen-2.9m-q8_0.gguf", 256);
  const double q4_0 = perplexity_of("austen-2.9m-q4_0.gguf", 256);
  INFO("q8_0 " << std::hexfloat << q8_0 << ", q4_0 " << q4_0);
  CHECK(q8_0 == 0x1.d843e1c5982c4p+4);
  CHECK(q4_0 == 0x1.dc251b862f1dfp+4);
  CHECK(q8_0 < q4_0);  // fewer bits predict less well
}

TEST_CASE("the machine writes the bundled model's greedy text, equal to the reference in every operator") {
  const model::LlamaModel model{model::GgufFile(kModels + "austen-2.9m-q8_0.gguf")};
  const auto tokenizer = model::make_tokenizer(model.file());
  host::InferenceOptions options;
  options.check = true;
  host::Inference inference(model, test::machine("edge"), options);
  std::vector<host::StepReport> steps = inference.evaluate(tokenizer->encode("It was", true, false), false);
  std::string text;
  for (int n = 0; n < 10; ++n) {
    const std::vector<float>& logits = steps.back().logits.back();
    const auto best =
        static_cast<model::TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    text += tokenizer->decode(best);
    steps = inference.evaluate(std::span(&best, 1), false);
  }
  CHECK(text == " a very good sort of thing.\n\"I");
}
