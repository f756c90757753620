// SPDX-License-Identifier: Apache-2.0
// Sweeps by the program: killed at random times they end with the table of one that was not.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "cli/sweep/slurm.h"
#include "command_line.h"

using Catch::Contains;
using Json = nlohmann::ordered_json;
using namespace tokencycle;
using test::Launched;
using test::Outcome;
using test::Scratch;

namespace {

struct Sweep {
  Scratch scratch;
  std::string model = scratch.model({.context = 64, .matrices = Format::q8_0}), plan = scratch / "plan.json";

  explicit Sweep(const Json& changes = Json::object()) {
    Json json = {{"schema", "tokencycle-sweep-1"},
                 {"command", "run"},
                 {"options",
                  {{"model", model},
                   {"config", "edge"},
                   {"timing-only", true},
                   {"prompt-tokens", 4},
                   {"new-tokens", 2}}},
                 {"axes",
                  {{{"axis", {"/matrix/rows", "/matrix/columns"}}, {"values", {{32, 32}, {64, 64}, {64, 0}}}},
                   {{"axis", "/vector/lanes"}, {"values", {8, 16, 32}}},
                   {{"axis", "kv-type"}, {"values", {"f16", "f32"}}}}},
                 {"constraints", {"vector.lanes <= matrix.rows / 2"}}};
    json.update(changes);
    std::ofstream(plan) << json.dump(1);
  }
  Outcome run(const std::string& folder, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"sweep", plan, "-o", scratch / folder, "-j", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return Launched(words).wait();
  }
  std::string table(const std::string& folder) const {
    return test::contents_of(scratch / folder + "/table.csv");
  }
};

}  // namespace

TEST_CASE("a sweep names what cannot be run before anything runs, and ends with a row for each point") {
  const Sweep sweep;
  const Outcome dry = sweep.run("a", {"--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.out, Contains("points   16, of which 6 cannot be run; constraints leave out 2"));
  CHECK_THAT(dry.err, Contains("point 13 cannot be run") && Contains("/matrix/columns"));
  CHECK_FALSE(std::filesystem::exists(sweep.scratch / "a"));

  const Outcome all = sweep.run("a");
  CHECK(all.exit_code == 0);
  CHECK_THAT(all.out, Contains("10 done, 6 failed, 0 open"));
  const Json table = Json::parse(test::contents_of(sweep.scratch / "a/table.json"));
  REQUIRE(table["points"].size() == 16);
  CHECK(table["points"][0]["/matrix/rows"] == 32);
  CHECK(table["points"][0]["cycles"].get<std::uint64_t>() > 0);
  CHECK_THAT(table["points"][15]["error"].get<std::string>(),
             Contains("exit code 3") && Contains("/matrix/columns"));
}

TEST_CASE("a sweep that is killed again and again ends with the table of one that was not") {
  const Sweep sweep;
  REQUIRE(sweep.run("whole", {"-q"}).exit_code == 0);
  std::mt19937 random(1);
  int killed = 0;
  for (int attempt = 0;; ++attempt) {
    Launched run({"sweep", sweep.plan, "-o", sweep.scratch / "parts", "-j", "2", "--resume", "-q"});
    if (attempt < 8) {
      test::wait(test::kSlower * std::uniform_real_distribution<>(0, 0.1)(random));
      run.signal(attempt % 2 == 0 ? SIGKILL : SIGINT);
    }
    const Outcome end = run.wait();
    if (end.exit_code == 0) break;
    ++killed;
    CHECK((end.exit_code == 130 || end.exit_code == 128 + SIGKILL));
  }
  CHECK(killed > 0);
  CHECK(sweep.table("parts") == sweep.table("whole"));
}

TEST_CASE("a point's command repeats it by hand") {
  const Sweep sweep(
      Json{{"constraints", Json::array()}, {"axes", {{{"axis", "/vector/lanes"}, {"values", {8}}}}}});
  REQUIRE(sweep.run("one", {"-q"}).exit_code == 0);
  const Outcome by_hand = Launched({"run", "--model", sweep.model, "--config", "edge", "--timing-only",
                                    "--prompt-tokens", "4", "--new-tokens", "2", "--set", "/vector/lanes=8",
                                    "-q", "--result", sweep.scratch / "hand.json"})
                              .wait();
  REQUIRE(by_hand.exit_code == 0);
  const Json one = Json::parse(test::contents_of(sweep.scratch / "one/points/000001.json"));
  const Json hand = Json::parse(test::contents_of(sweep.scratch / "hand.json"));
  for (const char* key : {"cycles", "stack", "event_digest", "program"}) CHECK(one[key] == hand[key]);
}

TEST_CASE("products are swept as well") {
  const Sweep sweep(Json{{"command", "gemm"},
                         {"options", {{"M", 16}, {"N", 32}, {"K", 64}, {"timing-only", true}}},
                         {"constraints", Json::array()},
                         {"axes",
                          {{{"axis", "dataflow"}, {"values", {"ws", "os"}}},
                           {{"axis", "dtype"}, {"values", {"int8", "fp16"}}}}}});
  REQUIRE(sweep.run("gemm", {"-q"}).exit_code == 0);
  const Json table = Json::parse(test::contents_of(sweep.scratch / "gemm/table.json"));
  REQUIRE(table["points"].size() == 4);
  for (const Json& point : table["points"])
    CHECK(point["end_to_end_cycles"].get<std::uint64_t>() > point["array_cycles"].get<std::uint64_t>());
}

TEST_CASE("a folder of another plan, and one that was begun, are refused") {
  const Sweep sweep, other(Json{{"name", "other"}});
  REQUIRE(sweep.run("a", {"-q", "--points", "1"}).exit_code == 0);
  const Outcome again = sweep.run("a");
  CHECK(again.exit_code == 2);
  CHECK_THAT(again.err, Contains("--resume"));
  const Outcome foreign = Launched({"sweep", other.plan, "-o", sweep.scratch / "a", "--resume"}).wait();
  CHECK(foreign.exit_code == 2);
  CHECK_THAT(foreign.err, Contains("another plan"));
  CHECK_THAT(sweep.run("a", {"--status"}).out, Contains("1 done, 0 failed, 15 open"));
}

TEST_CASE("numbers of points go in ranges") {
  using cli::ranges_of;
  CHECK(cli::ranges_text({3, 4, 5, 9, 11, 12}) == "3-5,9,11-12");
  CHECK(ranges_of("3-5,9,4") == std::vector<std::uint64_t>{3, 4, 5, 9});
  for (const char* wrong : {"", "a", "3-", "5-3", "0", "1,", "1;2", "1-2-3"})
    CHECK_THROWS_WITH(ranges_of(wrong), Contains("--points"));
}

TEST_CASE("a plan with a text has the perplexity of each point's model, found once for those that share it") {
  Sweep sweep;
  const std::string text = sweep.scratch.file("text.txt", std::string(400, 'a') + std::string(300, 'b'));
  Scratch other;
  const std::string coarse = other.model({.context = 64, .matrices = Format::q4_0});
  Json plan = Json::parse(test::contents_of(sweep.plan));
  plan["options"].erase("model");
  plan["axes"] = {{{"axis", "model"}, {"values", {sweep.model, coarse}}},
                  {{"axis", "kv-type"}, {"values", {"f16", "f32"}}},
                  {{"axis", "/vector/lanes"}, {"values", {8, 16}}}};
  plan.erase("constraints");
  plan["quality"] = {{"file", text}, {"window", 16}};
  std::ofstream(sweep.plan) << plan.dump(1);
  const Outcome all = sweep.run("a", {"--report", sweep.scratch / "page.html"});
  INFO(all.err);
  CHECK(all.exit_code == 0);
  const Json table = Json::parse(test::contents_of(sweep.scratch / "a/table.json"));
  REQUIRE(table["points"].size() == 8);
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(sweep.scratch / "a/quality"))
    found += entry.path().extension() == ".json" ? 1 : 0;
  CHECK(found == 4);
  for (const Json& point : table["points"]) {
    const Outcome one =
        test::launch({"perplexity", "--json", "-f", text, "--window", "16", "-m",
                      point["model"].get<std::string>(), "--kv-type", point["kv-type"].get<std::string>()});
    REQUIRE(one.exit_code == 0);
    CHECK(point["perplexity"] == Json::parse(one.out)["perplexity"]);
    CHECK(point["cycles"].get<std::uint64_t>() > 0);
  }
  CHECK(table["points"][0]["perplexity"] != table["points"][4]["perplexity"]);
  CHECK_THAT(test::contents_of(sweep.scratch / "page.html"), Contains("perplexity"));
  // What cannot be found leaves the points their cycles.
  plan["quality"]["window"] = 64;
  std::ofstream(text) << "short";
  std::ofstream(sweep.plan) << plan.dump(1);
  const Outcome none = sweep.run("b");
  CHECK(none.exit_code == 0);
  CHECK_THAT(none.err, Contains("no perplexity: exit code 4"));
  const Json without = Json::parse(test::contents_of(sweep.scratch / "b/table.json"));
  CHECK(without["points"][0]["perplexity"].is_null());
  CHECK(without["points"][0]["state"] == "done");
  plan["command"] = "gemm";
  std::ofstream(sweep.plan) << plan.dump(1);
  CHECK_THAT(sweep.run("c").err, Contains("/quality"));
}
