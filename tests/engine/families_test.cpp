// SPDX-License-Identifier: Apache-2.0
// Does every architecture mean to the reference what it means to the independent engine? Small models with
// random weights, which the engine loads from the same file.
#include <catch2/catch.hpp>
#include <string>

#include "engine/comparison.h"
#include "engine/engine.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using test::SyntheticModel;

namespace {

std::vector<SyntheticModel> families() {
  SyntheticModel llama, qwen2, qwen3;
  qwen2.architecture = "qwen2";
  qwen2.rope_base = 1e6f;
  qwen3.architecture = "qwen3";
  qwen3.head_dim = 32;
  qwen3.tied = true;
  return {llama, qwen2, qwen3};
}

}  // namespace

TEST_CASE("random models of every architecture give the independent engine's logits", "[families]") {
  if (!engine::processor_has_avx2()) {
    WARN("skipped: this processor lacks AVX2, and the engine's other code gives other logits");
    return;
  }
  SyntheticModel model = GENERATE(from_range(families()));
  model.matrices = GENERATE(Format::f32, Format::f16, Format::q8_0);
  const test::TemporaryFile file = test::write_synthetic_model(model);
  const std::vector<model::TokenId> prompt = {1, 270, 284, 291, 263, 277, 299, 260, 266, 281, 295, 272};
  const auto result = engine::compare_greedy(file.path(), prompt, 40);
  CAPTURE(model.architecture, name_of(model.matrices), result.steps, result.equal_steps, result.different,
          result.largest_margin, result.largest_difference);
  const double tolerance = model.matrices == Format::q8_0 ? 0.2 : 0.02;
  CHECK(result.largest_difference < tolerance);
  CHECK(result.largest_margin < 2 * tolerance);
  CHECK(result.steps > 2);
}
