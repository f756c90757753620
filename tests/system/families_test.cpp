// SPDX-License-Identifier: Apache-2.0
// Is it the right number, whichever the architecture? Small random models of every family on every machine of
// configs/: the reference's bits, with prompts and contexts longer than the windows that some layers have.
#include <catch2/catch.hpp>

#include "support/synthetic_model.h"
#include "support/trials.h"
#include "trial.h"

using namespace tokencycle;

namespace {

constexpr std::size_t kPrompt = 20, kTokens = 24;

// A machine of configs/, where the smallest gets the room that blocks of a recurrent state need.
config::Machine machine_for(const test::SyntheticModel& spec, const std::string& name) {
  constexpr std::uint32_t kRoom = 64;  // KiB
  if (spec.architecture != "qwen35" || name != "tiny") return test::machine(name);
  return test::machine(name, {{"scratchpad", {{"capacity_kib", kRoom}}}});
}

}  // namespace

TEST_CASE("every family equals the reference on every machine of configs/") {
  test::SyntheticModel spec = GENERATE(from_range(test::family_models()));
  spec.matrices = Format::q8_0;
  const auto model = test::make_synthetic_model(spec);
  const auto tokens = test::random_tokens(kTokens, model->shape().vocabulary);
  const test::Logits expected = test::evaluate(*model, Format::f16, tokens);
  static std::uint32_t combination = 0;
  for (const std::string& name : test::machine_names()) {
    if (!test::is_tried(combination++)) continue;
    CAPTURE(spec.architecture, spec.rope_scaling, name);
    host::Inference inference(*model, machine_for(spec, name), {.compile = {}, .check = true});
    CHECK(test::difference(test::evaluate(inference, tokens, kPrompt).logits, expected) == "");
  }
}

TEST_CASE("every family has the same events in both clockings, and without values") {
  test::SyntheticModel spec = GENERATE(from_range(test::family_models()));
  static std::uint32_t combination = 0;
  if (!test::is_tried(combination++)) return;
  spec.matrices = Format::f16;
  CAPTURE(spec.architecture, spec.rope_scaling);
  const auto model = test::make_synthetic_model(spec);
  const auto tokens = test::random_tokens(kTokens, model->shape().vocabulary);
  std::vector<std::uint32_t> experts;  // that the routers chose: without values they are given
  const auto events = [&](machine::Clocking clocking, machine::Values values) {
    host::Inference inference(*model, machine_for(spec, "tiny"),
                              {.compile = {}, .clocking = clocking, .values = values, .experts = experts});
    inference.evaluate(std::span(tokens).first(kPrompt), false);
    inference.evaluate(std::span(tokens).subspan(kPrompt, 1), false);
    experts = inference.experts();
    return inference.event_digest();
  };
  const std::string gated = events(machine::Clocking::gated, machine::Values::computed);
  CHECK(events(machine::Clocking::every_edge, machine::Values::computed) == gated);
  CHECK(events(machine::Clocking::gated, machine::Values::absent) == gated);
}
