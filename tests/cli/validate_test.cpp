// SPDX-License-Identifier: Apache-2.0
// validate: the scorecard of configs/validation, and what is wrong with scorecards.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "command_line.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Scratch;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs/validation";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Json row() {
  return {{"name", "stream"},    {"about", "a stream"},
          {"command", "dram"},   {"options", {{"config", "ddr4-3200"}, {"stride", 64}, {"requests", 64}}},
          {"figure", "clocks"},  {"unit", "clocks"},
          {"published", 300},    {"aim", 10},
          {"source", "by hand"}, {"seconds", 1}};
}

std::string card(const Scratch& scratch, const Json& rows) {
  return scratch.file("card.json", Json{{"schema", "tokencycle-scorecard-1"}, {"rows", rows}}.dump());
}

}  // namespace

TEST_CASE("the quick rows of the scorecard give what its page says, and every row is on the page") {
  const std::string page = test::contents_of(kFolder / "results.md");
  const auto quick = launch({"validate", "--quick", "--quiet", "--markdown"});
  REQUIRE(quick.exit_code == 0);
  const std::vector<std::string> lines = lines_of(quick.out);
  CHECK(lines.size() > 20);
  for (const std::string& line : lines) {
    INFO("made by `tokencycle validate --markdown`: " << line);
    CHECK_THAT(page, Contains(line + "\n"));
  }
  const Json all = Json::parse(launch({"validate", "--list", "--json"}).out)["rows"];
  for (const Json& r : all) CHECK_THAT(page, Contains("\n| `" + r["name"].get<std::string>() + "` | "));
  std::size_t on_page = 0;
  for (const std::string& line : lines_of(page)) on_page += line.starts_with("| `") ? 1 : 0;
  CHECK(on_page == all.size());
}

TEST_CASE("a row that misses its aim says why, and no figure is without a source") {
  const Json rows = Json::parse(launch({"validate", "--quick", "--quiet", "--json"}).out)["rows"];
  std::set<std::string> missed;
  for (const Json& r : rows) {
    CAPTURE(r["name"]);
    CHECK(r["source"].get<std::string>().size() > 20);
    REQUIRE(r["figure"].is_number());
    const double error = 100 * (r["figure"].get<double>() / r["published"].get<double>() - 1);
    if (r["error_kind"] == "percent") CHECK(r["error"].get<double>() == Approx(error).margin(1e-9));
    CHECK(r["meets_aim"] == (std::abs(r["error"].get<double>()) <= r["aim"].get<double>()));
    if (!r["meets_aim"].get<bool>()) CHECK_FALSE(r["reason"].get<std::string>().empty());
    CHECK_THAT(r["command"].get<std::string>(), Catch::StartsWith("tokencycle "));
  }
}

TEST_CASE("the machines and memories of the scorecard pass the checks and say where they come from") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".json") continue;
    const Json json = test::json_of(entry.path());
    const bool described = json.value("schema", "") == "tokencycle-dram-system-1" || json.contains("base");
    if (!described) continue;
    ++files;
    INFO(entry.path().string());
    CHECK(json.value("description", "").size() > 40);
    CHECK(launch({"inspect", entry.path().string()}).exit_code == 0);
  }
  CHECK(files >= 4);
}

TEST_CASE("validate names what is wrong with a scorecard") {
  const Scratch scratch;
  const auto refused = [&](const Json& rows, const std::string& what) {
    const auto o = launch({"validate", "--scorecard", card(scratch, rows)});
    CHECK(o.exit_code == 3);
    CHECK_THAT(o.err, Contains(what));
  };
  Json wrong = row();
  wrong["figur"] = 1;
  wrong.erase("source");
  refused(Json::array({wrong}), "/rows/0/figur: is unknown; did you mean 'figure'?");
  refused(Json::array({wrong}), "/rows/0/source: is missing");
  refused(Json::array({row(), row()}), "/rows/1/name: 'stream' is there a second time");
  wrong = row();
  wrong["command"] = "report";
  wrong["published"] = 0;
  refused(Json::array({wrong}), "/rows/0/command: is 'report'; it must be run, gemm or dram");
  refused(Json::array({wrong}), "/rows/0/published: must be above 0");
  wrong = row();
  wrong.erase("command");
  refused(Json::array({wrong}),
          "/rows/0/lacks: is missing; a row without a command says what is not modelled");
  refused(Json::array(), "/rows: must be a list of at least one row");
  CHECK(launch({"validate", "--scorecard", scratch.file("no.json", "{")}).exit_code == 3);
  CHECK(launch({"validate", "--scorecard", scratch / "absent.json"}).exit_code == 7);
}

TEST_CASE("validate runs what it is asked for, and a row that fails has its message and exit code 8") {
  const Scratch scratch;
  Json bad = row(), absent = row(), nonsense = row();
  bad["name"] = "bad";
  bad["options"]["stride"] = 3;
  nonsense["name"] = "nonsense";
  nonsense["figure"] = "clock + 1";
  for (const char* key : {"command", "options", "figure", "seconds"}) absent.erase(key);
  absent["name"] = "absent";
  absent["lacks"] = "everything";
  const std::string file = card(scratch, Json::array({row(), bad, absent, nonsense}));
  const auto one = launch({"validate", "--scorecard", file, "--only", "str*", "--json"});
  CHECK(one.exit_code == 0);
  const Json rows = Json::parse(one.out)["rows"];
  REQUIRE(rows.size() == 1);
  CHECK(
      rows[0]["figure"] ==
      Json::parse(
          launch({"dram", "-c", "ddr4-3200", "--stride", "64", "--requests", "64", "--json"}).out)["clocks"]);
  const auto all = launch({"validate", "--scorecard", file, "-j", "2"});
  CHECK(all.exit_code == 8);
  CHECK_THAT(all.out, Contains("bad: failed: tokencycle: --stride is 3") &&
                          Contains("absent: not modelled: everything") &&
                          Contains("'clock' is no number of what the command prints"));
  CHECK_THAT(all.err, Contains("3 of 3 rows"));
  const auto none = launch({"validate", "--scorecard", file, "--only", "streem"});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.err, Contains("did you mean 'stream'?"));
  CHECK(launch({"validate", "--markdown", "--json"}).exit_code == 2);
  CHECK(launch({"validate", "-j", "0"}).exit_code == 2);
}
