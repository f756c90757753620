// SPDX-License-Identifier: Apache-2.0
// run --what-if: what each change alone saves, against runs of the changed machines.
#include <catch2/catch.hpp>

#include "cli/sweep/what_if.h"
#include "command_line.h"

using Catch::Contains;
using Json = nlohmann::ordered_json;
using namespace tokencycle;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

struct Cycles {
  std::int64_t prefill = 0, decode = 0, all = 0;
};

Cycles cycles_of(const Scratch& scratch, std::vector<std::string> arguments) {
  const std::string file = scratch / "one.json";
  arguments.insert(arguments.end(), {"-q", "--result", file});
  const Outcome run = launch(arguments);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const Json result = test::json_of(file);
  Cycles cycles{0, 0, result["cycles"].get<std::int64_t>()};
  for (const Json& token : result["tokens"])
    (token["phase"] == "prefill" ? cycles.prefill : cycles.decode) += token["cycles"].get<std::int64_t>();
  return cycles;
}

}  // namespace

TEST_CASE("--what-if saves what runs of the changed machines say, most first") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 64, .matrices = Format::q8_0});
  const std::string timing = GENERATE("", "--timing-only");
  std::vector<std::string> run = {"run", "-m", model, "-p", "abc", "-n", "3", "--set", "/vector/lanes=8"};
  if (!timing.empty()) run.push_back(timing);
  // The last change takes the place of --set's.
  const std::vector<std::pair<std::string, std::vector<std::string>>> changes = {
      {"/matrix/rows=64+matrix.columns=64", {"/matrix/rows=64", "/matrix/columns=64", "/vector/lanes=8"}},
      {"dram.channels=1", {"/dram/system/channels=1", "/vector/lanes=8"}},
      {"vector.lanes=32", {"/vector/lanes=32"}}};

  std::vector<std::string> words = run;
  words.insert(words.end(), {"--what-if", changes[0].first + "," + changes[1].first, "--what-if",
                             changes[2].first, "-j", "2", "--json"});
  const Outcome outcome = launch(words);
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const Json json = Json::parse(outcome.out);
  const Cycles base = cycles_of(scratch, run);
  CHECK(json["base"]["prefill_cycles"] == base.prefill);
  CHECK(json["base"]["decode_cycles"] == base.decode);
  CHECK(json["base"]["cycles"] == base.all);
  CHECK(json["timing_only"] == !timing.empty());
  REQUIRE(json["changes"].size() == changes.size());
  for (const auto& [text, sets] : changes) {
    CAPTURE(text);
    const auto record = std::find_if(json["changes"].begin(), json["changes"].end(),
                                     [&text = text](const Json& c) { return c["change"] == text; });
    REQUIRE(record != json["changes"].end());
    std::vector<std::string> changed = {"run", "-m", model, "-p", "abc", "-n", "3"};
    if (!timing.empty()) changed.push_back(timing);
    for (const std::string& set : sets) changed.insert(changed.end(), {"--set", set});
    const Cycles cycles = cycles_of(scratch, changed);
    CHECK((*record)["prefill_saved_cycles"] == base.prefill - cycles.prefill);
    CHECK((*record)["decode_saved_cycles"] == base.decode - cycles.decode);
    CHECK((*record)["saved_cycles"] == base.all - cycles.all);
    CHECK(cycles.all != base.all);
  }
  for (std::size_t i = 1; i < json["changes"].size(); ++i)
    CHECK(json["changes"][i - 1]["saved_cycles"] >= json["changes"][i]["saved_cycles"]);
}

TEST_CASE("--what-if names changes that cannot be run and runs the others") {
  const Scratch scratch;
  std::vector<std::string> run = {"run", "-m", scratch.model(), "-n", "1", "--timing-only"};
  const auto what_if = [&run](const std::string& changes) {
    std::vector<std::string> words = run;
    words.insert(words.end(), {"--what-if", changes});
    return launch(words);
  };
  const Outcome some = what_if("matrix.rowz=3,vector.lanes=32,matrix.rows=0");
  CHECK(some.exit_code == 0);
  CHECK_THAT(some.out, Contains("vector.lanes=32") &&
                           Contains("matrix.rowz=3: cannot be run (exit code 3)") &&
                           Contains("did you mean \"rows\"") && Contains("matrix.rows=0: cannot be run"));
  const Outcome none = what_if("matrix.rows=0");
  CHECK(none.exit_code == 3);
  CHECK_THAT(none.err, Contains("none of the changes can be run"));
  const Outcome twice = what_if("vector.lanes=32,/vector/lanes=32");
  CHECK(twice.exit_code == 2);
  CHECK_THAT(twice.err, Contains("twice"));
  CHECK(what_if("vector.lanes").exit_code == 2);
  CHECK(what_if("vector.lanes=").exit_code == 2);
  run.insert(run.end(), {"--context", "1", "-p", "abc"});
  const Outcome base = what_if("vector.lanes=32");
  CHECK(base.exit_code == 2);
  CHECK_THAT(base.err, Contains("the context has 1"));
  run.insert(run.end(), {"--result", scratch / "r.json"});
  CHECK_THAT(what_if("vector.lanes=32").err, Contains("--result does not go with --what-if"));
  CHECK_FALSE(std::filesystem::exists(scratch / "r.json"));
  CHECK(launch({"run", "-n", "1", "-j", "2"}).exit_code == 2);
}

TEST_CASE("a change's commas and pluses are those outside of values, and short keys are found") {
  const Json machine = Json::parse(R"({"a": {"x": {"c": 1}, "y": {"d": 1, "c": 2}}, "b": {"c": 3}})");
  const auto changes = cli::what_if_changes(R"(b.c=[1,{"k":"x,+y"}]+a.d=1e+6,/q/r=5)", machine);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].sets == std::vector<std::string>{R"(/b/c=[1,{"k":"x,+y"}])", "/a/y/d=1e+6"});
  CHECK(changes[1].sets == std::vector<std::string>{"/q/r=5"});
  CHECK(cli::what_if_changes("a.z=1", machine)[0].sets.front() == "/a/z=1");
  CHECK_THROWS_WITH(cli::what_if_changes("a.c=1", machine), Contains("/a/x/c or /a/y/c"));
}

TEST_CASE("--what-if says what TMPDIR has to be when its runs have no place for what they print") {
  const Scratch scratch;
  const Outcome run = launch({"run", "--timing-only", "-n", "1", "--what-if", "matrix.rows=8"},
                             {{"TMPDIR", scratch / "nothing"}});
  CHECK(run.exit_code == 7);
  CHECK_THAT(run.err, Contains("TMPDIR does not name a folder"));
}
