// SPDX-License-Identifier: Apache-2.0
// explain: does it say everything that the program reads and writes, and nothing twice?
#include <catch2/catch.hpp>
#include <set>

#include "command_line.h"
#include "config/dram/system_reader.h"
#include "config/fields.h"
#include "config/machine.h"
#include "config/rules.h"
#include "isa/instruction.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Scratch;

namespace {

Json explained(const std::string& topic) {
  Json json = test::launch_json({"explain", topic});
  CHECK(json["schema"] == "tokencycle-explain-1");
  return json;
}

// The names of a topic's first column: "model.file, .name" and "tokens[].id" have file, name and id.
std::set<std::string> names_of(const std::string& topic) {
  std::set<std::string> names;
  const Json document = explained(topic);
  for (const Json& row : document["rows"]) {
    const std::string column = row.contains("field") ? "field" : "key";
    std::string name;
    for (const char c : row[column].get<std::string>() + ',') {
      if (c != ',' && c != '.' && c != ' ' && c != '[') {
        if (c != ']') name += c;
        continue;
      }
      if (!name.empty()) names.insert(name);
      name.clear();
    }
  }
  return names;
}

void check_names(const std::string& topic, const std::vector<Json>& objects) {
  const std::set<std::string> names = names_of(topic);
  for (const Json& object : objects) {
    REQUIRE(object.is_object());
    for (const auto& [name, value] : object.items()) {
      CAPTURE(topic, name);
      CHECK(names.count(name) == 1);
    }
  }
}

Json output_of(const std::vector<std::string>& arguments) {
  const test::Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  return Json::parse(o.out);
}

}  // namespace

TEST_CASE("explain lists its topics, and prints each as a table of 80 columns") {
  const std::string list = launch({"explain"}).out;
  std::istringstream lines(list);
  int topics = 0;
  for (std::string line; std::getline(lines, line); ++topics) {
    const std::string topic = line.substr(0, line.find(' '));
    CAPTURE(topic);
    const std::string table = launch({"explain", topic}).out;
    const Json json = explained(topic);
    if (json.contains("text")) {
      CHECK(json["text"] == table);
      continue;
    }
    CHECK(json["rows"].size() >= 3);
    std::istringstream text(table);
    for (std::string row; std::getline(text, row);) CHECK(row.size() <= 80);
    for (const Json& row : json["rows"]) {
      for (const auto& [column, cell] : row.items()) {
        if (column != "unit") CHECK_FALSE(cell.get<std::string>().empty());
      }
    }
  }
  CHECK(topics == 20);
}

TEST_CASE("explain names what it does not have, and what there is") {
  const test::Outcome o = launch({"explain", "machines"});
  CHECK(o.exit_code == 2);
  CHECK_THAT(o.err,
             Contains("'machines'") && Contains("did you mean 'machine'?") && Contains("instructions"));
  CHECK(launch({"explain", "--json"}).exit_code == 2);
}

TEST_CASE("explain machine has every key with range and default, and every rule") {
  const Json json = explained("machine");
  REQUIRE(json["rows"].size() == config::fields().size());
  for (std::size_t i = 0; i < config::fields().size(); ++i) {
    const config::Field& field = config::fields()[i];
    CHECK(json["rows"][i]["key"] == field.path);
    CHECK(json["rows"][i]["range"] == config::range_text(field));
    CHECK(json["rows"][i]["default"] == config::default_text(field));
  }
  const std::string table = launch({"explain", "machine"}).out;
  CHECK_THAT(table, Contains("/matrix/rows   processing elements, 1 .. 4096, required\n") &&
                        Contains("/cores   cores, 1 .. 64, default 1\n"));
  const std::set<std::string> notes = json["notes"];
  for (const config::Rule& rule : config::rules()) CHECK(notes.count(rule.statement) == 1);
}

TEST_CASE("explain memory has every key of a memory system") {
  const Scratch scratch;
  const std::string file = scratch.file(
      "system.json", R"({"schema": "tokencycle-dram-system-1", "name": "all", "preset": "ddr4-3200",
 "scheduler": "fr-fcfs-cap", "queue_of": "bank", "xor": [{"field": "bank", "with": "row"}]})");
  const config::DramSystem system = config::read_dram_system(file, TOKENCYCLE_SOURCE_DIR "/configs/dram");
  check_names("memory", {Json(config::system_object(system))});
  const std::string all = explained("memory").dump();
  for (const std::string_view name : config::kDramSchedulers)
    CHECK_THAT(all, Contains(std::string(name) + " serves"));
}

TEST_CASE("explain has every field of the documents that the program writes") {
  const Scratch scratch;
  const std::string model = scratch.model(), file = scratch / "tiny.json";
  REQUIRE(launch({"run", "-m", model, "-c", "tiny", "-n", "2", "-q", "--result", file}).exit_code == 0);
  const Json run = test::json_of(file);
  const Json phase = run["operators"][0]["decode"];
  std::vector<Json> parts = {run, run["tokens"][0], run["operators"][0], phase};
  for (const char* part : {"model", "configuration", "program", "settings", "host"})
    parts.push_back(run[part]);
  check_names("result", parts);

  const Json compared = output_of({"compare", file, file, "--json"});
  check_names("comparison", {compared, compared["results"][0]});

  const Json aligned = output_of({"compare", "--align", file, file, "--json"});
  check_names("alignment", {aligned, aligned["differences"][0]});

  const Json what_if = output_of({"run", "-m", model, "-n", "2", "--what-if", "vector.lanes=8", "--json"});
  check_names("what-if", {what_if, what_if["changes"][0]});

  const Json gemm =
      output_of({"gemm", "-c", "tiny", "-M", "2", "-N", "3", "-K", "4", "--dtype", "int8", "--json"});
  const Json layer = gemm["layers"][0];
  check_names("gemm", {gemm, layer, layer["array_alone"], layer["end_to_end"]});

  const Json dram =
      output_of({"dram", "-c", "ddr4-3200", TOKENCYCLE_SOURCE_DIR "/traces/dram/sample.trace", "--json"});
  check_names("dram", {dram, dram["host"]});

  const Json tokens = output_of({"tokenize", "-m", model, "-p", "ab", "--json"});
  check_names("tokens", {tokens, tokens["tokens"][0]});
  const std::string text = scratch.file("t.txt", std::string(99, 'a'));
  check_names("perplexity", {output_of({"perplexity", "-m", model, "-f", text, "--window", "8", "--json"})});
  const Json several = output_of(
      {"perplexity", "-m", model, "-m", model, "-f", text, "--window", "8", "-c", "tiny", "--json"});
  check_names("perplexity", {several, several["models"][0]});
  const Json seen = output_of({"see", TOKENCYCLE_SOURCE_DIR "/models/digit.pgm", "--json"});
  check_names("labels", {seen, seen["inputs"][0], seen["inputs"][0]["classes"][0]});
  for (const std::string& inspected : {model, std::string("tiny")}) {
    Json document = output_of({"inspect", inspected, "--json"});
    document.erase("name");
    check_names("inspection", {document});
  }
  const Json roofline = output_of({"inspect", file, "--roofline", "--json"});
  check_names("inspection", {roofline, roofline["points"][0]});
  for (const Json& point : roofline["points"])
    CHECK(point["operations_per_second"] <= point["roof_operations_per_second"]);
  const Json validated = output_of({"validate", "--quick", "--only", "scale-sim-os-64*", "--json"});
  check_names("validation", {validated, validated["rows"][0]});
  const Json models = output_of({"models", "--json"});
  check_names("models", {models, models["families"][0], models["formats"][0]});
}

TEST_CASE("explain names causes and states as results do, and every instruction") {
  const Scratch scratch;
  const std::string file = scratch / "r.json";
  REQUIRE(launch({"run", "-m", scratch.model(), "-n", "2", "-q", "--result", file}).exit_code == 0);
  const Json run = test::json_of(file);
  const auto first_column = [](const std::string& topic, const char* column) {
    std::set<std::string> names;
    const Json document = explained(topic);
    for (const Json& row : document["rows"]) CHECK(names.insert(row[column]).second);
    return names;
  };
  const std::set<std::string> causes = first_column("causes", "cause"),
                              states = first_column("states", "state");
  for (const auto& [cause, cycles] : run["stack"].items()) CHECK(causes.count(cause) == 1);
  for (const auto& [unit, of_unit] : run["units"].items()) {
    for (const auto& [state, cycles] : of_unit.items()) CHECK(states.count(state) == 1);
  }
  const std::set<std::string> mnemonics = first_column("instructions", "mnemonic");
  CHECK(mnemonics.size() == isa::opcodes().size());
  const std::string isa = launch({"explain", "isa"}).out;
  for (const std::string& mnemonic : mnemonics) CHECK_THAT(isa, Contains(mnemonic));
}

TEST_CASE("the words of programs on disk keep their form") {
  CHECK(launch({"explain", "instructions"}).out ==
        test::contents_of(TOKENCYCLE_SOURCE_DIR "/tests/golden/instructions.txt"));
}
