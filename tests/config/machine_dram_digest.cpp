// SPDX-License-Identifier: Apache-2.0
// Does the canonical JSON of a machine with a memory system read back, and does the digest tell machines
// apart?
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "machine_folder.h"

namespace tokencycle::config {
namespace {

std::vector<Json> settings(const std::string& preset) {
  const bool per_bank = json_of(kDramFolder / (preset + ".json"))["refresh"]["per_bank"].is_object();
  return {Json::object(),
          {{"channels", 2},
           {"xor",
            {{{"field", "bank"}, {"with", "row"}}, {{"field", "channel"}, {"with", "row"}, {"shift", 3}}}}},
          {{"scheduler", "fr-fcfs-cap"}},
          {{"scheduler", "fr-fcfs-cap"}, {"row_hit_cap", 1}},
          {{"scheduler", "fcfs"}, {"page_policy", "closed"}},
          {{"page_policy", "adaptive"}, {"refresh", per_bank ? "per-bank" : "all-bank"}, {"postpone", 2}},
          {{"refresh", "none"}},
          {{"channels", 8}, {"read_queue", 8}, {"write_queue", 4096}, {"activated_queue", 1}},
          {{"write_high", 1}, {"write_low", 0}},
          {{"write_high", 0.3}, {"write_low", 0.1}},
          {{"channels", 6}},
          {{"scheduler", "fr-fcfs-row-hit"}, {"queue_of", "bank"}},
          {{"mapping", {"row", "rank", "stack_id", "bank_group", "bank", "column", "channel"}}}};
}

// A machine in a folder of its own, with its presets beside it.
struct Machines : Folder {
  Machines() {
    add_presets("dram", "sample");
    machine = write("machine.json", with_preset("ddr4-3200"));
  }
  // The machine's digest with this value in a file of dram/, which then gets its own text back.
  std::string digest_with(const std::string& file, const std::string& pointer, const Json& value) const {
    const Json before = json_of(path() / "dram" / file);
    Json tree = before;
    REQUIRE(tree.contains(at(pointer)));
    tree[at(pointer)] = value;
    write("dram/" + file, tree);
    const std::string digest = read_machine(machine).digest;
    write("dram/" + file, before);
    return digest;
  }
  std::filesystem::path machine;
};

}  // namespace

TEST_CASE("every preset makes a machine whose canonical JSON reads back as the same machine") {
  for (const std::string& preset : dram_presets(kDramFolder)) {
    std::set<std::string> digests, texts;
    const std::vector<Json> all = settings(preset);
    for (const Json& keys : all) {
      INFO(preset << " " << keys.dump());
      const Machine m = parse(with_preset(preset, keys));
      const std::string text = to_json(m);
      const Machine again = parse_machine(text, "again", kConfigs);
      CHECK(again.digest == m.digest);
      CHECK(to_json(again) == text);
      const Json written = Json::parse(text)["dram"]["system"];
      for (const auto& [key, value] : keys.items()) {
        if (key != "mapping") CHECK(written[key] == value);
      }
      CHECK(written.contains("row_hit_cap") == (written["scheduler"] == "fr-fcfs-cap"));
      CHECK(written.contains("postpone") == (written["refresh"] != "none"));
      digests.insert(m.digest);
      texts.insert(text);
    }
    CHECK(digests.size() == all.size());
    CHECK(texts.size() == all.size());
  }
}

TEST_CASE("the digest covers every key of a memory system") {
  const auto digest_with = [](const std::string& key, const Json& value) {
    return parse(with("/dram/system/" + key, value, DramModel::commands)).digest;
  };
  std::set<std::string> digests = {parse(complete(DramModel::commands)).digest};
  const std::vector<std::pair<std::string, Json>> changes = {
      {"mapping", {"column", "channel", "bank_group", "bank", "row"}},
      {"xor", {{{"field", "bank_group"}, {"with", "row"}}}},
      {"scheduler", "fr-fcfs"},
      {"row_hit_cap", 10},
      {"page_policy", "open"},
      {"refresh", "all-bank"},
      {"postpone", 4},
      {"read_queue", 16},
      {"write_queue", 16},
      {"queue_of", "bank"},
      {"activated_queue", 16},
      {"write_high", 0.8},
      {"write_low", 0.2},
      {"channels", 8}};
  for (const auto& [key, value] : changes) {
    INFO(key);
    Json tree = with("/dram/system/" + key, value, DramModel::commands);
    if (key == "scheduler") tree["dram"]["system"].erase("row_hit_cap");
    if (key == "channels") tree["dram"]["system"].erase("mapping");
    digests.insert(parse(tree).digest);
  }
  CHECK(digests.size() == 1 + changes.size());
  // 0 and -0 are one value; so are a default that is written out and one that is left out.
  CHECK(digest_with("write_low", 0) == digest_with("write_low", -0.0));
  CHECK(parse(with_preset("hbm3-6400")).digest == parse(with_preset("hbm3-6400", {{"postpone", 0}})).digest);
}

TEST_CASE("the digest of a machine changes with every value of its preset's and its standard's file") {
  const Machines folder;
  std::set<std::string> digests = {read_machine(folder.machine).digest};
  digests.insert(folder.digest_with("ddr4-3200.json", "/timing/nCL/clocks", 23));
  digests.insert(folder.digest_with("ddr4-3200.json", "/refresh/nREFI/ns", 3900));
  digests.insert(folder.digest_with("ddr4-3200.json", "/refresh/postponable", 4));
  digests.insert(folder.digest_with("ddr4-3200.json", "/description", "another one"));
  digests.insert(folder.digest_with("standards/ddr4.json", "/constraints/0/clocks", "nCCD_L + 1"));
  digests.insert(folder.digest_with("standards/ddr4.json", "/document", "another one"));
  CHECK(digests.size() == 7);
  // What it is not made from does not matter.
  CHECK(folder.digest_with("ddr4-2400.json", "/timing/nCL/clocks", 18) ==
        read_machine(folder.machine).digest);
  CHECK(folder.digest_with("standards/ddr5.json", "/document", "x") == read_machine(folder.machine).digest);
}

TEST_CASE("the digest does not depend on the folder, nor on spaces and line breaks in the files") {
  const Machines folder;
  const std::string digest = read_machine(folder.machine).digest;
  for (const std::string file : {"machine.json", "dram/ddr4-3200.json", "dram/standards/ddr4.json"}) {
    folder.write(file, json_of(folder.path() / file).dump(3));
    CHECK(read_machine(folder.machine).digest == digest);
  }
  std::filesystem::rename(folder.path() / "dram", folder.path() / "elsewhere");
  CHECK(read_machine(folder.machine, folder.path() / "elsewhere").digest == digest);
  CHECK(parse_machine(with_preset("hbm3-6400").dump(), "one", kConfigs).digest ==
        parse_machine(with_preset("hbm3-6400").dump(), "two", {}, kDramFolder).digest);
}

}  // namespace tokencycle::config
