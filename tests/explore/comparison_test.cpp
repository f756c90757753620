// SPDX-License-Identifier: Apache-2.0
// Does a comparison say what differs and why, with sums that come out?
#include "explore/comparison.h"

#include <catch2/catch.hpp>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "small_result.h"

using namespace tokencycle;
using namespace tokencycle::explore;
using Catch::Contains;
using test::Json;

namespace {

Result parsed(const Json& json, const std::string& source) {
  return parse_result(json, source);
}

// The small machine, and one of 16 banks whose second token has 12 preload cycles more and 2 moved to vector.
std::vector<Result> two() {
  Json changed = test::old_result("wide");
  changed["configuration"]["values"]["scratchpad"]["banks"] = 16;
  test::add_cycles(changed, 1, "preload", 12);
  test::move_cycles(changed, 1, "matrix", "vector", 2);
  return {parsed(test::small_result(), "a.json"), parsed(changed, "b.json")};
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::size_t longest = 0;
  while (std::getline(lines, line)) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("figures of a result are derived from its counts") {
  const Figures f = figures_of(parsed(test::small_result(), "a.json"));
  CHECK(f.first_token == 100u);
  CHECK(f.decode_tokens == 2);
  CHECK(f.decode_median == 40u);  // of 40 and 60 the lower, as `run` prints it
  CHECK(f.decode_max == 60u);
  CHECK(*f.tokens_per_second == Approx(2e9 / 40));
  CHECK(*f.us_per_token == Approx(0.02));
  CHECK(f.matrix_busy == Approx(30));
  CHECK(f.vector_busy == Approx(5));
  CHECK(f.dram_busy == Approx(45));  // 50 and 40 %
  CHECK(f.dram_bytes == 1500);
  CHECK(*f.prefill_bytes == Approx(275));  // of 550 for two tokens of the prompt
  CHECK(*f.decode_bytes == Approx(475));
  CHECK(*f.prefill_uj == Approx(0.0006));
  CHECK(*f.decode_uj == Approx(0.0009));
  CHECK(f.pj_per_bit == 0.25);
}

TEST_CASE("bytes and energy of a phase are known where the result has them, and its sums hold") {
  const Figures old = figures_of(parsed(test::old_result("old"), "old.json"));
  CHECK_FALSE(old.prefill_bytes);
  CHECK_FALSE(old.decode_uj);
  Json unknown = test::small_result();
  for (const char* name : {"prefill", "decode"}) unknown["phases"][name]["dram_pj"] = nullptr;
  CHECK_FALSE(figures_of(parsed(unknown, "a.json")).decode_uj);
  CHECK(*figures_of(parsed(unknown, "a.json")).decode_bytes == Approx(475));
  for (const char* key : {"tokens", "cycles", "loaded_bytes", "stored_bytes", "instruction_bytes"}) {
    INFO(key);
    Json wrong = test::small_result();
    wrong["phases"]["decode"][key] = wrong["phases"]["decode"][key].get<int>() + 1;
    CHECK_THROWS_AS(parsed(wrong, "a.json"), IoError);
  }
}

TEST_CASE("only the keys that differ are listed, but for name and description") {
  const Comparison c = compare(two(), 0);
  REQUIRE(c.keys.size() == 1);
  CHECK(c.keys[0].path == "/scratchpad/banks");
  CHECK(c.keys[0].values == std::vector<std::string>{"4", "16"});
  CHECK(c.settings.empty());
  CHECK(c.warnings.empty());
  CHECK(c.same_tokens);
}

TEST_CASE("a key that one machine lacks, and a list, count as one value") {
  Json other = test::small_result("other");
  other["configuration"]["values"]["dram"]["model"] = "commands";
  other["configuration"]["values"]["dram"]["mapping"] = {"row:3", "column:2"};
  other["configuration"]["values"]["matrix"]["rows"] = 8.0;  // the same number
  const Comparison c = compare({parsed(test::small_result(), "a"), parsed(other, "b")}, 0);
  REQUIRE(c.keys.size() == 2);
  CHECK(c.keys[0].path == "/dram/model");
  CHECK(c.keys[1].path == "/dram/mapping");
  CHECK(c.keys[1].json[0].is_null());
  CHECK(c.keys[1].values == std::vector<std::string>{"", "row:3, column:2"});
}

TEST_CASE("the causes' differences are sorted and sum to the tokens'") {
  const Comparison c = compare(two(), 0);
  REQUIRE(c.decode[1].has_value());
  const Reasons& r = *c.decode[1];
  CHECK(r.baseline_tokens == 2);
  CHECK(r.baseline_cycles == 100);
  CHECK(r.cycles == 112);
  REQUIRE(r.changes.size() == 3);
  CHECK(r.changes[0].cause == observe::Cause::preload);
  CHECK(r.changes[0].difference() == 6.0);  // of the mean of two tokens
  CHECK(r.changes[1].cause == observe::Cause::matrix);
  CHECK(r.changes[1].difference() == -1.0);
  CHECK(r.changes[2].cause == observe::Cause::vector);
  CHECK(r.changes[2].difference() == 1.0);
  double sum = 0;
  for (const CauseChange& change : r.changes) sum += change.difference();
  CHECK(sum == r.value - r.baseline);
  CHECK(c.first_token[1]->value == c.first_token[1]->baseline);
  CHECK(c.decode[0]->value == c.decode[0]->baseline);
}

TEST_CASE("either result can be the baseline") {
  const std::vector<Result> results = two();
  const Comparison c = compare(results, 1);
  CHECK(c.decode[0]->changes[0].difference() == -6.0);
  CHECK(find_baseline(results, "wide") == 1);
  CHECK(find_baseline(results, "a.json") == 0);
  CHECK(find_baseline(results, "b") == 1);
  CHECK_THROWS_WITH(find_baseline(results, "x"), Contains("'x'; it must be one of: small, wide"));
  CHECK_THROWS_AS(find_baseline(results, ""), UsageError);
}

TEST_CASE("results of one machine are told apart by their files, then by numbers") {
  const Result a = parsed(test::small_result(), "x/one.json"), b = parsed(test::small_result(), "two.json");
  const Result c = parsed(test::small_result("c"), "one.json");
  CHECK(labels_of({a, b, c}) == std::vector<std::string>{"one", "two", "c"});
  CHECK(labels_of({a, a}) == std::vector<std::string>{"one #1", "one #2"});
  CHECK(labels_of({parsed(test::small_result("\033[2J\n"), "r")}) == std::vector<std::string>{"?[2J?"});
}

TEST_CASE("different work is warned of") {
  const auto warned = [](const std::function<void(Json&)>& change, const std::string& part) {
    Json json = test::old_result("other");
    change(json);
    const Comparison c = compare({parsed(test::small_result(), "a"), parsed(json, "b")}, 0);
    REQUIRE(c.warnings.size() == 1);
    CHECK_THAT(c.warnings[0], Catch::StartsWith("other: ") && Contains(part));
    CHECK_THAT(comparison_text(c), Contains("warning: other: "));
    return c;
  };
  CHECK_FALSE(warned([](Json& j) { j["model"]["digest"] = "d2"; }, "another model").same_tokens);
  CHECK_FALSE(warned([](Json& j) { j["prompt_tokens"] = {1, 6}; }, "another prompt").same_tokens);
  CHECK_FALSE(warned([](Json& j) { j["tokens"][1]["id"] = 80; }, "other ones from token 1 on").same_tokens);
  CHECK(warned([](Json& j) { j["settings"]["kv_format"] = "f32"; }, "another format").same_tokens);
  warned([](Json& j) { j["version"] = "9.0.0"; }, "another version");
  warned(
      [](Json& j) {
        j["stop_reason"] = "interrupted";
        j["interrupted_at"] = 201;
      },
      "interrupted");
  // The digest covers the devices of the memory's preset; the values have its name alone.
  warned(
      [](Json& j) {
        j["configuration"] = test::small_result()["configuration"];
        j["configuration"]["name"] = "other";
        j["configuration"]["digest"] = "c2";
      },
      "another digest");
}

TEST_CASE("without values a model is the same by name, shape and format") {
  Json json = test::old_result("other");
  json["settings"]["timing_only"] = true;
  json["model"]["digest"] = "of the header";
  CHECK(compare({parsed(test::small_result(), "a"), parsed(json, "b")}, 0).warnings.empty());
  json["model"]["weights"] = "f16";
  CHECK(compare({parsed(test::small_result(), "a"), parsed(json, "b")}, 0).warnings.size() == 1);
}

TEST_CASE("the text shows figures with changes, keys and reasons, and fits 100 columns") {
  const std::string text = comparison_text(compare(two(), 0));
  CHECK_THAT(text,
             Contains("decode median, cycles                                       40                52"));
  CHECK_THAT(text, Contains("+30.0 %"));
  CHECK_THAT(text,
             Contains("/scratchpad/banks                                            4                16"));
  CHECK_THAT(text, Contains("mean decode token: 56.0 instead of 50.0 cycles (+12.0 %)"));
  CHECK_THAT(text, Contains("first token: 100 instead of 100 cycles (no change)"));
  CHECK_THAT(text, Contains("preload                     35.0        41.0        +6.0"));
  CHECK_THAT(text, Contains("generated the same tokens"));
  CHECK(longest_line(text) <= 100);
}

TEST_CASE("many results come in blocks, each with the baseline, and long names and values are cut") {
  std::vector<Result> results;
  for (int i = 0; i < 9; ++i) {
    Json json = test::old_result("machine number " + std::to_string(i) + " of a long name");
    json["configuration"]["values"]["dram"]["mapping"] = std::string(200, 'm') + std::to_string(i);
    json["configuration"]["values"][std::string(50, 'k')] = i;
    results.push_back(parsed(json, std::to_string(i)));
  }
  const std::string text = comparison_text(compare(results, 4));
  CHECK(longest_line(text) <= 100);
  std::size_t blocks = 0;
  for (std::size_t at = text.find("first token, cycles"); at != std::string::npos;
       at = text.find("first token, cycles", at + 1)) {
    ++blocks;
  }
  CHECK(blocks == 3);
}

TEST_CASE("rounded columns sum to the rounded total") {
  // Three causes of a quarter of a cycle a token: not all of them can be 0.3, nor 0.2.
  Json json = test::old_result("thirds");
  Json token = json["tokens"][2];
  for (std::uint64_t i = 0; i < 2; ++i) {
    token["start"] = 201 + 60 * i;
    token["end"] = 261 + 60 * i;
    json["tokens"].push_back(token);
    test::add_cycles(json, 3 + i, "matrix", 0);
  }
  json["cycles"] = 320;
  json["stack"]["matrix"] = 100;
  json["stack"]["preload"] = 220;
  json["operators"][0]["decode"]["cycles"] = 220;
  for (auto& [name, states] : json["units"].items()) states["idle"] = states["idle"].get<int>() + 120;
  test::move_cycles(json, 1, "preload", "vector", 1);
  test::move_cycles(json, 1, "preload", "drain", 1);
  test::move_cycles(json, 1, "preload", "front_end", 1);
  const Comparison c = compare({parsed(test::old_result(), "a"), parsed(json, "b")}, 0);
  const std::string text = comparison_text(c);
  double sum = 0;
  std::istringstream lines(text.substr(text.find("cycles by cause")));
  std::string line, name;
  double base = 0, value = 0;
  std::getline(lines, line);
  std::getline(lines, line);
  while (std::getline(lines, line) && !line.starts_with("total")) {
    std::istringstream(line) >> name >> base >> value;
    sum += value;
  }
  std::istringstream(line) >> name >> base >> value;
  CHECK(value == Approx(55.0));
  CHECK(sum == Approx(value));
}

TEST_CASE("the JSON has exact sums, changes in percent, and typed values of keys") {
  const std::vector<Result> results = two();
  const Json j = comparison_json(compare(results, 0), results);
  CHECK(j["schema"] == "tokencycle-comparison-1");
  CHECK(j["keys"] == Json::parse(R"([{"path": "/scratchpad/banks", "values": [4, 16]}])"));
  CHECK(j["results"][0]["change_percent"].is_null());
  CHECK(j["results"][1]["change_percent"]["decode_median_cycles"] == Approx(30.0));
  const Json& decode = j["results"][1]["decode"];
  std::uint64_t before = 0, after = 0;
  for (const Json& cause : decode["causes"]) {
    before += cause["baseline_cycles"].get<std::uint64_t>();
    after += cause["cycles"].get<std::uint64_t>();
  }
  CHECK(before == decode["baseline_cycles"]);
  CHECK(after == decode["cycles"]);
  CHECK(decode["causes"][0]["cause"] == "preload");
  CHECK(decode["difference_per_token"] == 6.0);
}
