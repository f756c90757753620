// SPDX-License-Identifier: Apache-2.0
// Models that read their whole input at once: is it the right number on every machine of configs/, at the
// same cycle in both clockings, and is what does not fit refused?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "model/reference/reference.h"
#include "support/synthetic_model.h"
#include "support/trials.h"
#include "trial.h"

using namespace tokencycle;
using Catch::Contains;
using test::SyntheticModel;

namespace {

// Images of `image` pixels a side, patches of 2.
SyntheticModel vision(std::uint32_t image, Format matrices) {
  return {.layers = 2,
          .width = 96,
          .heads = 3,
          .kv_heads = 3,
          .vocabulary = 7,
          .context = image * image / 4 + 1,
          .matrices = matrices,
          .tokenizer = test::SyntheticTokenizer::none,
          .architecture = "vit",
          .sizes = {{"image_size", image}, {"patch_size", 2}}};
}

std::vector<float> random_rows(const SyntheticModel& spec) {
  std::mt19937 random(11);
  std::vector<float> rows(std::size_t{spec.context} * 4);
  for (std::size_t i = 0; i + 4 < rows.size(); ++i) rows[i] = static_cast<float>(random() % 17) / 16.0f;
  return rows;
}

}  // namespace

TEST_CASE("an encoder equals the reference on every machine of configs/") {
  const SyntheticModel spec = vision(8, GENERATE(Format::f16, Format::q8_0));
  const auto model = test::make_synthetic_model(spec);
  const std::vector<float> rows = random_rows(spec);
  model::Reference reference(*model, Format::f16);
  const auto expected = reference.encode(std::as_bytes(std::span(rows)));
  REQUIRE(expected.size() == spec.context);
  static std::uint32_t combination = 0;
  for (const std::string& name : test::machine_names()) {
    if (!test::is_tried(combination++)) continue;
    CAPTURE(name, name_of(spec.matrices));
    const config::Machine machine = test::machine(name, {{"scratchpad", {{"capacity_kib", 512}}}});
    host::Inference inference(*model, machine, {.compile = {}, .check = true});
    for (const bool all : {false, true, false}) {  // each from an empty cache
      const host::StepReport step = inference.encode(std::as_bytes(std::span(rows)), all);
      REQUIRE(step.logits.size() == (all ? spec.context : 1));
      CHECK(step.logits.back() == expected.back());
      CHECK(step.logits.front() == (all ? expected.front() : expected.back()));
    }
  }
}

TEST_CASE("an encoder's rows see those behind them, and blocks of attention change nothing") {
  const SyntheticModel spec = vision(16, Format::f16);
  const auto model = test::make_synthetic_model(spec);
  std::vector<float> rows = random_rows(spec);
  // An accumulator memory that holds the scores of some rows alone, and a ring that holds some positions.
  const config::Machine machine = test::machine(
      "edge", {{"scratchpad", {{"capacity_kib", 256}}}, {"accumulator", {{"capacity_kib", 32}}}});
  for (const bool fused : {true, false}) {
    compiler::Options options;
    if (!fused) options.fusions = options.fusions.without(compiler::Fusion::append_attention);
    host::Inference inference(*model, machine, {.compile = options, .check = true});
    const auto first = inference.encode(std::as_bytes(std::span(rows)), true).logits.front();
    rows[rows.size() - 8] += 0.5f;  // of the last patch
    CHECK(inference.encode(std::as_bytes(std::span(rows)), true).logits.front() != first);
    rows[rows.size() - 8] -= 0.5f;
  }
}

TEST_CASE("an encoder has the same events in both clockings, and without values") {
  const SyntheticModel spec = vision(8, Format::q8_0);
  const auto model = test::make_synthetic_model(spec);
  const std::vector<float> rows = random_rows(spec);
  const auto events = [&](machine::Clocking clocking, machine::Values values) {
    host::Inference inference(*model, test::machine("edge"),
                              {.compile = {}, .clocking = clocking, .values = values});
    inference.encode(std::as_bytes(std::span(rows)), false);
    return inference.event_digest();
  };
  const std::string gated = events(machine::Clocking::gated, machine::Values::computed);
  CHECK(events(machine::Clocking::every_edge, machine::Values::computed) == gated);
  CHECK(events(machine::Clocking::gated, machine::Values::absent) == gated);
}

TEST_CASE("what an encoder does not do, and what a machine does not hold, is refused") {
  const SyntheticModel spec = vision(16, Format::q8_0);
  const auto model = test::make_synthetic_model(spec);
  const std::vector<float> rows = random_rows(spec);
  const auto bytes = std::as_bytes(std::span(rows));
  host::Inference roomy(*model, test::machine("edge"), {});
  const std::vector<model::TokenId> tokens = {1, 2};
  CHECK_THROWS_WITH(roomy.evaluate(tokens, false), Contains("generates nothing") && Contains("see (images)"));
  CHECK_THROWS_WITH(roomy.encode(bytes.first(0), false), Contains("0 rows"));
  CHECK_THROWS_WITH(model::Reference(*model, Format::f16).encode(std::vector<std::byte>(66 * 16)),
                    Contains("66 rows"));
  std::string message;
  try {
    host::Inference small(*model, test::machine("edge", {{"scratchpad", {{"capacity_kib", 64}}}}), {});
    small.encode(bytes, false);
  } catch (const ConfigurationError& error) {
    message = error.what();
  }
  REQUIRE_THAT(message, Contains("65 rows") && Contains("at once") && Contains("/scratchpad/capacity_kib"));
  const std::string kib = message.substr(message.rfind(' ') + 1);
  CAPTURE(message);
  host::Inference enough(*model, test::machine("edge", {{"scratchpad", {{"capacity_kib", std::stoul(kib)}}}}),
                         {});
  CHECK(enough.encode(bytes, false).logits.size() == 1);
}
