// SPDX-License-Identifier: Apache-2.0
// Plans of sweeps: what is refused, which points they have, what a point sets.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "explore/sweep/constraint.h"
#include "explore/sweep/folder.h"
#include "explore/sweep/plan.h"

using namespace tokencycle;
using namespace tokencycle::explore;
using Catch::Contains;
using Json = nlohmann::ordered_json;

namespace {

Json plan_json() {
  return {{"schema", "tokencycle-sweep-1"},
          {"command", "run"},
          {"options", {{"config", "edge"}, {"timing-only", true}, {"check", false}, {"n", 3}}},
          {"axes",
           {{{"axis", {"/matrix/rows", "/matrix/columns"}}, {"values", {{8, 8}, {16, 16}, {32, 8}}}},
            {{"axis", "/scratchpad/capacity_kib"}, {"from", 128}, {"to", 1000}, {"factor", 2}}}}};
}

SweepPlan plan_of(const Json& json) {
  return parse_plan(json.dump(), "plan.json");
}

std::string refusal(const Json& json) {
  try {
    plan_of(json);
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a grid has every combination, the last axis fastest") {
  const SweepPlan plan = plan_of(plan_json());
  const std::vector<Point> points = points_of(plan);
  REQUIRE(points.size() == 9);
  CHECK(points[0].at == std::vector<std::uint32_t>{0, 0});
  CHECK(points[1].at == std::vector<std::uint32_t>{0, 1});
  CHECK(points[8].at == std::vector<std::uint32_t>{2, 2});
  CHECK(points[8].number == 9);
  const auto arguments = arguments_of(settings_of(plan, points[7]));
  CHECK(arguments == std::vector<std::string>{"--config", "edge", "--timing-only", "-n", "3", "--set",
                                              "/matrix/rows=32", "--set", "/matrix/columns=8", "--set",
                                              "/scratchpad/capacity_kib=256"});
}

TEST_CASE("a range goes by steps or by factors and ends at its last value or before") {
  Json json = plan_json();
  json["axes"] = {{{"axis", "/matrix/rows"}, {"from", 3}, {"to", 11}, {"step", 4}}};
  const SweepPlan steps = plan_of(json);
  REQUIRE(steps.axes[0].values.size() == 3);
  CHECK(steps.axes[0].values[2][0] == 11);
  json["axes"] = {{{"axis", "/matrix/rows"}, {"from", 5}, {"to", 45}, {"factor", 3}}};
  const SweepPlan factors = plan_of(json);
  REQUIRE(factors.axes[0].values.size() == 3);
  CHECK(factors.axes[0].values[2][0] == 45);
  json["axes"] = {{{"axis", "/matrix/rows"}, {"from", 1}, {"to", std::int64_t{1} << 53}, {"factor", 2}}};
  CHECK(plan_of(json).axes[0].values.size() == 54);
}

TEST_CASE("a Latin hypercube takes each position equally often, and a seed gives the same points again") {
  Json json = plan_json();
  json["axes"] = {{{"axis", "/matrix/rows"}, {"from", 1}, {"to", 10}, {"step", 1}},
                  {{"axis", "/matrix/columns"}, {"from", 1}, {"to", 5}, {"step", 1}}};
  json["sample"] = {{"method", "latin-hypercube"}, {"points", 10}, {"seed", 7}};
  const std::vector<Point> points = points_of(plan_of(json)), again = points_of(plan_of(json));
  std::map<std::uint32_t, int> rows, columns;
  REQUIRE(points.size() == 10);
  for (std::size_t i = 0; i < points.size(); ++i) {
    ++rows[points[i].at[0]];
    ++columns[points[i].at[1]];
    CHECK(points[i].at == again[i].at);
  }
  CHECK(rows.size() == 10);
  CHECK(columns.size() == 5);
  for (const auto& [position, count] : columns) CHECK(count == 2);
  json["sample"]["seed"] = 8;
  bool same = true;
  for (const Point& point : points_of(plan_of(json))) same = same && point.at == points[point.number - 1].at;
  CHECK_FALSE(same);
}

TEST_CASE("random samples are distinct and do not depend on the standard library") {
  Json json = plan_json();
  json["sample"] = {{"method", "random"}, {"points", 100}, {"seed", 1}};
  const std::vector<Point> points = points_of(plan_of(json));
  CHECK(points.size() == 9);  // of nine combinations a hundred draws found all, once each
}

TEST_CASE("what is wrong in a plan is named with its place") {
  const auto changed = [](const std::string& pointer, const Json& value) {
    Json json = plan_json();
    json[Json::json_pointer(pointer)] = value;
    return refusal(json);
  };
  CHECK_THAT(changed("/schema", "tokencycle-sweep-9"), Contains("/schema") && Contains("tokencycle-sweep-1"));
  CHECK_THAT(changed("/axis", 1), Contains("/axis: is unknown; did you mean 'axes'?"));
  CHECK_THAT(changed("/command", "compare"), Contains("it must be run or gemm"));
  for (const char* option : {"/options/result", "/options/what-if", "/options/jobs"})
    CHECK_THAT(changed(option, "x"), Contains(option) && Contains("the sweep gives itself"));
  CHECK_THAT(changed("/options/~1matrix~1rows", 8), Contains("keys of the machine go into set"));
  CHECK_THAT(changed("/set", Json{{"context", 8}}), Contains("/set/context"));
  CHECK_THAT(changed("/axes/0/values/1", Json{16}), Contains("/axes/0/values/1") && Contains("2 values"));
  CHECK_THAT(changed("/axes/0/values/1", Json{8, 8}), Contains("the list has already"));
  CHECK_THAT(changed("/axes/0/values", Json::array()), Contains("at least one value"));
  CHECK_THAT(changed("/axes/1/axis", "/matrix/rows"), Contains("a second time"));
  CHECK_THAT(changed("/axes/1/factor", 1), Contains("a factor at least 2"));
  CHECK_THAT(changed("/axes/1/step", 1), Contains("either step or factor"));
  CHECK_THAT(changed("/axes/1/to", 3), Contains("in order"));
  CHECK_THAT(changed("/axes", Json::array()), Contains("at least one axis"));
  CHECK_THAT(changed("/sample", Json{{"method", "sobol"}, {"points", 3}}), Contains("/sample/method"));
  CHECK_THAT(changed("/sample", Json{{"method", "random"}, {"points", 0}}), Contains("/sample/points"));
  CHECK_THAT(changed("/constraints", "a < b"), Contains("list of expressions"));
  CHECK(refusal(plan_json()) == "accepted");
  CHECK_THROWS_WITH(parse_plan("{", "p"), Contains("no JSON at byte"));
  Json large = plan_json();
  large["axes"] = Json::array();
  for (const char* key : {"/a", "/b", "/c", "/d"})
    large["axes"].push_back({{"axis", key}, {"from", 1}, {"to", 100}, {"step", 1}});
  CHECK_THROWS_WITH(points_of(plan_of(large)), Contains("more than 1,000,000 combinations"));
}

TEST_CASE("constraints are expressions over keys and options") {
  const Json machine = {
      {"matrix",
       {{"rows", 8}, {"columns", 16}, {"dataflow", "weight-stationary"}, {"double_buffered", true}}}};
  const Settings settings = {{{"prompt-tokens"}, 32}};
  const auto holds = [&](const char* text) { return keeps(text, machine, settings, "plan.json"); };
  CHECK(holds("matrix.rows * matrix.columns <= 128"));
  CHECK_FALSE(holds("matrix.rows * matrix.columns < 128"));
  CHECK(holds("matrix.double_buffered && option.prompt_tokens == 32"));
  CHECK(holds("max(matrix.rows, matrix.columns) == 16 && log2(matrix.rows) == 3"));
  CHECK_THROWS_WITH(holds("matrix.row > 1"), Contains("'matrix.row' is no key"));
  CHECK_THROWS_WITH(holds("matrix.dataflow > 1"), Contains("constraints are about numbers"));
  CHECK_THROWS_WITH(holds("matrix.rows >"), Contains("plan.json: /constraints: 'matrix.rows >'"));
  CHECK_THROWS_AS(holds("option.context > 1"), ConfigurationError);
}

TEST_CASE("a folder belongs to one plan, and is taken up only when asked") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "tokencycle_sweep_folder_test";
  std::filesystem::remove_all(path);
  const SweepFolder folder(path);
  folder.begin("{}", false);
  CHECK_THROWS_WITH(folder.begin("{}", false), Contains("--resume"));
  CHECK_NOTHROW(folder.begin("{}", true));
  CHECK_THROWS_WITH(folder.begin("{ }", true), Contains("another plan"));
  CHECK(folder.state({1, {}}) == SweepFolder::State::open);
  std::filesystem::remove_all(path);
}
