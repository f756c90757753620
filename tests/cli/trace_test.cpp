// SPDX-License-Identifier: Apache-2.0
// Does --trace write what was asked for, without changing a cycle, and does every file say the same?
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "command_line.h"

using Catch::Contains;
using Json = nlohmann::json;
using namespace tokencycle;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

std::vector<std::map<std::string, std::string>> table_of(const std::filesystem::path& path) {
  std::istringstream text(test::contents_of(path));
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::string> columns;
  for (std::string line; std::getline(text, line);) {
    std::istringstream cells(line);
    std::vector<std::string> values;
    for (std::string cell; std::getline(cells, cell, ',');) values.push_back(cell);
    if (columns.empty()) {
      columns = values;
      continue;
    }
    REQUIRE(values.size() == columns.size());
    rows.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) rows.back()[columns[i]] = values[i];
  }
  return rows;
}

bool only_files(const Scratch& scratch, const std::vector<std::string>& names) {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch / "")) {
    found +=
        static_cast<std::size_t>(std::count(names.begin(), names.end(), entry.path().filename().string()));
    if (entry.path().extension() == ".tmp") return false;
  }
  return found == names.size();
}

}  // namespace

TEST_CASE("one run writes all formats, with the cycles that it takes without them") {
  const Scratch scratch;
  const std::string model = scratch.model();
  std::vector<std::string> arguments = {"run", "-m", model, "-n", "3", "--result", scratch / "plain.json"};
  REQUIRE(launch(arguments).exit_code == 0);
  const std::vector<std::string> names = {"a.pftrace", "b.pftrace.gz", "c.kanata",     "d.kanata.gz",
                                          "e.vcd",     "f.fst",        "g.tokens.csv", "h.operators.csv"};
  for (const std::string& name : names) arguments.insert(arguments.end(), {"--trace", scratch / name});
  arguments.insert(arguments.end(), {"--trace-level", "2"});
  arguments[6] = scratch / "traced.json";
  const Outcome o = launch(arguments);
  CAPTURE(o.out, o.err);
  REQUIRE(o.exit_code == 0);
  CHECK(o.err.empty());
  CHECK(only_files(scratch, names));
  for (const std::string& name : names)
    CHECK_THAT(o.out, Contains("trace           " + (scratch / name) + ": "));

  Json plain = test::json_of(scratch / "plain.json"), traced = test::json_of(scratch / "traced.json");
  CHECK(plain["host"]["traces"].empty());
  REQUIRE(traced["host"]["traces"].size() == names.size());
  for (const Json& trace : traced["host"]["traces"]) {
    CAPTURE(trace);
    CHECK(trace["truncated_at"].is_null());
    CHECK(trace["entries"].get<std::uint64_t>() >= 3);
  }
  plain.erase("host");
  traced.erase("host");
  CHECK(plain == traced);

  const auto tokens = table_of(scratch / "g.tokens.csv");
  REQUIRE(tokens.size() == 3);
  std::map<std::string, std::uint64_t> by_operators;
  for (const auto& row : table_of(scratch / "h.operators.csv"))
    by_operators[row.at("token")] += std::stoull(row.at("cycles"));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Json& token = plain["tokens"][i];
    CHECK(tokens[i].at("cycles") == token["cycles"].dump());
    CHECK(tokens[i].at("start") == token["start"].dump());
    CHECK(tokens[i].at("preload") == token["stack"]["preload"].dump());
    CHECK(by_operators[tokens[i].at("index")] == token["cycles"]);
  }
}

TEST_CASE("a window shows its tokens alone, and a cap is said on standard error and in the result") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Outcome window = launch({"run", "-m", model, "-n", "4", "-q", "--trace", scratch / "w.tokens.csv",
                                 "--trace-window", "token:2..3"});
  REQUIRE(window.exit_code == 0);
  const auto rows = table_of(scratch / "w.tokens.csv");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("index") == "2");

  const Outcome capped = launch({"run", "-m", model, "-n", "4", "-q", "--trace", scratch / "c.vcd",
                                 "--trace-max-bytes", "65536", "--result", scratch / "r.json"});
  REQUIRE(capped.exit_code == 0);
  const Json trace = test::json_of(scratch / "r.json")["host"]["traces"][0];
  REQUIRE(trace["truncated_at"].is_number_unsigned());
  CHECK_THAT(capped.err, Contains("c.vcd: truncated at cycle " + trace["truncated_at"].dump()) &&
                             Contains("--trace-max-bytes"));
  CHECK(std::filesystem::file_size(scratch / "c.vcd") <= 65536);
  CHECK_THAT(test::contents_of(scratch / "c.vcd"), Contains("truncated"));
}

TEST_CASE("a program is traced too, and one that traps leaves whole files that say so") {
  const Scratch scratch;
  const std::string source = scratch.file("p.tcasm",
                                          "nop\npreload a=s:0 a_format=f32 order=nk rows=33 cols=1\nhalt\n"),
                    good = scratch.file("g.tcasm", "nop\nhalt\n");
  REQUIRE(launch({"asm", source, "-o", scratch / "p.tcp"}).exit_code == 0);
  REQUIRE(launch({"asm", good, "-o", scratch / "g.tcp"}).exit_code == 0);
  const Outcome whole = launch({"run", "--program", scratch / "g.tcp", "--trace", scratch / "g.kanata"});
  CHECK(whole.exit_code == 0);
  CHECK_THAT(whole.out, Contains("g.kanata: kanata, 2 entries"));
  const Outcome trapped = launch(
      {"run", "--program", scratch / "p.tcp", "--trace", scratch / "p.kanata", "--trace", scratch / "p.vcd"});
  CHECK(trapped.exit_code == 6);
  CHECK_THAT(test::contents_of(scratch / "p.kanata"), Contains("ended at cycle ") && Contains("rows=33"));
  CHECK_THAT(test::contents_of(scratch / "p.vcd"), Contains("ended\\040at\\040cycle\\040"));
  CHECK(only_files(scratch, {"p.kanata", "p.vcd", "g.kanata"}));
}

TEST_CASE("traces that cannot be are refused before the run") {
  const Scratch scratch;
  const std::string model = scratch.model(), out = scratch / "t.vcd";
  const auto refused = [&](int exit_code, std::vector<std::string> options,
                           const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"run", "-m", model, "-n", "1"});
    const Outcome o = launch(options);
    CAPTURE(options, o.err);
    CHECK(o.exit_code == exit_code);
    CHECK(o.out.empty());
    for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
  };
  refused(2, {"--trace", scratch / "t.json"}, {"t.json", ".pftrace", ".kanata", ".fst"});
  refused(2, {"--trace", out, "--trace", out}, {"given twice"});
  refused(2, {"--trace", out, "--trace-window", "layer:3"}, {"layer:3", "token:3..4"});
  refused(2, {"--trace", out, "--trace-level", "0"}, {"--trace-level"});
  refused(2, {"--trace", out, "--trace-level", "3"}, {"--trace-level 3"});
  refused(2, {"--trace", out, "--trace-max-bytes", "100"}, {"--trace-max-bytes 100", "65536"});
  refused(2, {"--trace-window", "token:1"}, {"--trace FILE"});
  refused(7, {"--trace", scratch / "none/t.vcd"}, {"none/t.vcd"});
  CHECK(only_files(scratch, {}));
}

TEST_CASE("a window that matches nothing ends with exit code 2, and the message says what would match") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto check = [&](const std::string& window, const std::string& remedy) {
    const Outcome o = launch(
        {"run", "-m", model, "-n", "2", "-q", "--trace", scratch / "t.pftrace", "--trace-window", window});
    CAPTURE(window, o.err);
    CHECK(o.exit_code == (remedy.empty() ? 0 : 2));
    if (!remedy.empty()) CHECK_THAT(o.err, Contains("--trace-window " + window) && Contains(remedy));
  };
  check("op:nothing", "its operators are embedding, blk.0.attn_norm");
  check("token:2", "its last token is number 1");
  check("cycle:900000000..900000001", "it ended in cycle");
  check("op:*attn_q", "");
  check("token:1", "");
  check("cycle:5..6", "");
}
