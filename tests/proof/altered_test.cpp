// SPDX-License-Identifier: Apache-2.0
// The proof can fail: formulas that are wrong by one cycle are found.
#include <catch2/catch.hpp>

#include "proof/altered.h"
#include "proof/compare.h"

using namespace tokencycle;
using namespace tokencycle::proof;

namespace {

constexpr int kTrials = 60;

// How many of some trials show that the formulas are wrong.
int found(config::Dataflow dataflow, const Alteration& by, Judges judges = Judges::all) {
  int differences = 0;
  for (std::uint64_t seed = 1; seed <= kTrials; ++seed) {
    const auto make = [&](const config::Matrix& m) {
      return std::make_unique<Altered>(machine::make_dataflow(m), by);
    };
    const Trial trial = random_trial(dataflow, seed, {.full = seed % 3 != 0});
    differences += prove(trial, make, judges).empty() ? 0 : 1;
  }
  return differences;
}

}  // namespace

TEST_CASE("the proof finds no fault where there is none") {
  for (const auto dataflow : {config::Dataflow::weight_stationary, config::Dataflow::output_stationary,
                              config::Dataflow::dot_product}) {
    CHECK(found(dataflow, {}) == 0);
  }
}

TEST_CASE("the proof finds every latency of a stationary array that is off by one") {
  const auto ws = config::Dataflow::weight_stationary;
  for (const int by : {-1, 1}) {
    CHECK(found(ws, {.result = by}, Judges::registers) == kTrials);
    CHECK(found(ws, {.exit = by}, Judges::registers) > kTrials - 6);  // a single cell's is zero already
  }
  CHECK(found(ws, {.shift_in = 1}) > 0);
  CHECK(found(ws, {.tile_free = 1}) > 0);
  CHECK(found(ws, {.go_on = 1}) > 0);
  CHECK(found(ws, {.gap = 1}) > 0);
}

TEST_CASE("the registers of a stationary array do not bear what starts a cycle too soon") {
  const auto ws = config::Dataflow::weight_stationary;
  CHECK(found(ws, {.shift_in = -1}, Judges::registers) > 0);
  CHECK(found(ws, {.tile_free = -1}, Judges::registers) > 0);
  CHECK(found(ws, {.go_on = -1}, Judges::registers) > 0);
  CHECK(found(ws, {.gap = -1}, Judges::registers) > 0);
}

TEST_CASE("the proof finds every latency of an output-stationary array that is off by one") {
  const auto os = config::Dataflow::output_stationary;
  for (const int by : {-1, 1}) {
    CHECK(found(os, {.result = by}, Judges::registers) == kTrials);
    CHECK(found(os, {.exit = by}, Judges::registers) > kTrials - 6);
  }
  CHECK(found(os, {.gap = 1}) > 0);
  CHECK(found(os, {.gap = -1}, Judges::registers) > 0);
}

TEST_CASE("the proof finds every latency of a dot-product array that is off by one") {
  const auto dot = config::Dataflow::dot_product;
  for (const int by : {-1, 1}) {
    CHECK(found(dot, {.result = by}, Judges::registers) == kTrials);
    CHECK(found(dot, {.exit = by}, Judges::registers) > kTrials - 6);
  }
  CHECK(found(dot, {.go_on = 1}) > 0);
  CHECK(found(dot, {.gap = 1}) > 0);
  // Its tiles are not shifted: a line takes a cycle anyway, and so does the start of an instruction.
  CHECK(found(dot, {.shift_in = 2}) > 0);
  CHECK(found(dot, {.tile_free = 2}) > 0);
  CHECK(found(dot, {.go_on = -1}, Judges::registers) > 0);
  CHECK(found(dot, {.gap = -1}, Judges::registers) > 0);
}
