// SPDX-License-Identifier: Apache-2.0
// Do `compare` and `report` say what differs between machines and why, from the command line?
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "command_line.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

// A machine of configs/ under another name, with changes merged into it; the file's path.
std::string changed(const Scratch& scratch, const std::string& name, const std::string& base, Json changes) {
  Json machine = test::json_of(std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs" / (base + ".json"));
  changes["name"] = name;
  machine.merge_patch(changes);
  return scratch.file(name + ".json", machine.dump());
}

Outcome compare(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "compare");
  Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  return o;
}

Json compare_json(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--json", "-q"});
  const Outcome o = compare(std::move(arguments));
  CHECK(o.err.empty());
  return Json::parse(o.out);
}

void check_refused(const std::vector<std::string>& arguments, int code,
                   const std::vector<std::string>& parts) {
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == code);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Catch::StartsWith("tokencycle: "));
  for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
}

std::vector<std::string> paths_of(const Json& comparison) {
  std::vector<std::string> paths;
  for (const Json& key : comparison["keys"]) paths.push_back(key["path"]);
  return paths;
}

// The causes of the differences of one phase sum to the difference of its tokens, exactly.
void check_sums(const Json& reasons) {
  std::uint64_t before = 0, after = 0;
  double previous = -1;
  for (const Json& cause : reasons["causes"]) {
    before += cause["baseline_cycles"].get<std::uint64_t>();
    after += cause["cycles"].get<std::uint64_t>();
    const double size = std::abs(cause["difference_per_token"].get<double>());
    if (previous >= 0) CHECK(size <= previous);
    previous = size;
  }
  CHECK(before == reasons["baseline_cycles"]);
  CHECK(after == reasons["cycles"]);
}

}  // namespace

TEST_CASE("one changed key is shown, and why the cycles changed") {
  const Scratch scratch;
  const std::string model = scratch.model();
  struct Change {
    std::string path, before, after;
    Json patch;
    std::vector<std::string> also;  // keys that have to change with it
  };
  const std::vector<Change> changes = {
      {"/scratchpad/banks", "16", "8", {{"scratchpad", {{"banks", 8}}}}, {}},
      {"/dram/system/preset",
       "ddr4-2400",
       "ddr4-3200",
       {{"dram", {{"system", {{"preset", "ddr4-3200"}}}, {"channel_gb_per_s", 25.6}}}},
       {"/dram/channel_gb_per_s"}},
      {"/matrix/dataflow",
       "weight-stationary",
       "output-stationary",
       {{"matrix", {{"dataflow", "output-stationary"}}}},
       {}},
      {"/vector/lanes", "32", "8", {{"vector", {{"lanes", 8}}}}, {}}};
  for (const Change& change : changes) {
    const std::string other = changed(scratch, "other", "edge", change.patch);
    const std::vector<std::string> both = {"-m", model, "-p", "a b", "-n", "4", "-c", "edge", "-c", other};
    const Json j = compare_json(both);
    CAPTURE(change.path, j.dump(1));
    std::vector<std::string> expected = {change.path};
    expected.insert(expected.end(), change.also.begin(), change.also.end());
    CHECK(paths_of(j) == expected);
    CHECK(j["same_tokens"] == true);
    CHECK(j["warnings"].empty());
    CHECK(j["results"][0]["label"] == "edge");
    CHECK(j["results"][1]["label"] == "other");
    CHECK(j["results"][1]["decode"]["difference_per_token"] != 0.0);
    CHECK(j["results"][1]["decode"]["tokens"] == 3);
    check_sums(j["results"][1]["decode"]);
    check_sums(j["results"][1]["first_token"]);

    const Outcome table = compare(both);
    std::istringstream lines(table.out);
    std::string line;
    bool shown = false;
    while (std::getline(lines, line)) {
      CHECK(line.size() <= 100);
      shown = shown || (line.starts_with(change.path) && line.find(change.before) != std::string::npos &&
                        line.find(change.after) != std::string::npos);
    }
    CHECK(shown);
    CHECK_THAT(table.out, Contains("why: other against edge\nmean decode token: "));
    const std::string cause = j["results"][1]["decode"]["causes"][0]["cause"];
    // The first line below the two headings of the table of causes.
    const std::size_t heading = table.out.find("cycles by cause");
    const std::size_t first = table.out.find('\n', table.out.find('\n', heading) + 1) + 1;
    CHECK(table.out.compare(first, cause.size() + 1, cause + " ") == 0);
    CHECK_THAT(table.out, Contains("generated the same tokens"));
    CHECK_THAT(table.err, Contains("1 of 2, edge: ") && Contains(" cycles in "));
  }
}

TEST_CASE("compare counts what run counts, and takes results instead of machines") {
  const Scratch scratch;
  const std::string model = scratch.model(), results = scratch / "results";
  const std::vector<std::string> settings = {"-m", model, "-p", "a b", "-n", "3", "-q"};
  std::vector<std::string> run = {"run", "-c", "tiny", "--result", scratch / "tiny.json"};
  run.insert(run.end(), settings.begin(), settings.end());
  REQUIRE(launch(run).exit_code == 0);
  std::vector<std::string> both = {"-c", "tiny", "-c", "edge", "--results", results};
  both.insert(both.end(), settings.begin(), settings.end());
  const Outcome ran = compare(both);
  CHECK(ran.err.empty());
  Json from_run = test::json_of(scratch / "tiny.json");
  Json from_compare = test::json_of(results + "/tiny.json");
  from_run.erase("host");
  from_compare.erase("host");
  CHECK(from_run == from_compare);
  // The same comparison from the files; -c and a file go together too.
  const Outcome read = compare({results + "/tiny.json", results + "/edge.json"});
  CHECK(read.out == ran.out);
  CHECK(read.err.empty());
  std::vector<std::string> mixed = {"-c", "tiny", results + "/edge.json"};
  mixed.insert(mixed.end(), settings.begin(), settings.end());
  CHECK(compare(mixed).out == ran.out);
}

TEST_CASE("a folder of results does not go to standard output") {
  const Scratch scratch;
  check_refused({"compare", "-m", scratch.model(), "-c", "tiny", "-c", "edge", "--results", "-"}, 2,
                {"standard output", "./-"});
  CHECK_FALSE(std::filesystem::exists("-"));
}

TEST_CASE("any machine can be the baseline, and seeded sampling gives the same tokens on all") {
  const Scratch scratch;
  const Json j = compare_json({"-m", scratch.model(), "-n", "5", "-c", "edge", "-c", "tiny", "-c", "gemmini",
                               "--baseline", "tiny", "--temperature", "0.9", "--seed", "7", "--ignore-eos"});
  CHECK(j["baseline"] == 1);
  CHECK(j["same_tokens"] == true);
  CHECK(j["results"][1]["decode"].is_null());
  for (const std::size_t i : {0u, 2u}) check_sums(j["results"][i]["decode"]);
}

TEST_CASE("compare runs without values, and machines twice") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Json j = compare_json({"-m", model, "--timing-only", "--prompt-tokens", "3", "-n", "2", "-c", "tiny",
                               "-c", "tiny", "--results", scratch / "r"});
  CHECK(std::filesystem::exists(scratch / "r/tiny.json"));
  CHECK(std::filesystem::exists(scratch / "r/tiny-2.json"));
  CHECK(j["keys"].empty());
  CHECK(j["results"][0]["label"] == "tiny #1");
  CHECK(j["results"][1]["decode"]["difference_per_token"] == 0.0);
}

TEST_CASE("results of different work are compared with a warning") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto run = [&](const std::string& prompt, const std::string& file) {
    REQUIRE(
        launch({"run", "-m", model, "-c", "tiny", "-p", prompt, "-n", "2", "-q", "--result", scratch / file})
            .exit_code == 0);
    return scratch / file;
  };
  const std::string a = run("a b", "a.json"), b = run("c d e", "b.json");
  CHECK_THAT(compare({a, b}).out, Contains("warning: b: read another prompt than a"));
}

TEST_CASE("what cannot be compared is refused before anything runs") {
  const Scratch scratch;
  const std::string model = scratch.model();
  check_refused({"compare", "-m", model}, 2, {"at least two", "none are given"});
  check_refused({"compare", "-m", model, "-c", "edge"}, 2, {"at least two", "one is given"});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", "nothere"}, 7, {"nothere", "known are:"});
  const std::string wrong = changed(scratch, "wrong", "edge", {{"vector", {{"lanes", 3}}}});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", wrong}, 3, {"/vector/lanes"});
  const std::string small = changed(scratch, "small", "edge", {{"scratchpad", {{"capacity_kib", 1}}}});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", small, "--results", scratch / "none"}, 3, {});
  CHECK(std::filesystem::is_empty(scratch / "none"));
  check_refused({"compare", "-m", model, "-c", "edge", "-c", "tiny", "--baseline", "tin"}, 2,
                {"--baseline is 'tin'", "edge, tiny"});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", "tiny", "-o", scratch / "no/where.html"}, 7,
                {"no/where.html"});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", "tiny", "--results", scratch.file("taken", "")},
                7, {"taken: this folder cannot be made"});
  check_refused({"compare", "-m", scratch / "absent.gguf", "-c", "edge", "-c", "tiny"}, 7, {"absent.gguf"});
  check_refused({"compare", "-m", model, "-c", "edge", "-c", "tiny", "--tokens", "1,2"}, 2,
                {"--tokens goes with --timing-only"});
  const std::string text = scratch.file("text.json", "{\"schema\": \"tokencycle-machine-1\"}");
  check_refused({"compare", text, text}, 7, {"text.json", "give a machine with -c"});
  check_refused({"report", text, "-o", scratch / "r.html"}, 7, {"text.json"});
  check_refused({"report", "-o", scratch / "r.html"}, 2, {"report needs a result"});
  check_refused({"report", text}, 2, {"--output is missing"});
  CHECK_FALSE(std::filesystem::exists(scratch / "r.html"));
}

TEST_CASE("what says how to run is refused where only results are given") {
  const Scratch scratch;
  const std::string model = scratch.model(), file = scratch / "r.json";
  REQUIRE(launch({"run", "-m", model, "-c", "tiny", "-n", "2", "-q", "--result", file}).exit_code == 0);
  for (const std::vector<std::string>& option : std::vector<std::vector<std::string>>{
           {"-n", "3"}, {"--check"}, {"--temperature", "1"}, {"--results", scratch / "f"}}) {
    std::vector<std::string> arguments = {"compare", file, file};
    arguments.insert(arguments.end(), option.begin(), option.end());
    check_refused(arguments, 2, {"only results are given", "-c NAME"});
  }
}

TEST_CASE("report writes one page, to a file or to standard output") {
  const Scratch scratch;
  const std::string model = scratch.model(), page = scratch / "page.html", results = scratch / "f";
  if (launch({"compare", "-m", model, "-n", "1", "-c", "tiny", "-c", "tiny", "-o", page})
          .err.find("scripts/npm_packages.sh") != std::string::npos) {
    WARN("built without uPlot: no report to look at");
    return;
  }
  const Outcome compared =
      compare({"-m", model, "-n", "2", "-c", "tiny", "-c", "edge", "-o", page, "--results", results});
  CHECK_THAT(compared.out, Contains("report   written to " + page));
  const std::string html = test::contents_of(page);
  CHECK_THAT(html, Catch::StartsWith("<!doctype html>") || Catch::StartsWith("<!DOCTYPE html>"));
  const std::vector<std::string> files = {results + "/tiny.json", results + "/edge.json"};
  const Outcome again = launch({"report", files[0], files[1], "-o", scratch / "again.html"});
  CHECK(again.exit_code == 0);
  CHECK(again.err.empty());
  CHECK_THAT(again.out, Contains("written to") && Contains("KiB"));
  const Outcome printed = launch({"report", files[0], files[1], "-o", "-"});
  CHECK(printed.exit_code == 0);
  CHECK(printed.out == test::contents_of(scratch / "again.html"));
  const Outcome other = launch({"report", files[0], files[1], "-o", "-", "--baseline", "edge"});
  CHECK(other.exit_code == 0);
  CHECK(other.out.size() > 0);
  CHECK(launch({"report", files[0], "-o", scratch / "one.html"}).exit_code == 0);
}
