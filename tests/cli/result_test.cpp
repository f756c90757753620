// SPDX-License-Identifier: Apache-2.0
// The parts of a result that say where time went: operators, timeline, pipeline; and what inspect makes of
// them.
#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <set>

#include "command_line.h"

using Catch::Contains;
using Json = nlohmann::json;
using namespace tokencycle;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

Json result_of(const Scratch& scratch, const std::vector<std::string>& more,
               const std::string& tokens = "3") {
  const std::string file = scratch / "result.json";
  std::vector<std::string> arguments = {"run",      "-m",   scratch / "model.gguf", "-c", "edge",
                                        "-n",       tokens, "--ignore-eos",         "-q", "--timing-only",
                                        "--result", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome o = launch(arguments);
  CAPTURE(o.err);
  REQUIRE(o.exit_code == 0);
  return test::json_of(file);
}

std::uint64_t sum_of(const Json& numbers) {
  std::uint64_t sum = 0;
  for (const Json& n : numbers) sum += n.get<std::uint64_t>();
  return sum;
}

std::uint64_t counter(const Json& result, const std::string& name) {
  for (const Json& c : result["counters"]) {
    if (c["name"] == name) return c["value"].get<std::uint64_t>();
  }
  FAIL("no counter " << name);
  return 0;
}

// The total that a series of the timeline must sum to.
std::uint64_t total_of(const Json& result, const std::string& series) {
  if (series == "dram.read_bytes") {
    return counter(result, "fetch.moved_bytes") + counter(result, "dma0.read.moved_bytes");
  }
  if (series == "dram.write_bytes") return counter(result, "dma0.write.moved_bytes");
  if (series.starts_with("cause.")) return result["stack"][series.substr(6)].get<std::uint64_t>();
  const std::string unit = series.substr(0, series.size() - 5);
  std::uint64_t busy = 0;
  for (const auto& [name, states] : result["units"].items()) {
    if (name == unit || (unit == "dram" && name.starts_with("dram.channel"))) {
      busy += states.value("busy", std::uint64_t{0});
    }
  }
  return busy;
}

}  // namespace

TEST_CASE("operators have stacks, kinds, critical resources and work that sum to the result's totals") {
  const Scratch scratch;
  scratch.model();
  const Json result = result_of(scratch, {});
  std::uint64_t cycles = 0, loaded = 0, stored = 0, products = 0, elements = 0;
  for (const Json& o : result["operators"]) {
    for (const char* phase : {"prefill", "decode"}) {
      const Json& use = o[phase];
      CAPTURE(o["name"], phase);
      cycles += use["cycles"].get<std::uint64_t>();
      loaded += use["loaded_bytes"].get<std::uint64_t>();
      stored += use["stored_bytes"].get<std::uint64_t>();
      products += use["multiply_accumulates"].get<std::uint64_t>();
      elements += use["vector_elements"].get<std::uint64_t>();
      CHECK(sum_of(use["stack"]) == use["cycles"]);
      std::uint64_t in_kinds = 0, count = 0;
      for (const Json& kind : use["kinds"]) {
        in_kinds += kind["cycles"].get<std::uint64_t>();
        count += kind["count"].get<std::uint64_t>();
        CHECK(sum_of(kind["stack"]) == kind["cycles"]);
      }
      CHECK(in_kinds == use["cycles"]);
      CHECK(count == use["instructions"]);
      if (use["cycles"] == 0) {
        CHECK(use["critical"].is_null());
        continue;
      }
      const std::string critical = use["critical"];
      for (const Json& other : use["stack"]) CHECK(other <= use["stack"][critical]);
      CHECK(use["array_cycles_at_peak"].get<double>() <= use["span_cycles"].get<double>());
    }
  }
  CHECK(cycles == result["cycles"]);
  CHECK(loaded == counter(result, "dma0.read.moved_bytes"));
  CHECK(stored == counter(result, "dma0.write.moved_bytes"));
  CHECK(products == counter(result, "matrix0.multiply_accumulates"));
  CHECK(elements == counter(result, "vector0.elements"));
}

TEST_CASE("a timeline's series sum to the result's totals") {
  const Scratch scratch;
  scratch.model();
  const Json result = result_of(scratch, {});
  const Json& timeline = result["timeline"];
  const auto interval = timeline["interval_cycles"].get<std::uint64_t>();
  const std::uint64_t intervals = (result["cycles"].get<std::uint64_t>() + interval - 1) / interval;
  CHECK(intervals <= 512);
  CHECK(timeline["start"] == 1);
  std::set<std::string> names;
  for (const Json& series : timeline["series"]) {
    const std::string name = series["name"];
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK(series["values"].size() == intervals);
    CHECK(series["unit"] == (name.ends_with("bytes") ? "bytes" : "cycles"));
    CHECK(sum_of(series["values"]) == total_of(result, name));
  }
  for (const char* name :
       {"fetch.busy", "decode.busy", "dispatch.busy", "dma0.read.busy", "dma0.write.busy", "matrix0.busy",
        "vector0.busy", "writeback.busy", "dram.busy", "dram.read_bytes", "dram.write_bytes"}) {
    CHECK(names.count(name) == 1);
  }
  for (const auto& [cause, of_cause] : result["stack"].items()) {
    CHECK(names.count("cause." + cause) == (of_cause == 0 ? 0 : 1));
  }
}

TEST_CASE("the pipeline lists a token's instructions in order of decoding, with six cycles each") {
  const Scratch scratch;
  scratch.model();
  const Json result = result_of(scratch, {});
  const Json& p = result["pipeline"];
  CHECK(p["token"] == 1);
  CHECK(p["start"] == result["tokens"][1]["start"]);
  CHECK(p["end"] == result["tokens"][1]["end"]);
  CHECK(p["rows"].size() == p["instructions"]);
  CHECK(p["operators"].size() == result["operators"].size());
  CHECK(p["units"] == Json({"front_end", "load", "store", "matrix", "vector"}));
  REQUIRE(p["columns"].size() == 9);
  std::int64_t decoded = 0;
  std::map<std::string, std::uint64_t> of_operator;
  for (const Json& row : p["rows"]) {
    REQUIRE(row.size() == 9);
    CHECK(row[4] >= decoded);
    decoded = row[4];
    CHECK(row[3] <= row[4]);
    CHECK(row[4] <= row[8]);
    const bool front_end = p["units"][row[2].get<std::size_t>()] == "front_end";
    for (std::size_t stage : {5u, 6u, 7u}) CHECK(row[stage].is_null() == front_end);
    if (row[0] != -1) ++of_operator[p["operators"][row[0].get<std::size_t>()]["name"]];
  }
  // Two decode steps of the same operators; the number of their instructions grows with the position.
  for (const Json& o : result["operators"]) {
    CHECK(of_operator[o["name"]] > 0);
    CHECK(of_operator[o["name"]] <= o["decode"]["instructions"]);
  }
  CHECK(p["rows"].back()[8].get<std::uint64_t>() + 1 ==
        p["end"].get<std::uint64_t>() - p["start"].get<std::uint64_t>());
}

TEST_CASE("another token's instructions, fewer of them, or none are listed when asked for") {
  const Scratch scratch;
  scratch.model();
  const Json first = result_of(scratch, {"--pipeline-token", "0", "--pipeline-instructions", "25"});
  CHECK(first["pipeline"]["token"] == 0);
  CHECK(first["pipeline"]["rows"].size() == 25);
  CHECK(first["pipeline"]["instructions"] > 25);
  CHECK(result_of(scratch, {"--pipeline-token", "7"})["pipeline"]["token"] == 2);
  CHECK(result_of(scratch, {}, "1")["pipeline"]["token"] == 0);
  CHECK(result_of(scratch, {"--pipeline-instructions", "0"})["pipeline"].is_null());
  for (const char* option : {"--pipeline-token", "--pipeline-instructions"}) {
    const Outcome o = launch({"run", "-m", scratch / "model.gguf", option, "1"});
    CHECK(o.exit_code == 2);
    CHECK_THAT(o.err, Contains(option) && Contains("--result"));
    CHECK(launch({"run", "-m", scratch / "model.gguf", "--result", scratch / "r.json", option, "x"})
              .exit_code == 2);
  }
}

TEST_CASE("both clockings write the same timeline and pipeline") {
  const Scratch scratch;
  scratch.model();
  Json gated = result_of(scratch, {}), every_edge = result_of(scratch, {"--clock", "every-edge"});
  CHECK(gated["host"]["clock_mode"] != every_edge["host"]["clock_mode"]);
  gated.erase("host");
  every_edge.erase("host");
  CHECK(gated == every_edge);
}

TEST_CASE("inspect names each operator's critical resource and rates; older results have neither") {
  const Scratch scratch;
  scratch.model();
  Json result = result_of(scratch, {});
  const Outcome whole = launch({"inspect", scratch / "result.json"});
  REQUIRE(whole.exit_code == 0);
  CHECK_THAT(whole.out, Contains("operators, prefill") && Contains("operators, decode") &&
                            Contains("critical resource") && Contains("GMAC/s"));
  const Json& use = result["operators"][2]["decode"];
  CHECK_THAT(whole.out, Contains(use["critical"].get<std::string>()));
  for (Json& o : result["operators"]) {
    for (const char* phase : {"prefill", "decode"}) {
      o[phase] = {{"cycles", o[phase]["cycles"]}, {"instructions", o[phase]["instructions"]}};
    }
  }
  result.erase("timeline");
  result.erase("pipeline");
  const Outcome old = launch({"inspect", scratch.file("old.json", result.dump())});
  CHECK(old.exit_code == 0);
  CHECK_THAT(old.out, Contains("operators, decode") && Contains("blk.0.attention"));
}
