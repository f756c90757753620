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
