// SPDX-License-Identifier: Apache-2.0
// Is every number of a result within its range, every list within its length, and no sum begun again at 0?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "base/error.h"
#include "explore/result/document.h"
#include "explore/result/node.h"
#include "explore/result/text.h"
#include "small_result.h"

using namespace tokencycle;
using namespace tokencycle::explore;
using Catch::Contains;
using test::Json;

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

Json::json_pointer at(const std::string& path) {
  return Json::json_pointer(path);
}

// What is said to a small result with this value in this place; "" where it is taken.
std::string refusal(const std::string& path, const Json& value) {
  Json json = test::small_result();
  json[at(path)] = value;
  try {
    parse_result(json, "r.json");
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

// No count: negative, a fraction, beyond the range of counts or of 64 bits, or no number.
void check_count(const std::string& path, const std::string& range = "0 to 9,007,199,254,740,992") {
  for (const Json& value : {Json(-1), Json(0.5), Json(1e300), Json(kMost), Json("1"), Json(true)}) {
    CAPTURE(path, value.dump());
    const std::string message = refusal(path, value);
    CHECK_THAT(message, Catch::StartsWith("r.json: " + path + ": " + value.dump() +
                                          "; it must be a whole number, " + range));
    CHECK_THAT(message, Contains("write it again with `tokencycle run --result FILE`"));
  }
}

}  // namespace

TEST_CASE("every count of a result is a whole number in its range, or refused with place, value and range") {
  for (const char* path : {"/cycles",
                           "/stack/matrix",
                           "/settings/new_tokens",
                           "/settings/context",
                           "/settings/batch",
                           "/settings/top_k",
                           "/tokens/1/start",
                           "/tokens/1/end",
                           "/tokens/1/cycles",
                           "/tokens/1/stack/preload",
                           "/operators/0/decode/cycles",
                           "/operators/0/decode/instructions",
                           "/operators/0/decode/stack/matrix",
                           "/operators/0/decode/span_cycles",
                           "/operators/0/decode/loaded_bytes",
                           "/operators/0/decode/stored_bytes",
                           "/operators/0/decode/multiply_accumulates",
                           "/operators/0/decode/vector_elements",
                           "/operators/0/decode/scratchpad_bytes",
                           "/operators/0/decode/kinds/0/count",
                           "/operators/0/decode/kinds/1/cycles",
                           "/operators/0/decode/kinds/1/stack/preload",
                           "/units/matrix0/busy",
                           "/timeline/interval_cycles",
                           "/timeline/start",
                           "/timeline/series/0/values/1",
                           "/pipeline/token",
                           "/pipeline/start",
                           "/pipeline/end",
                           "/pipeline/instructions",
                           "/configuration/values/dram/channels"}) {
    check_count(path);
  }
  for (const char* path : {"/prompt_tokens/0", "/tokens/0/id"}) check_count(path, "0 to 4,294,967,295");
  CHECK(refusal("/operators/0/decode/loaded_bytes", kMostCount) == "");  // the range's ends are in it
  CHECK_THAT(refusal("/operators/0/decode/loaded_bytes", kMostCount + 1), Contains("9007199254740993"));
  CHECK(refusal("/prompt_tokens/0", 4294967295u) == "");
  CHECK_THAT(refusal("/prompt_tokens/0", std::uint64_t{1} << 32), Contains("4294967296"));
}

TEST_CASE("counters and seeds are any of 64 bits, and nothing else") {
  for (const char* path : {"/counters/0/value", "/settings/seed"}) {
    for (const Json& value : {Json(-1), Json(0.5), Json(1.8446744073709552e19), Json("1"), Json::array()}) {
      CAPTURE(path, value.dump());
      CHECK_THAT(refusal(path, value), Contains(path) && Contains("0 to 18,446,744,073,709,551,615"));
    }
  }
  CHECK(refusal("/settings/seed", kMost) == "");
  Json json = test::old_result();
  json["counters"][0]["value"] = kMost;
  CHECK(parse_result(json, "r").counters.at(0).value == kMost);
}

TEST_CASE("signed numbers and fractions have ranges too") {
  for (const Json& value : {Json(-2), Json(std::int64_t{1} << 31), Json(kMost), Json(0.5)}) {
    CAPTURE(value.dump());
    CHECK_THAT(refusal("/operators/0/layer", value), Contains("/operators/0/layer: " + value.dump()) &&
                                                         Contains("a whole number, -1 to 2147483647"));
    CHECK_THAT(refusal("/pipeline/operators/0/layer", value), Contains("-1 to 2147483647"));
  }
  for (const Json& value : {Json(-(std::int64_t{1} << 53) - 1), Json(kMost), Json(0.5), Json("1")}) {
    CHECK_THAT(refusal("/pipeline/rows/0/3", value),
               Contains("/pipeline/rows/0/3: ") && Contains("-9007199254740992 to 9007199254740992"));
  }
  for (const char* path : {"/settings/temperature", "/settings/top_p", "/energy/dram/total_pj",
                           "/energy/dram/pj_per_bit", "/energy/dram/average_mw", "/energy/dram/activate_pj",
                           "/operators/0/decode/array_cycles_at_peak", "/configuration/values/clock_ghz"}) {
    for (const Json& value : {Json(-0.5), Json(std::numeric_limits<double>::infinity()),
                              Json(std::numeric_limits<double>::quiet_NaN()), Json("1")}) {
      CAPTURE(path, value.dump());
      CHECK_THAT(refusal(path, value), Contains(path) && Contains("a number, 0 or more"));
    }
  }
}

TEST_CASE("indices of the pipeline's rows are of entries that are there") {
  for (const auto& [cell, range] :
       std::vector<std::pair<std::string, std::string>>{{"0", "-1 to 0"}, {"1", "0 to 1"}, {"2", "0 to 4"}}) {
    for (const Json& value : {Json(-2), Json(5), Json(kMost), Json(0.5), Json()}) {
      CAPTURE(cell, value.dump());
      CHECK_THAT(refusal("/pipeline/rows/0/" + cell, value),
                 Contains("/pipeline/rows/0/" + cell) && Contains("a whole number, " + range));
    }
  }
  CHECK_THAT(refusal("/pipeline/kinds", Json::array()), Contains("the list that it is an index of is empty"));
  CHECK_THAT(refusal("/pipeline/instructions", 1), Contains("/pipeline/rows: 2 rows of 1 instructions"));
  CHECK_THAT(refusal("/pipeline/end", 100), Contains("/pipeline/end: it is before the start"));
}

TEST_CASE("lists that are too long are refused with their length and the most") {
  CHECK_THAT(refusal("/timeline/series/0/values", std::vector<int>(513, 0)),
             Contains("/timeline/series/0/values: 513 values; there are at most 512"));
  const Json series = test::small_result()["timeline"]["series"][0];
  CHECK_THAT(refusal("/timeline/series", std::vector<Json>(1025, series)),
             Contains("/timeline/series: 1025 series; there are at most 1024"));
  CHECK_THAT(refusal("/counters", std::vector<Json>(8193, test::small_result()["counters"][0])),
             Contains("/counters: 8193 counters; there are at most 8192"));
  CHECK_THAT(refusal("/pipeline/rows/0", std::vector<int>(10, 0)),
             Contains("/pipeline/rows/0: 10 cells; there must be 9"));
  CHECK_THROWS_WITH(parse_result_text(std::string(kMostResultBytes + 1, ' '), "r.json"),
                    Contains("r.json: more than 64.0 MiB"));
}

TEST_CASE("sums that pass 2^64 stop there, and are refused with the sum") {
  // 2,049 times 2^53 is 2^64 and 2^53: begun again at 0 the sum would be a count like any other.
  constexpr std::size_t kTimes = 2049;
  Json kind = {
      {"instruction", "multiply"}, {"count", 1}, {"cycles", kMostCount}, {"stack", {{"matrix", kMostCount}}}};
  CHECK_THAT(refusal("/operators/0/decode/kinds", std::vector<Json>(kTimes, kind)),
             Contains("/operators/0/decode/kinds: sums to 18,446,744,073,709,551,615, not to the 100"));

  const Json use = {{"cycles", kMostCount}, {"instructions", 1}};
  const Json op = {{"name", "o"}, {"layer", 0}, {"prefill", use}, {"decode", use}};
  CHECK_THAT(
      refusal("/operators", std::vector<Json>(kTimes, op)),
      Contains("/operators: sums to 18,446,744,073,709,551,615, not to the 100 of the tokens in prefill"));

  Json states = Json::object();
  for (std::size_t i = 0; i < kTimes; ++i) states[fmt::format("s{}", i)] = kMostCount;
  CHECK_THAT(refusal("/units/matrix0", states),
             Contains("/units/matrix0: sums to 18,446,744,073,709,551,615"));

  // Bytes of both readers of DRAM, where one of them is as large as a counter may be.
  Json json = test::small_result();
  json["counters"][0]["value"] = kMost;
  CHECK_THROWS_WITH(parse_result(json, "r.json"),
                    Contains("/phases: sums to 100, not to the 18,446,744,073,709,551,615 of fetch"));
}
