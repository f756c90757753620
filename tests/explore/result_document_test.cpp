// SPDX-License-Identifier: Apache-2.0
// Is a result read as it was written, and is a damaged one refused with its place?
#include "explore/result/document.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "base/error.h"
#include "explore/result/text.h"
#include "small_result.h"

using namespace tokencycle;
using namespace tokencycle::explore;
using Catch::Contains;
using test::Json;

namespace {

// What parse_result says to a changed small result; "" where it takes it.
std::string refusal(const std::function<void(Json&)>& change) {
  Json json = test::small_result();
  change(json);
  try {
    parse_result(json, "r.json");
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

void check_refused(const std::function<void(Json&)>& change, const std::vector<std::string>& parts) {
  const std::string message = refusal(change);
  CHECK_THAT(message, Catch::StartsWith("r.json: "));
  for (const std::string& part : parts) CHECK_THAT(message, Contains(part));
}

class TextFile {
 public:
  explicit TextFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("tokencycle_result_" + std::to_string(std::random_device{}()) + ".json")) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TextFile() { std::filesystem::remove(path_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string file_refusal(const std::string& text) {
  const TextFile file(text);
  try {
    read_result(file.path());
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a result's fields are read as they stand") {
  const TextFile file(test::small_result().dump(2));
  const Result r = read_result(file.path());
  CHECK(r.source == file.path().string());
  CHECK(r.machine == "small");
  CHECK(r.clock_ghz == 2.0);
  CHECK(r.peak_dram_gb_per_s == 20.0);
  CHECK(r.prompt_tokens == std::vector<std::uint32_t>{1, 5});
  CHECK(r.cycles == 200);
  REQUIRE(r.tokens.size() == 3);
  CHECK(r.tokens[2].id == 9);
  CHECK(r.tokens[2].stack[static_cast<std::size_t>(observe::Cause::preload)] == 40);
  CHECK_FALSE(r.settings.top_k.has_value());
  REQUIRE(r.operators.size() == 2);
  CHECK(r.operators[0].layer == -1);
  REQUIRE(r.operators[0].decode.detail.has_value());
  CHECK(r.operators[0].decode.detail->critical == "preload");
  CHECK(r.operators[0].decode.detail->array_cycles_at_peak == 1.5);
  CHECK(r.operators[0].decode.detail->kinds.at(1).cycles == 70);
  CHECK(r.operators[1].decode.detail->critical.empty());
  CHECK(r.unit("matrix0")->cycles("busy") == 60);
  CHECK(r.unit("matrix0")->cycles("halted") == 0);
  CHECK(r.unit("matrix1") == nullptr);
  CHECK(r.counter("dma0.read.moved_bytes") == 1280);
  CHECK_FALSE(r.counter("none").has_value());
  CHECK(r.dram_energy->total_pj == 3000.0);
  CHECK(r.timeline->series.at(0).values == std::vector<std::uint64_t>{40, 20});
  REQUIRE(r.pipeline->rows.size() == 2);
  CHECK(r.pipeline->rows[0].times[0] == -3);
  CHECK(r.pipeline->rows[1].op == -1);
  CHECK_FALSE(r.pipeline->rows[1].times[3].has_value());
}

TEST_CASE("an older result lacks details, timeline and pipeline") {
  const Result r = parse_result(test::old_result(), "old.json");
  CHECK_FALSE(r.operators.at(0).decode.detail.has_value());
  CHECK(r.operators[0].decode.cycles == 100);
  CHECK_FALSE(r.timeline.has_value());
  CHECK_FALSE(r.pipeline.has_value());
}

TEST_CASE("an interrupted result has the step that was not finished") {
  Json json = test::old_result();
  json["stop_reason"] = "interrupted";
  CHECK_THROWS_AS(parse_result(json, "r"), IoError);  // interrupted_at is missing
  json["interrupted_at"] = 211;
  json["unfinished"] = {
      {"phase", "decode"}, {"start", 201}, {"end", 211}, {"cycles", 10}, {"stack", {{"vector", 10}}}};
  CHECK_THROWS_WITH(parse_result(json, "r"), Contains("/tokens: sums to 210, not to the 200 of /cycles"));
  json["cycles"] = 210;
  json["stack"]["vector"] = 10;
  for (auto& [name, states] : json["units"].items()) states["idle"] = states["idle"].get<int>() + 10;
  const Result r = parse_result(json, "r");
  CHECK(r.interrupted_at == 211);
  CHECK(r.unfinished->cycles == 10);
}

TEST_CASE("sums that do not hold are refused with the place and both numbers") {
  check_refused([](Json& j) { j["cycles"] = 201; },
                {"/stack", "sums to 200, not to the 201 of /cycles", "run --result"});
  check_refused([](Json& j) { j["tokens"][1]["stack"]["matrix"] = 11; }, {"/tokens/1/stack", "sums to 41"});
  check_refused([](Json& j) { j["tokens"][1]["cycles"] = 41; }, {"/tokens/1/cycles"});
  check_refused([](Json& j) { j["tokens"][2]["start"] = 142; }, {"/tokens/2/start", "instead of 141"});
  check_refused([](Json& j) { std::swap(j["stack"]["matrix"], j["stack"]["preload"]); },
                {"/tokens", "sums to 60, not to the 140 of matrix in /stack"});
  check_refused([](Json& j) { j["tokens"].erase(2); }, {"/tokens", "sums to 140"});
  check_refused([](Json& j) { j["tokens"] = Json::array(); }, {"/tokens", "has no token"});
  check_refused([](Json& j) { j["operators"].erase(1); },
                {"/operators", "sums to 30, not to the 100 of the tokens in prefill"});
  check_refused([](Json& j) { j["operators"][0]["decode"]["kinds"].erase(1); },
                {"/operators/0/decode/kinds", "sums to 30, not to the 100"});
  check_refused([](Json& j) { j["operators"][0]["decode"]["stack"]["vector"] = 1; },
                {"/operators/0/decode/stack", "sums to 101"});
  check_refused([](Json& j) { j["units"]["fetch"]["idle"] = 149; }, {"/units/fetch", "sums to 199"});
  check_refused([](Json& j) { j["energy"]["dram"]["total_pj"] = 3001.0; }, {"/energy/dram/total_pj"});
  check_refused([](Json& j) { j["timeline"]["series"][0]["values"][1] = 21; },
                {"/timeline/series/0/values", "sums to 61, not to the 60"});
}

TEST_CASE("values of other types and beyond their range are refused with path, value and range") {
  check_refused([](Json& j) { j["cycles"] = -5; }, {"/cycles", "-5; it must be a whole number, 0 to"});
  check_refused([](Json& j) { j["cycles"] = 1.5; }, {"/cycles", "1.5"});
  check_refused([](Json& j) { j["cycles"] = 1e30; }, {"/cycles", "1e+30"});
  check_refused([](Json& j) { j["cycles"] = std::uint64_t{1} << 60; }, {"/cycles", "1152921504606846976"});
  check_refused([](Json& j) { j["cycles"] = "200"; }, {"/cycles", "\"200\""});
  check_refused([](Json& j) { j["tokens"] = Json::object(); }, {"/tokens", "an object; it must be a list"});
  check_refused([](Json& j) { j["units"] = 3; }, {"/units", "3; it must be an object"});
  check_refused([](Json& j) { j["tokens"][0]["id"] = std::uint64_t{1} << 32; }, {"/tokens/0/id"});
  check_refused([](Json& j) { j["tokens"][1]["phase"] = "prefill"; }, {"/tokens/1/phase", "\"decode\""});
  check_refused([](Json& j) { j["settings"]["temperature"] = -1.0; }, {"/settings/temperature"});
  check_refused([](Json& j) { j["settings"]["ignore_eos"] = 1; }, {"/settings/ignore_eos", "true or false"});
  check_refused([](Json& j) { j["stop_reason"] = "boredom"; }, {"/stop_reason", "\"length\""});
  check_refused([](Json& j) { j["stack"]["boredom"] = 0; }, {"/stack/boredom", "not known"});
  check_refused([](Json& j) { j["counters"][1]["name"] = "fetch.moved_bytes"; },
                {"/counters/1/name", "given twice"});
  check_refused([](Json& j) { j["configuration"]["values"]["clock_ghz"] = 0; },
                {"/configuration/values/clock_ghz"});
  check_refused([](Json& j) { j["configuration"]["values"].erase("dram"); },
                {"/configuration/values/dram", "is missing"});
  check_refused([](Json& j) { j["pipeline"]["rows"][0][1] = 2; }, {"/pipeline/rows/0/1", "2; it must be"});
  check_refused([](Json& j) { j["pipeline"]["rows"][0].erase(8); }, {"/pipeline/rows/0", "8 cells"});
  check_refused([](Json& j) { j["pipeline"]["columns"][3] = "began"; }, {"/pipeline/columns"});
  check_refused([](Json& j) { j["timeline"]["interval_cycles"] = 0; }, {"/timeline/interval_cycles"});
  check_refused([](Json& j) { j["timeline"]["series"][0]["name"] = "x.busy"; }, {"/timeline/series/0/name"});
}

TEST_CASE("lists that are longer than a result of a run can be are refused by their length") {
  check_refused([](Json& j) { j["timeline"]["series"][0]["values"] = std::vector<int>(513); },
                {"/timeline/series/0/values", "513 values; there are at most 512"});
  check_refused([](Json& j) { j["timeline"]["series"] = Json(1025, j["timeline"]["series"][0]); },
                {"/timeline/series", "1025 series; there are at most 1024"});
  check_refused([](Json& j) { j["counters"] = Json(8193, j["counters"][0]); },
                {"/counters", "8193 counters; there are at most 8192"});
  check_refused([](Json& j) { j["pipeline"]["instructions"] = 1; },
                {"/pipeline/rows", "2 rows of 1 instructions"});
  check_refused([](Json& j) { j["operators"][0]["decode"]["critical"] = nullptr; },
                {"/operators/0/decode/critical", "it must name a cause"});
  CHECK_THROWS_WITH(parse_result_text(std::string(kMostResultBytes + 1, ' '), "r.json"),
                    Contains("r.json: more than 64.0 MiB"));
}

TEST_CASE("sums that would pass 2^64 are refused, not begun again at 0") {
  check_refused(
      [](Json& j) {
        Json& stack = j["tokens"][1]["stack"];
        const std::uint64_t most = std::uint64_t{1} << 53;
        stack = {{"matrix", most}, {"preload", most}};
        j["tokens"][1]["cycles"] = most;
        j["tokens"][1]["end"] = most;
      },
      {"/tokens/1/cycles"});
}

TEST_CASE("every field that is taken away or made another type is refused or was optional") {
  const Json whole = test::small_result();
  const std::vector<std::string> optional = {"/timeline",       "/pipeline",      "/settings/top_k",
                                             "/settings/top_p", "/settings/seed", "/energy/dram"};
  const Json flat = whole.flatten();
  std::size_t refused = 0;
  for (const auto& [path, value] : flat.items()) {
    CAPTURE(path);
    const Json::json_pointer pointer(path);
    Json json = whole;
    json[pointer] = Json::object({{"other", "type"}});
    bool taken = true;
    try {
      parse_result(json, "r");
    } catch (const IoError& error) {
      taken = false;
      ++refused;
    }
    // What only passes through may be anything: the machine's description, and what the host says.
    const bool passes = path.starts_with("/configuration/values") || path.starts_with("/host");
    if (taken) CHECK(passes);
  }
  CHECK(refused > 150);
  for (const std::string& path : optional) {
    Json json = whole;
    json[Json::json_pointer(path)] = nullptr;
    CHECK_NOTHROW(parse_result(json, "r"));
  }
}

TEST_CASE("texts that are no result are refused with what they are") {
  CHECK_THAT(file_refusal(""), Contains("this is not JSON (line 1, column 1)"));
  CHECK_THAT(file_refusal("{\n \"schema\": NaN}"), Contains("this is not JSON (line 2, column 1"));
  CHECK_THAT(file_refusal("{\"a\": 1e999}"), Contains("beyond the range"));
  CHECK_THAT(file_refusal("{\"a\": 1, \"a\": 2}"), Contains("the key \"a\" is given twice"));
  CHECK_THAT(file_refusal("{\"a\": \"\xff\"}"), Contains("this is not JSON"));
  CHECK_THAT(file_refusal("[1]"), Contains("it has no schema"));
  CHECK_THAT(file_refusal("{\"schema\": 1}"), Contains("it has no schema"));
  CHECK_THAT(file_refusal("{\"schema\": \"tokencycle-machine-1\"}"), Contains("give a machine with -c"));
  CHECK_THAT(file_refusal("{\"schema\": \"tokencycle-result-2\"}"), Contains("its schema is"));
  CHECK_THAT(file_refusal(std::string(100'000, '[')), Contains("nested deeper than 16"));
  CHECK_THAT(file_refusal(std::string(100'000, '{')), Contains("this is not JSON"));
  std::string keys = "{\"k\": 0";
  for (int i = 0; i < 300; ++i) keys += ", \"" + std::to_string(i) + "\": 0";
  CHECK_THAT(file_refusal(keys + "}"), Contains("more than 256 keys"));
  CHECK_THROWS_AS(read_result("/nowhere/at/all.json"), IoError);
  CHECK_THROWS_AS(read_result(std::filesystem::temp_directory_path()), IoError);
}

TEST_CASE("a result cut anywhere, or with a byte changed, is refused or read, and nothing else happens") {
  const std::string text = test::small_result().dump();
  std::mt19937 random(7);
  const auto survives = [](const std::string& changed) {
    try {
      parse_result(Json::parse(changed), "r");
    } catch (const IoError&) {
    } catch (const Json::parse_error&) {
    }
  };
  for (std::size_t length = 0; length < text.size(); length += 37) {
    CHECK_FALSE(file_refusal(text.substr(0, length)).empty());
  }
  for (int i = 0; i < 300; ++i) {
    std::string changed = text;
    changed[random() % changed.size()] = static_cast<char>("0123456789{}[]\",:-eE.xn"[random() % 23]);
    CHECK_NOTHROW(survives(changed));
  }
}
