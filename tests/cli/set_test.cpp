// SPDX-License-Identifier: Apache-2.0
// Small changes of a machine on the command line: --set on each command, machines by their changed name, and
// where inspect says that values come from.
#include <catch2/catch.hpp>

#include "refusal.h"

namespace tokencycle::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

Outcome succeeds(const std::vector<std::string>& arguments) {
  Outcome outcome = launch(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  return outcome;
}

}  // namespace

TEST_CASE("--set changes the machine of every command that takes one") {
  const Scratch scratch;
  const std::string model = scratch.model(), rows = "/matrix/rows=64", name = "edge with /matrix/rows=64";
  succeeds(
      {"run", "-m", model, "-c", "edge", "--set", rows, "-n", "1", "-q", "--result", scratch / "r.json"});
  CHECK(json_of(scratch / "r.json")["configuration"]["name"] == name);
  succeeds({"run", "-m", model, "-c", name, "-n", "1", "-q", "--result", scratch / "r.json"});
  const Json result = json_of(scratch / "r.json");
  CHECK(result["configuration"]["name"] == name);
  CHECK(result["configuration"]["changes"] == Json::array({rows}));
  CHECK(result["configuration"]["values"]["matrix"]["rows"] == 64);
  CHECK_THAT(succeeds({"gemm", "--set", rows, "-M", "2", "-N", "2", "-K", "32", "--json"}).out,
             Contains(name));
  CHECK_THAT(succeeds({"inspect", "edge", "--set", rows}).out, Contains("machine    " + name));
  succeeds({"compile", "-m", model, "--set", rows, "-o", scratch / "p.tcp"});
  CHECK_THAT(succeeds({"inspect", scratch / "p.tcp"}).out, Contains(name));
  const std::string text = scratch.file("t.txt", std::string(400, 'a'));
  CHECK_THAT(
      succeeds({"perplexity", "-m", model, "-f", text, "--window", "8", "-c", "edge", "--set", rows}).out,
      Contains("machine " + name));
  const Outcome compared = succeeds({"compare", "-m", model, "-c", "edge", "-c", name, "-n", "1", "--json",
                                     "--results", scratch / "results"});
  const Json comparison = Json::parse(compared.out);
  CHECK(comparison["results"][1]["label"] == name);
  CHECK(std::filesystem::exists(scratch / "results/edge-with-matrix-rows=64.json"));
  CHECK(comparison["keys"].dump().find("/matrix/rows") != std::string::npos);
  const Json both = Json::parse(succeeds({"compare", "-m", model, "-c", "edge", "-c", "edge-os", "--set",
                                          "/vector/lanes=8", "-n", "1", "--json"})
                                    .out);
  CHECK(both["results"][1]["machine"] == "edge-os with /vector/lanes=8");
}

TEST_CASE("inspect says where a machine and its values come from") {
  const Scratch scratch;
  const std::string mine = scratch.file("mine.json", R"({"base": "edge", "matrix": {"rows": 64}})");
  const std::string out = succeeds({"inspect", mine, "--set", "/dram/system/preset=ddr4-3200"}).out;
  for (const std::string& part : std::initializer_list<std::string>{
           "machine    mine with /dram/system/preset=ddr4-3200", "read from  " + mine,
           std::string("its base   /"), std::string("configs/edge.json"),
           std::string("values that do not come from edge.json"), std::string("\"rows\": 64"),
           std::string("derived")}) {
    CHECK_THAT(out, Contains(part));
  }
  CHECK_THAT(succeeds({"inspect", "edge"}).out,
             Contains("read from  /") && Contains("configs/edge.json\n") && !Contains("values that do not"));
}

TEST_CASE("a change that is none is refused with an example, one that breaks the machine with its option") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto refused = [&](const std::string& set, int code, const std::vector<std::string>& parts) {
    check_refusal(code, {"run", "-m", model, "--set", set}, parts);
  };
  refused("/matrix/rows", 2, {"--set is '/matrix/rows'", "as in /matrix/rows=64"});
  refused("matrix.rows=64", 2, {"did you mean '/matrix/rows=64'?"});
  refused("=3", 2, {"--set is '=3'"});
  refused("/=3", 2, {"--set is '/=3'"});
  refused("/matrix/rowz=64", 3, {"edge with --set /matrix/rowz=64", "did you mean \"rows\"?"});
  check_refusal(2, {"run", "--set", "/matrix/rows=8", "--set", "/matrix/rows=9"},
                {"leave one of the two out"});
  check_refusal(2, {"perplexity", "-m", model, "-f", model, "--set", "/matrix/rows=8"}, {"name it with -c"});
  check_refusal(7, {"run", "-c", "edeg with /matrix/rows=8"}, {"edeg: there is no such file"});
  // A base is an input like any other.
  const std::string base = scratch.machine("edge", Json::object());
  const std::string mine = scratch.file("mine.json", R"({"base": "./machine.json"})");
  check_refusal(2, {"run", "-m", model, "-c", mine, "--result", base}, {"the command reads this file"});
}

TEST_CASE("a scratchpad too small for the prompt is reported, with a size that does") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 128, .matrices = Format::q8_0});
  const std::vector<std::string> run = {"run", "-m", model, "--timing-only", "--prompt-tokens",
                                        "60",  "-n", "1",   "--set",         "/dram/system/channels=1"};
  const auto with = [&run](std::vector<std::string> more) {
    more.insert(more.begin(), run.begin(), run.end());
    return succeeds(more);
  };
  const Outcome small = with({"--set", "/scratchpad/capacity_kib=64", "--result", scratch / "r.json"});
  const std::string remedy = "(--set /scratchpad/capacity_kib=";
  const std::size_t at = small.err.find(remedy);
  REQUIRE(at != std::string::npos);
  CHECK_THAT(small.err,
             Contains("the scratchpad holds ") && Contains("so that a prompt of 60 reads the weights "));
  CHECK_THAT(small.out, Contains("batch    ") && Contains(remedy));
  const std::string kib = small.err.substr(at + remedy.size(), small.err.find(')', at) - at - remedy.size());
  const Outcome large = with({"--set", "/scratchpad/capacity_kib=" + kib});
  CHECK_THAT(large.err, !Contains("scratchpad"));
  CHECK_THAT(large.out, !Contains("batch    "));
  CHECK_THAT(succeeds({"inspect", scratch / "r.json"}).out,
             Contains("batch      ") && Contains(remedy + kib) && Contains(" bytes of DRAM") &&
                 Contains(" for each prompt token"));
}

}  // namespace tokencycle::test
