// SPDX-License-Identifier: Apache-2.0
// Random work on random arrays: the matrix unit and the registers agree in every value and every cycle.
#include <catch2/catch.hpp>

#include "proof/compare.h"
#include "support/trials.h"

using namespace tokencycle;
using namespace tokencycle::proof;

namespace {

void prove_many(config::Dataflow dataflow, std::uint64_t first, int trials, const Wish& wish = {}) {
  const auto count = static_cast<std::uint64_t>(test::trials(trials));
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string difference = prove(random_trial(dataflow, seed, wish));
    if (!difference.empty()) FAIL("seed " << seed << ": " << difference);
  }
}

}  // namespace

TEST_CASE("a weight-stationary array is what its registers are") {
  prove_many(config::Dataflow::weight_stationary, 1, 400);
}

TEST_CASE("an input-stationary array is what its registers are") {
  prove_many(config::Dataflow::input_stationary, 1001, 100);
}

TEST_CASE("an output-stationary array is what its registers are") {
  prove_many(config::Dataflow::output_stationary, 1, 300);
}

TEST_CASE("a dot-product array is what its registers are") {
  prove_many(config::Dataflow::dot_product, 1, 400);
}

TEST_CASE("thousands of arrays are what their registers are", "[.thousands]") {
  prove_many(config::Dataflow::weight_stationary, 10'000, 1500);
  prove_many(config::Dataflow::output_stationary, 10'000, 1500);
  prove_many(config::Dataflow::dot_product, 10'000, 1500);
}
