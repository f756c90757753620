// SPDX-License-Identifier: Apache-2.0
// The roofline: points and their roofs.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "explore/page/chart.h"
#include "explore/roofline.h"
#include "explore/small_result.h"

using namespace tokencycle::explore;
using tokencycle::test::small_result;

namespace {

// An array of 4 x 4 multipliers, 8 lanes, 16 bytes of DRAM a cycle, 1 GHz.
Roofs small_roofs() {
  Roofs roofs;
  roofs.arrays = {{"int8", 32}, {"fp16", 16}};
  roofs.vector_per_cycle = 8;
  roofs.dram_bytes_per_cycle = 16;
  roofs.clock_hz = 1e9;
  return roofs;
}

UseDetail use(std::uint64_t span, std::uint64_t bytes, std::uint64_t multiply_accumulates,
              std::uint64_t elements) {
  UseDetail use;
  use.span_cycles = span;
  use.loaded_bytes = bytes;
  use.multiply_accumulates = multiply_accumulates;
  use.array_cycles_at_peak = static_cast<double>(multiply_accumulates) / 16;
  use.vector_elements = elements;
  return use;
}

}  // namespace

TEST_CASE("a point is operations a byte and operations a second, and its roof what limits it most") {
  // 1600 multiply-accumulates are 3200 operations; 6400 bytes take 400 cycles, the array 100.
  const auto memory = roofline_point(use(500, 6400, 1600, 0), small_roofs());
  REQUIRE(memory);
  CHECK(memory->intensity == 0.5);
  CHECK(memory->per_second == Approx(3200 / 500e-9));
  CHECK(memory->limit == Limit::dram);
  CHECK(memory->roof == Approx(0.5 * 16e9));  // intensity x bandwidth

  const auto array = roofline_point(use(200, 160, 1600, 0), small_roofs());
  REQUIRE(array);
  CHECK(array->limit == Limit::array);
  CHECK(name_of(array->limit) == std::string("array"));
  CHECK(array->roof == Approx(32e9));  // the array's peak

  const auto vector = roofline_point(use(200, 0, 0, 800), small_roofs());
  REQUIRE(vector);
  CHECK(std::isinf(vector->intensity));
  CHECK(vector->limit == Limit::vector);
  CHECK(name_of(vector->limit) == std::string("vector unit"));
  CHECK(vector->roof == Approx(8e9));
}

TEST_CASE("scratchpad bytes limit an operator where they are known") {
  Roofs roofs = small_roofs();
  roofs.scratchpad_bytes_per_cycle = 4;
  UseDetail bound = use(2000, 160, 1600, 0);
  bound.scratchpad_bytes = 4000;
  const auto point = roofline_point(bound, roofs);
  REQUIRE(point);
  CHECK(point->limit == Limit::scratchpad);
  CHECK(name_of(point->limit) == std::string("scratchpad"));
  CHECK(point->roof == Approx(3200 / 1000e-9));
}

TEST_CASE("what has no operations or no time is no point") {
  CHECK_FALSE(roofline_point(use(500, 6400, 0, 0), small_roofs()));
  CHECK_FALSE(roofline_point(use(0, 0, 0, 0), small_roofs()));
}

TEST_CASE("no point of work that fits into its span is above its roof") {
  std::mt19937 random(5);
  const auto below = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t span = 1 + below(100000);
    const auto point =
        roofline_point(use(span, below(16 * span), below(16 * span), below(8 * span)), small_roofs());
    if (!point) continue;
    CHECK(point->per_second <= point->roof * (1 + 1e-12));
  }
}

TEST_CASE("a machine's peaks come from its description, and a type of the same rate shares its roof") {
  tokencycle::test::Json document = small_result();
  document["configuration"]["values"]["matrix"] = {
      {"rows", 4}, {"columns", 8}, {"cycles_per_row", {{"int8", 1}, {"int4", 1}, {"fp16", 2}, {"bf16", 0}}}};
  document["configuration"]["values"]["vector"] = {{"lanes", 16}};
  document["configuration"]["values"]["scratchpad"] = {{"banks", 4}, {"bank_bytes", 16}};
  const Roofs roofs = roofs_of(parse_result(document, "small"));
  REQUIRE(roofs.arrays.size() == 2);
  CHECK(roofs.arrays[0].types == "int8, int4");
  CHECK(roofs.arrays[0].operations_per_cycle == 64);
  CHECK(roofs.arrays[1].operations_per_cycle == 32);
  CHECK(roofs.vector_per_cycle == 16);
  CHECK(roofs.scratchpad_bytes_per_cycle == 64);
}

TEST_CASE("peaks of a description that is not one are not known") {
  tokencycle::test::Json document = small_result();
  document["configuration"]["values"]["matrix"] = "none";
  document["configuration"]["values"]["vector"] = {{"lanes", "many"}};
  document["configuration"]["values"].erase("scratchpad");
  const Roofs roofs = roofs_of(parse_result(document, "small"));
  CHECK(roofs.arrays.empty());
  CHECK(roofs.vector_per_cycle == 0);
  CHECK(roofs.scratchpad_bytes_per_cycle == 0);
}

TEST_CASE("axes end at a whole step that is not below the largest value") {
  for (const double value : {0.3, 1.0, 7.0, 99.0, 100.0, 101.0, 117267.0, 2.5e9}) {
    INFO(value);
    const double steps = nice_top(value) / tick_step(value);
    CHECK(nice_top(value) >= value * (1 - 1e-9));
    CHECK(steps == Approx(std::round(steps)));
    CHECK(steps >= 2);
    CHECK(steps <= 5);
  }
  CHECK(nice_top(0) == 1);
}
