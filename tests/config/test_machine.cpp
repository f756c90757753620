// SPDX-License-Identifier: Apache-2.0
// Does each key reach its member, and is the canonical JSON, with its digest, one for equal machines only?
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/error.h"
#include "config/fields.h"
#include "machine_text.h"

namespace tokencycle::config {

using Catch::Matchers::Contains;

TEST_CASE("each key reaches its member: front end, DMA and matrix unit") {
  const Machine m = parse(complete());
  CHECK(m.name == "sample");
  CHECK(m.description == "For tests.");
  CHECK(m.clock_ghz == 1.25);
  CHECK(m.fetch.buffer_words == 48);
  CHECK(m.fetch.requests_in_flight == 3);
  CHECK(m.scoreboard.entries == 20);
  CHECK(m.dispatch.queue_depth == 6);
  CHECK(m.dma.load_bursts_in_flight == 24);
  CHECK(m.dma.store_bursts_in_flight == 12);
  CHECK(m.cores == 3);
  CHECK(m.dma.engines == 2);
  CHECK(m.matrix.units == 3);
  CHECK(m.vector.units == 4);
  CHECK(m.dma.port_bytes == 32);
  CHECK(m.dma.bursts_per_cycle == 3);
  CHECK(m.matrix.dataflow == Dataflow::weight_stationary);
  CHECK(m.matrix.rows == 16);
  CHECK(m.matrix.columns == 24);
  CHECK_FALSE(m.matrix.double_buffered);
  CHECK_FALSE(m.matrix.back_to_back);
  CHECK(m.matrix.stationary_port_bytes == 28);
  CHECK(m.matrix.moving_port_bytes == 36);
  CHECK(m.matrix.scale_latency_cycles == 5);
  CHECK(m.matrix.group_buffer_rows == 40);
  CHECK(m.matrix.cycles_per_row == std::array<std::uint32_t, kMultiplyTypes>{1, 2, 3, 4, 6});
  for (std::uint32_t d = 1; d < kDecodings; ++d) {
    CHECK(m.matrix.decode[d].values_per_cycle == 32 + d);
    CHECK(m.matrix.decode[d].latency_cycles == d);
  }
}

TEST_CASE("each key reaches its member: vector unit, memories and the rest") {
  const Machine m = parse(complete());
  CHECK(m.vector.lanes == 16);
  for (std::uint32_t i = 0; i < kVectorFunctions; ++i) {
    const FunctionCost& cost = m.vector.cost(static_cast<VectorFunction>(i));
    CHECK(cost.cycles_per_beat == i + 1);  // in the order of the enum: add, mul, copy, ...
    CHECK(cost.latency_cycles == i + 11);
  }
  CHECK(m.scratchpad.capacity_bytes == 96 * 1024);
  CHECK(m.scratchpad.banks == 8);
  CHECK(m.scratchpad.bank_bytes == 16);
  CHECK(m.scratchpad.read_latency_cycles == 2);
  CHECK(m.scratchpad.separate_write_port);
  CHECK(m.accumulator.capacity_bytes == 10 * 1024);
  CHECK(m.writeback.ports == 4);
  CHECK(m.dram.channels == 2);
  CHECK(m.dram.capacity_bytes == 300ull * 1024 * 1024);
  CHECK(m.dram.channel_gb_per_s == 12.8);
  CHECK(m.dram.latency_ns == 45.5);
  CHECK(m.dram.burst_bytes == 128);
  CHECK(m.dram.requests_in_flight == 70);
  CHECK(m.peak_dram_gb_per_s() == 25.6);
  CHECK(m.watchdog_cycles == 123456);
}

TEST_CASE("the largest sizes fit their members") {
  CHECK(parse(with("/scratchpad/capacity_kib", 1 << 20)).scratchpad.capacity_bytes == 1024u * 1024 * 1024);
  CHECK(parse(with("/accumulator/capacity_kib", 65536)).accumulator.capacity_bytes == 64u * 1024 * 1024);
  CHECK(parse(with("/dram/capacity_mib", 268435456)).dram.capacity_bytes == 1ull << 48);
}

TEST_CASE("the canonical JSON reads back as the same machine") {
  for (const DramModel model : {DramModel::ideal, DramModel::commands}) {
    const Machine m = parse(complete(model));
    const Machine again = parse_machine(to_json(m), "again", kConfigs);
    CHECK(again.digest == m.digest);
    CHECK(to_json(again) == to_json(m));
    CHECK(Json::parse(to_json(m)) == complete(model));  // nothing lost, nothing added
  }
}

TEST_CASE("the digest covers every value") {
  std::set<std::string> digests = {parse(complete(DramModel::ideal)).digest,
                                   parse(complete(DramModel::commands)).digest};
  std::size_t changes = digests.size();
  for (const auto& [f, model] : keys_of_all_models()) {
    INFO(name_of(model) << ": " << f.path);
    if (f.type == FieldType::choice || f.type == FieldType::object) continue;  // machine_dram.cpp
    Json value = complete(model)[at(f.path)];
    if (f.type == FieldType::boolean) value = !value.get<bool>();
    if (f.type == FieldType::text) value = value.get<std::string>() + "x";
    // Little enough for a peak bandwidth that a preset allows.
    if (f.type == FieldType::real) value = value.get<double>() + 0.01;
    if (f.type == FieldType::whole) value = value.get<int>() + (f.power_of_two ? value.get<int>() : 1);
    Json tree = with(f.path, value, model);
    if (f.path == "/vector/lanes") tree["scratchpad"]["banks"] = 64;
    digests.insert(parse(tree).digest);
    ++changes;
  }
  CHECK(changes == 2 + 71 + 4);
  CHECK(digests.size() == changes);
}

TEST_CASE("the digest ignores how the text is written") {
  const std::string digest = parse(complete()).digest;
  CHECK(parse_machine(complete().dump(8), "spaces").digest == digest);
  CHECK(parse_machine(nlohmann::json::parse(complete().dump()).dump(), "sorted keys").digest == digest);
  std::string text = complete().dump();
  text.replace(text.find("1.25"), 4, "125e-2");
  CHECK(parse_machine(text, "another spelling of 1.25").digest == digest);
  CHECK(parse(with("/clock_ghz", 2)).digest == parse(with("/clock_ghz", 2.0)).digest);
  CHECK(parse(with("/dram/latency_ns", 0)).digest == parse(with("/dram/latency_ns", -0.0)).digest);
}

TEST_CASE("a default written out is the same machine as a default left out") {
  for (const auto& [f, model] : keys_of_all_models()) {
    if (f.presence != Presence::defaulted || f.path == "/matrix/group_buffer_rows") continue;
    INFO(name_of(model) << ": " << f.path);
    const Json value = Json::parse(value_text(f.get(Machine{})));
    CHECK(default_text(f).starts_with(value.dump()));
    CHECK(parse(without(f.path, model)).digest == parse(with(f.path, value, model)).digest);
  }
}

TEST_CASE("whole sections without required keys may be left out") {
  for (const std::string section : {"/fetch", "/scoreboard", "/dispatch", "/dma", "/writeback"}) {
    INFO(section);
    CHECK(errors(without(section)).empty());
  }
  CHECK(parse(without("/dma")).dma.port_bytes == Dma{}.port_bytes);
}

TEST_CASE("a machine may lack types of multiplication") {
  Json tree = complete();
  tree["matrix"]["cycles_per_row"] = {{"fp16", 7}};
  const Machine m = parse(tree);
  CHECK(m.matrix.cycles_per_row == std::array<std::uint32_t, kMultiplyTypes>{0, 0, 7, 0, 0});
  CHECK(Json::parse(to_json(m)) == tree);
}

TEST_CASE("names of functions and dataflows are the keys of the description") {
  for (int i = 0; i < kVectorFunctions; ++i) {
    const std::string name(name_of(static_cast<VectorFunction>(i)));
    CHECK(complete()["vector"]["functions"].contains(name));
  }
  CHECK(name_of(VectorFunction::rotary) == "rotary");
  CHECK(name_of(Dataflow::weight_stationary) == "weight-stationary");
  CHECK(name_of(DramModel::ideal) == "ideal");
  CHECK(name_of(DramModel::commands) == "commands");
}

TEST_CASE("files: read, missing, a folder, too long") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("tokencycle-config-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const auto path = folder / "machine.json";
  std::ofstream(path) << complete().dump();
  CHECK(read_machine(path).digest == parse(complete()).digest);
  CHECK_THROWS_WITH(read_machine(folder / "none.json"), Contains("none.json: cannot be read: No such file"));
  CHECK_THROWS_AS(read_machine(folder / "none.json"), IoError);
  CHECK_THROWS_AS(read_machine(folder), IoError);
  std::ofstream(path) << complete().dump() << std::string(1 << 20, ' ');
  CHECK_THROWS_AS(read_machine(path), ConfigurationError);
  CHECK_THROWS_WITH(read_machine(path), Contains("machine.json: longer than"));
  std::filesystem::remove_all(folder);
}

}  // namespace tokencycle::config
