// SPDX-License-Identifier: Apache-2.0
// Is it the right number? What the machine computes equals the reference bit for bit: every operator (the
// machine's check compares them) and all logits.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using test::SyntheticModel;

namespace {

void check_equal(const model::LlamaModel& model, const config::Machine& machine, std::size_t prompt,
                 std::size_t generated, const compiler::Options& options = {}) {
  const auto tokens = test::random_tokens(prompt + generated, model.shape().vocabulary);
  host::Inference inference(model, machine, {.compile = options, .check = true});
  const test::Trial trial = test::evaluate(inference, tokens, prompt);
  CHECK(test::difference(trial.logits, test::evaluate(model, options.kv_format, tokens)) == "");
}

}  // namespace

TEST_CASE("every machine of configs/ equals the reference in every format of weights and cache") {
  const Format format =
      GENERATE(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  const Format kv_format = GENERATE(Format::f16, Format::f32);
  CAPTURE(name_of(format), name_of(kv_format));
  // Rows of 172 are no whole blocks: the block formats' files hold that tensor in f16.
  const std::uint32_t feed_forward = kv_format == Format::f16 ? 172 : 160;
  const auto model = test::make_synthetic_model({.feed_forward = feed_forward, .matrices = format});
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    check_equal(*model, test::machine(name), 11, 3, {.kv_format = kv_format});
  }
}

TEST_CASE("experts that the routers choose: every machine of configs/ equals the reference") {
  const auto [architecture, format] = GENERATE(table<std::string, Format>(
      {{"llama", Format::q4_0}, {"qwen3moe", Format::q8_0}, {"olmoe", Format::f16}}));
  CAPTURE(architecture, name_of(format));
  SyntheticModel spec = {.matrices = format, .architecture = architecture, .experts = 8, .experts_used = 3};
  const auto model = test::make_synthetic_model(spec);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    check_equal(*model, test::machine(name), 5, 2);
  }
}

TEST_CASE("grouped, single and separate key-value heads, tied and untied heads, both rotary pairings") {
  const std::uint32_t kv_heads = GENERATE(1, 2, 4);
  const bool tied = GENERATE(false, true);
  const auto pairs = GENERATE(model::RopePairs::adjacent, model::RopePairs::split);
  CAPTURE(kv_heads, tied, static_cast<int>(pairs));
  const auto file =
      test::write_synthetic_model({.kv_heads = kv_heads, .matrices = Format::q8_0, .tied = tied});
  const model::LlamaModel model(model::GgufFile(file.path()), pairs);
  for (const std::string name : {"edge", "gemmini"}) {
    CAPTURE(name);
    check_equal(model, test::machine(name), 9, 2);
  }
}

TEST_CASE("unusual heads: wider than the model's share, partly rotated, scaled and with frequency factors") {
  const auto model = test::make_synthetic_model({.head_dim = 24,
                                                 .rope_dims = 10,
                                                 .matrices = Format::f16,
                                                 .norms = Format::f16,
                                                 .rope_scale = 4.0f,
                                                 .rope_factors = true});
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    check_equal(*model, test::machine(name), 7, 2);
  }
}

TEST_CASE("a prompt gives the same logits in steps of any size") {
  const auto model = test::make_synthetic_model({.matrices = Format::q4_0});
  const std::uint32_t batch = GENERATE(1, 2, 7, 32, 40);
  CAPTURE(batch);
  const compiler::Options options = {.max_batch = batch};
  check_equal(*model, test::machine("edge"), 40, 1, options);

  // With the last token's logits alone, the steps before the last leave the head out.
  const auto tokens = test::random_tokens(40, model->shape().vocabulary);
  host::Inference inference(*model, test::machine("edge"), {.compile = options, .check = true});
  const std::vector<host::StepReport> steps = inference.evaluate(tokens, false);
  CHECK(steps.size() == (40 + batch - 1) / batch);
  for (const host::StepReport& step : steps) CHECK(step.logits.size() == (&step == &steps.back() ? 1 : 0));
  CHECK(test::difference(steps.back().logits, {test::evaluate(*model, Format::f16, tokens).back()}) == "");
}

TEST_CASE("a cache filled to its last position") {
  const auto model = test::make_synthetic_model({.context = 77, .matrices = Format::q8_0});
  const std::string name = GENERATE("edge", "gemmini", "cloud");
  CAPTURE(name);
  check_equal(*model, test::machine(name), 70, 7);
}

TEST_CASE("an emptied cache begins anew") {
  const auto model = test::make_synthetic_model({});
  const auto tokens = test::random_tokens(9, model->shape().vocabulary);
  host::Inference inference(*model, test::machine("edge"), {.compile = {}, .check = true});
  const test::Logits first = test::evaluate(inference, tokens, 6).logits;
  inference.reset();
  CHECK(inference.position() == 0);
  CHECK(test::difference(test::evaluate(inference, tokens, 3).logits, first) == "");
}

TEST_CASE("a full context is refused with its size and leaves the machine usable") {
  const auto model = test::make_synthetic_model({.context = 32});
  host::Inference inference(*model, test::machine("edge"), {.compile = {.context = 20}, .check = true});
  const auto tokens = test::random_tokens(21, model->shape().vocabulary);
  CHECK_THROWS_WITH(inference.evaluate(tokens, false), Catch::Contains("context of 20 positions"));
  CHECK(inference.position() == 0);
  const test::Trial trial = test::evaluate(inference, std::span(tokens).first(20), 10);
  CHECK(test::difference(trial.logits, test::evaluate(*model, Format::f16, std::span(tokens).first(20))) ==
        "");
  CHECK_THROWS_AS(inference.evaluate(std::span(tokens).last(1), false), SimulationError);
}
