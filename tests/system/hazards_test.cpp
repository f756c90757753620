// SPDX-License-Identifier: Apache-2.0
// Does the data really flow? A machine that ignores hazards computes something else.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;

TEST_CASE("without hazard checks the logits are wrong, with them they are right") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  // One step: later ones would gather rows by whatever the step before left where token ids belong.
  const std::vector<model::TokenId> tokens = {123};
  const test::Logits expected = test::evaluate(*model, Format::f16, tokens);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    host::Inference sound(*model, test::machine(name), {});
    CHECK(test::difference(test::evaluate(sound, tokens, 1).logits, expected) == "");
    host::Inference careless(*model, test::machine(name), {});
    careless.accelerator().ignore_hazards();
    CHECK(test::difference(test::evaluate(careless, tokens, 1).logits, expected) != "");
  }
}

TEST_CASE("the check names the first operator that a missing hazard check spoils") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const auto tokens = test::random_tokens(3, model->shape().vocabulary);
  host::Inference careless(*model, test::machine("edge"), {.compile = {}, .check = true});
  careless.accelerator().ignore_hazards();
  CHECK_THROWS_AS(careless.evaluate(tokens, false), CheckError);
  host::Inference again(*model, test::machine("edge"), {.compile = {}, .check = true});
  again.accelerator().ignore_hazards();
  CHECK_THROWS_WITH(again.evaluate(tokens, false), Catch::Contains("position 0") &&
                                                       Catch::Contains("operator") &&
                                                       Catch::Contains("instead of"));
}
