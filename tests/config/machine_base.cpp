// SPDX-License-Identifier: Apache-2.0
// Small changes of a machine: does a description with a base, or with changes, mean what it says, and does
// what follows from a preset follow it?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "config/dram/system.h"
#include "machine_folder.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

Machine edge_with(std::vector<Change> changes) {
  return read_machine(kConfigs / "edge.json", ReadOptions{kConfigs / "dram", kConfigs, std::move(changes)});
}
Change set(const std::string& path, const std::string& value) {
  return {path, value, "edge with --set " + path + "=" + value, true};
}
std::string refusal_of(const std::vector<Change>& changes) {
  try {
    edge_with(changes);
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "";
}

Machine based(const Folder& folder, const Json& tree, const std::string& file = "mine.json") {
  return read_machine(folder.write(file, tree), ReadOptions{kConfigs / "dram", kConfigs, {}});
}

std::string source_of(const Machine& machine, const std::string& path) {
  for (const Provenance::Value& v : machine.provenance.values) {
    if (v.path == path) return std::filesystem::path(v.source).filename().string() + ": " + v.value;
  }
  return "";
}

}  // namespace

TEST_CASE("changes take the place of values, and stand in the machine's name") {
  const Machine edge = edge_with({});
  const Machine m = edge_with({set("/matrix/rows", "64"), set("/matrix/dataflow", "dot-product")});
  CHECK(m.matrix.rows == 64);
  CHECK(m.matrix.dataflow == Dataflow::dot_product);
  CHECK(m.matrix.columns == edge.matrix.columns);
  CHECK(m.name == "edge with /matrix/rows=64, /matrix/dataflow=dot-product");
  CHECK_THAT(m.description, StartsWith("Changed with /matrix/rows=64, /matrix/dataflow=dot-product. "));
  CHECK(m.provenance.changes == std::vector<std::string>{"/matrix/rows=64", "/matrix/dataflow=dot-product"});
  CHECK(m.digest != edge.digest);
  CHECK(edge_with({set("/name", "\"own\""), set("/matrix/rows", "64")}).name == "own");
  // Those of an option that has a name of its own do not rename it.
  const Machine tiled = edge_with({{"/matrix/tiling", "{\"m\": 4}", "--tiling", false}});
  CHECK(tiled.name == "edge");
  CHECK(tiled.matrix.tiling.m == 4);
}

TEST_CASE("null takes a key away, so that its default holds") {
  CHECK(edge_with({set("/writeback/ports", "null")}).writeback.ports == Writeback{}.ports);
  CHECK(edge_with({set("/matrix/cycles_per_row/fp32", "null")}).matrix.cycles_per_row[4] == 0);
  CHECK_THAT(refusal_of({set("/matrix/tiling", "null")}), Contains("this one is not there; leave it out"));
  CHECK_THAT(refusal_of({set("/matrix/rows", "null")}), Contains("/matrix/rows: missing"));
}

TEST_CASE("what is wrong with changes is reported as of a file, at once, with the option") {
  const std::string message =
      refusal_of({set("/matrix/rows", "0"), set("/matrix/colums", "8"), set("/dram/system/channels", "65"),
                  set("/vector/lanes", "wide"), set("/scratchpad/bank_bytes", "4")});
  for (const char* part :
       {"edge with --set /matrix/rows=0: /matrix/rows: 0 is not allowed",
        "--set /matrix/colums=8: /matrix/colums: unknown key",
        "--set /dram/system/channels=65: /dram/system/channels: 65; allowed in a machine: at most 64",
        "--set /vector/lanes=wide: /vector/lanes: \"wide\" is of type string"}) {
    CHECK_THAT(message, Contains(part));
  }
  CHECK_THAT(refusal_of({set("/name/x", "1")}),
             Contains("/name is \"edge\", without keys inside; set it as a whole"));
  CHECK_THAT(refusal_of({set("/matrix/tiling", "{\"m\":1,\"m\":2}")}), Contains("this key is given twice"));
  CHECK_THAT(refusal_of({set("/matrix/tiling", std::string(40, '['))}), Contains("/matrix/tiling: "));
}

TEST_CASE("a long list of changes is counted in the name") {
  std::vector<Change> many;
  for (const char* f : {"add", "mul", "copy", "convert", "quantize", "exp", "divide", "reduce", "rotary"}) {
    many.push_back(set(std::string("/vector/functions/") + f + "/latency_cycles", "9"));
  }
  const std::string name = edge_with(many).name;
  CHECK(name.size() <= kMostNameBytes);
  CHECK_THAT(name,
             StartsWith("edge with /vector/functions/add/latency_cycles=9, ") && Catch::EndsWith(" more"));
}

TEST_CASE("mapping and rate follow the preset, the channels and the bytes of a request") {
  const Machine edge = edge_with({});
  for (const char* preset :
       {"ddr4-3200", "ddr5-6400", "hbm2-2000", "lpddr5x-8533", "gddr6-16000", "hbm3-6400-8hi"}) {
    INFO(preset);
    const Machine m = edge_with({set("/dram/system/preset", preset)});
    CHECK(m.dram.system->device.name == preset);
    DramSystem fresh = *m.dram.system;
    fresh.mapping = default_mapping(fresh, std::max(1u, m.dram.burst_bytes / fresh.device.burst_bytes));
    REQUIRE(fresh.mapping.size() == m.dram.system->mapping.size());
    for (std::size_t i = 0; i < fresh.mapping.size(); ++i) {
      CHECK(fresh.mapping[i].field == m.dram.system->mapping[i].field);
      CHECK(fresh.mapping[i].bits == m.dram.system->mapping[i].bits);
    }
    CHECK(m.peak_dram_gb_per_s() ==
          Approx(fresh.device.data_rate_mt_s * 1e-3 * fresh.device.channel_bits / 8 * m.dram.channels));
    CHECK(source_of(m, "/dram/system/mapping").ends_with(": derived"));
    CHECK(source_of(m, "/dram/channel_gb_per_s").ends_with(": derived"));
  }
  CHECK(edge_with({set("/dram/system/channels", "3")}).dram.channels == 3);
  CHECK(edge_with({set("/dram/burst_bytes", "128")}).dram.burst_bytes == 128);
  // What is given with it holds, and without such a change nothing is derived.
  CHECK_THAT(refusal_of({set("/dram/system/preset", "ddr4-3200"), set("/dram/channel_gb_per_s", "19.2")}),
             Contains("/dram/channel_gb_per_s: 19.2, but a channel"));
  const Machine rows = edge_with({set("/matrix/rows", "64")});
  CHECK(source_of(rows, "/dram/system/mapping").empty());
  CHECK(rows.dram.system->mapping.size() == edge.dram.system->mapping.size());
}

TEST_CASE("without a rate a channel has its preset's") {
  Json tree = Json::parse(to_json(edge_with({})));
  tree["dram"].erase("channel_gb_per_s");
  CHECK(parse(tree).digest == edge_with({}).digest);
  Json ideal = complete();
  ideal["dram"].erase("channel_gb_per_s");
  CHECK_THAT(errors(ideal), Contains("/dram/channel_gb_per_s: missing"));
}

TEST_CASE("a file with a base has the base's values and its own") {
  const Folder folder;
  const Machine m = based(folder, {{"base", "edge"}, {"matrix", {{"rows", 64}, {"tiling", {{"m", 8}}}}}});
  const Machine edge = edge_with({});
  CHECK(m.matrix.rows == 64);
  CHECK(m.matrix.columns == edge.matrix.columns);
  CHECK(m.matrix.tiling.m == 8);
  CHECK(m.name == "mine");
  CHECK(m.description == "edge with /matrix/rows=64, /matrix/tiling/m=8");
  CHECK(source_of(m, "/matrix/rows") == "mine.json: 64");
  CHECK(source_of(m, "/matrix/columns").empty());
  REQUIRE(m.provenance.files.size() == 2);
  CHECK(m.provenance.files[1].filename() == "edge.json");
  // Lists are replaced, null takes away, a base may have a base, and name and description may be said.
  const Machine next =
      based(folder,
            {{"base", "mine"},
             {"name", "next"},
             {"description", "of my own"},
             {"writeback", nullptr},
             {"dram", {{"system", {{"mapping", {"channel", "column", "bank_group", "bank", "row"}}}}}}},
            "next.json");
  CHECK(next.name == "next");
  CHECK(next.description == "of my own");
  CHECK(next.matrix.rows == 64);
  CHECK(next.writeback.ports == Writeback{}.ports);
  CHECK(next.dram.system->mapping.at(1).bits == 7);
  CHECK(next.provenance.files.size() == 3);
  CHECK(source_of(next, "/matrix/rows") == "mine.json: 64");
}

TEST_CASE("a base's preset is derived from as with changes, and found from the base's folder") {
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "machines");
  folder.add_presets("machines/dram", "of the base");
  Json base = Json::parse(to_json(edge_with({})));
  base["dram"]["system"]["preset"] = "dram/ddr4-2400.json";
  folder.write("machines/base.json", base);
  CHECK(based(folder, {{"base", "machines/base.json"}}).dram.system->device.name == "ddr4-2400");
  const Machine m = based(folder, {{"base", "edge"}, {"dram", {{"system", {{"preset", "hbm2-2000"}}}}}});
  CHECK(m.dram.channel_gb_per_s == 32);
  CHECK(source_of(m, "/dram/system/mapping") == "mine.json: derived");
}

TEST_CASE("a file of the name of its base is no circle, and a circle is refused") {
  const Folder folder;
  CHECK(based(folder, {{"base", "edge"}, {"matrix", {{"rows", 64}}}}, "edge.json").matrix.rows == 64);
  folder.write("a.json", Json{{"base", "b"}});
  folder.write("b.json", Json{{"base", "c.json"}});
  CHECK_THROWS_WITH(based(folder, {{"base", "a"}}, "c.json"),
                    Contains("leads back to itself (") && Contains("c.json -> ") && Contains("a.json -> ") &&
                        Contains("name a base outside this circle"));
  CHECK_THROWS_WITH(based(folder, {{"base", "./self.json"}}, "self.json"), Contains("leads back to itself"));
}

TEST_CASE("a base that cannot be used is named with its file and a remedy") {
  const Folder folder;
  CHECK_THROWS_WITH(
      based(folder, {{"base", "edeg"}}),
      Contains("mine.json: /base: no machine \"edeg\" in ") && Contains("did you mean \"edge\"?"));
  CHECK_THROWS_WITH(based(folder, {{"base", 3}}), Contains("/base: 3 is not allowed"));
  CHECK_THROWS_AS(based(folder, {{"base", "none.json"}}), IoError);
  folder.write("list.json", Json::array());
  CHECK_THROWS_WITH(based(folder, {{"base", "list.json"}}),
                    Contains("list.json: (whole file): the text is of type array"));
  folder.write("memory.json", Json{{"schema", "tokencycle-dram-system-1"}});
  CHECK_THROWS_WITH(based(folder, {{"base", "memory.json"}}), Contains("memory.json: /schema: "));
  folder.write("wrong.json", Json{{"base", "edge"}, {"matrix", {{"rows", 0}}}});
  CHECK_THROWS_WITH(based(folder, {{"base", "wrong"}, {"vector", {{"lanes", 3}}}}),
                    Contains("wrong.json: /matrix/rows: 0 is not allowed") &&
                        Contains("mine.json: /vector/lanes: 3 is not allowed"));
}

TEST_CASE("what is wrong with memory and machine is reported at once") {
  Json tree = complete(DramModel::commands);
  tree["dram"]["system"]["scheduler"] = "fifo";
  tree["dram"]["system"]["mapping"] = Json::array({"channel", "rank", "bank_group", "bank", "row"});
  tree["dram"]["channel_gb_per_s"] = 1;
  tree["matrix"]["rows"] = 0;
  const std::string message = errors(tree);
  for (const char* part : {"4 errors", "/dram/system/scheduler: ", "/dram/system/mapping: ",
                           "/dram/channel_gb_per_s: 1, but", "/matrix/rows: 0"}) {
    CHECK_THAT(message, Contains(part));
  }
  // Also without a preset: what does not depend on it.
  tree["dram"]["system"]["preset"] = "lpddr5-6401";
  tree["dram"]["system"]["rea_queue"] = 3;
  const std::string without = errors(tree);
  for (const char* part : {"4 errors", "/dram/system/preset: no DRAM preset",
                           "/dram/system/scheduler: ", "/dram/system/rea_queue", "/matrix/rows: 0"}) {
    CHECK_THAT(without, Contains(part));
  }
}

}  // namespace tokencycle::config
