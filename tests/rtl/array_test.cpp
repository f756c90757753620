// SPDX-License-Identifier: Apache-2.0
// The integer arrays as hardware: every sum of the matrix unit, and its cycle, is the RTL's.
#include <catch2/catch.hpp>

#include "Varray_os_16x16.h"
#include "Varray_os_1x1.h"
#include "Varray_os_4x4.h"
#include "Varray_os_5x3.h"
#include "Varray_os_8x8.h"
#include "Varray_ws_16x16.h"
#include "Varray_ws_1x1.h"
#include "Varray_ws_4x4.h"
#include "Varray_ws_5x3.h"
#include "Varray_ws_8x8.h"
#include "proof/altered.h"
#include "proof/compare.h"
#include "rtl/array_bench.h"

using namespace tokencycle;
using namespace tokencycle::proof;

namespace {

using Run = SlowRun (*)(const Trial&, std::span<const std::uint64_t>);
struct Array {
  config::Dataflow dataflow;
  std::uint32_t rows, columns;
  Run run;
};

constexpr auto kWs = config::Dataflow::weight_stationary;
constexpr auto kOs = config::Dataflow::output_stationary;
const Array kArrays[] = {
    {kWs, 1, 1, rtl::run_ws<Varray_ws_1x1>},     {kWs, 4, 4, rtl::run_ws<Varray_ws_4x4>},
    {kWs, 5, 3, rtl::run_ws<Varray_ws_5x3>},     {kWs, 8, 8, rtl::run_ws<Varray_ws_8x8>},
    {kWs, 16, 16, rtl::run_ws<Varray_ws_16x16>}, {kOs, 1, 1, rtl::run_os<Varray_os_1x1>},
    {kOs, 4, 4, rtl::run_os<Varray_os_4x4>},     {kOs, 5, 3, rtl::run_os<Varray_os_5x3>},
    {kOs, 8, 8, rtl::run_os<Varray_os_8x8>},     {kOs, 16, 16, rtl::run_os<Varray_os_16x16>},
};

// What differs between the matrix unit and the RTL in a random stream of folds; back to back if `full`.
std::string differs(const Array& array, std::uint64_t seed, bool full, const Alteration& by = {}) {
  const Trial trial = random_trial(array.dataflow, seed,
                                   {.rows = array.rows,
                                    .columns = array.columns,
                                    .step = 1,
                                    .passes = 12,
                                    .full = full,
                                    .integers = true});
  const auto formulas = [&] { return std::make_unique<Altered>(machine::make_dataflow(trial.matrix()), by); };
  const FastRun fast = run_fast(trial, formulas());
  std::vector<std::uint64_t> starts;
  for (const auto& times : fast.times) starts.push_back(times.started);
  const std::string what = difference(trial, *formulas(), fast, array.run(trial, starts), Seen::totals);
  return what.empty() ? what : describe(trial) + what;
}

void compare_streams(config::Dataflow dataflow, std::uint64_t first, std::uint64_t count) {
  for (const Array& array : kArrays) {
    if (array.dataflow != dataflow) continue;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      const std::string what = differs(array, seed, seed % 3 == 0);
      if (!what.empty()) FAIL(array.rows << " x " << array.columns << ", seed " << seed << ": " << what);
    }
  }
}

int found(config::Dataflow dataflow, const Alteration& by) {
  int differences = 0;
  for (const Array& array : kArrays) {
    if (array.dataflow != dataflow) continue;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      differences += differs(array, seed, seed % 2 == 0, by).empty() ? 0 : 1;
  }
  return differences;
}

}  // namespace

TEST_CASE("the weight-stationary array gives every sum in the cycle in which its RTL does") {
  compare_streams(kWs, 1, 20);
}

TEST_CASE("the output-stationary array gives every sum in the cycle in which its RTL does") {
  compare_streams(kOs, 1, 20);
}

TEST_CASE("hundreds of streams of folds are what the RTL makes of them", "[.thousands]") {
  compare_streams(kWs, 1000, 300);
  compare_streams(kOs, 1000, 300);
}

TEST_CASE("the RTL shows a latency of the array that is off by one") {
  for (const auto dataflow : {kWs, kOs}) {
    CHECK(found(dataflow, {}) == 0);
    for (const int by : {-1, 1}) CHECK(found(dataflow, {.result = by}) == 20);
  }
  // What starts too soon meets the wrong tile, or another total on its bus.
  CHECK(found(kWs, {.shift_in = -1}) > 0);
  CHECK(found(kOs, {.gap = -1}) > 0);
}
