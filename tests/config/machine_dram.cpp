// SPDX-License-Identifier: Apache-2.0
// Is the memory system inside a machine description read, its preset found, and everything wrong with it
// refused?
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "machine_folder.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

// What is wrong when one key of the complete system is changed or, without a value, removed.
std::string errors_with(const std::string& key, const Json& value = Json(Json::value_t::discarded)) {
  Json tree = complete(DramModel::commands);
  if (value.is_discarded()) {
    tree["dram"]["system"].erase(key);
  } else {
    tree["dram"]["system"][at("/" + key)] = value;
  }
  return errors(tree);
}

class WorkingDirectory {
 public:
  explicit WorkingDirectory(const fs::path& path) : before_(fs::current_path()) { fs::current_path(path); }
  ~WorkingDirectory() { fs::current_path(before_); }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

 private:
  fs::path before_;
};

std::string found(const Machine& machine) {
  return machine.dram.system->device.description;
}

}  // namespace

TEST_CASE("each key of a machine's memory system reaches its member") {
  const Machine m = parse(complete(DramModel::commands));
  CHECK(m.dram.model == DramModel::commands);
  CHECK(m.dram.channel_gb_per_s == 12.8);
  CHECK(m.dram.latency_ns == 45.5);
  CHECK(m.dram.burst_bytes == 128);
  CHECK(m.dram.requests_in_flight == 70);
  REQUIRE(m.dram.system);
  const DramSystem& s = *m.dram.system;
  CHECK(s.name == "sample");
  CHECK(s.preset == "lpddr5-6400");
  CHECK(s.device.name == "lpddr5-6400");
  CHECK(s.channels == 4);
  CHECK(s.mapping.size() == 6);
  REQUIRE(s.hashes.size() == 1);
  CHECK(s.hashes[0].field == DramAddressField::bank);
  CHECK(s.scheduler == DramScheduler::fr_fcfs_cap);
  CHECK(s.row_hit_cap == 9);
  CHECK(s.page_policy == DramPagePolicy::adaptive);
  CHECK(s.refresh == DramRefresh::per_bank);
  CHECK(s.postpone == 3);
  CHECK(s.read_queue == 17);
  CHECK(s.write_queue == 18);
  CHECK(s.activated_queue == 19);
  CHECK(s.write_high == 0.75);
  CHECK(s.write_low == 0.25);
  CHECK_FALSE(parse(complete(DramModel::ideal)).dram.system);
}

TEST_CASE("channels and capacity follow from the memory system") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    const Json organization = json_of(kDramFolder / (name + ".json"))["organization"];
    for (const std::uint32_t channels : {1u, 4u, 6u, 64u}) {
      INFO(name << " x " << channels);
      const Machine m = parse(with_preset(name, {{"channels", channels}}));
      CHECK(m.dram.channels == channels);
      CHECK(m.dram.capacity_bytes == channels * organization["capacity_mib"].get<std::uint64_t>() << 20);
      CHECK(m.peak_dram_gb_per_s() == m.dram.channel_gb_per_s * channels);
    }
  }
  CHECK(parse(with_preset("ddr4-3200")).dram.channels == 1);
  CHECK_THAT(errors(with_preset("ddr4-3200", {{"channels", 128}})),
             StartsWith(refused("/channels") + "128; allowed in a machine: at most 64"));
}

TEST_CASE("a preset is found beside the machine, then in its folder dram/, then in the folder given") {
  const Folder folder;
  const fs::path file = folder.write("machine.json", with_preset("ddr4-3200"));
  const fs::path given = folder.path() / "given";
  CHECK_THROWS_WITH(read_machine(file), Contains("/dram/system/preset: no DRAM preset \"ddr4-3200\" in " +
                                                 folder.path().string() + ", "));
  folder.add_presets("given", "in the folder given");
  CHECK(found(read_machine(file, given)) == "in the folder given");
  folder.add_presets("dram", "in dram/");
  CHECK(found(read_machine(file, given)) == "in dram/");
  CHECK(found(read_machine(file)) == "in dram/");
  CHECK(found(parse_machine(with_preset("ddr4-3200").dump(), "text", folder.path())) == "in dram/");
  fs::copy(given / "standards", folder.path() / "standards");
  Json preset = json_of(given / "ddr4-3200.json");
  preset["description"] = "beside";
  folder.write("ddr4-3200.json", preset);
  CHECK(found(read_machine(file, given)) == "beside");
  // Other presets are found as before.
  folder.write("machine.json", with_preset("ddr4-2400"));
  CHECK(read_machine(file).dram.system->device.name == "ddr4-2400");
}

TEST_CASE("a preset is found from a working directory that is the machine's folder") {
  const Folder folder;
  folder.write("machine.json", with_preset("ddr4-3200"));
  folder.add_presets("presets", "by its path");
  const WorkingDirectory here(folder.path() / "presets");
  folder.write("presets/machine.json", with_preset("ddr4-3200"));
  CHECK(found(read_machine("machine.json")) == "by its path");
}

TEST_CASE("a preset's path starts at the machine's folder") {
  const Folder folder;
  folder.add_presets("presets", "by its path");
  fs::create_directory(folder.path() / "machines");
  const auto read = [&](const std::string& preset) {
    Json tree = with_preset("ddr4-3200");
    tree["dram"]["system"]["preset"] = preset;
    return read_machine(folder.write("machines/machine.json", tree));
  };
  CHECK(found(read("../presets/ddr4-3200.json")) == "by its path");
  CHECK(found(read((folder.path() / "presets/ddr4-3200.json").string())) == "by its path");
  CHECK_THROWS_AS(read("../presets/ddr4-3201.json"), IoError);
  CHECK_THROWS_WITH(read("../presets/ddr4-3201.json"), Contains("ddr4-3201.json: cannot be read"));
  CHECK_THROWS_AS(read("../presets"), ConfigurationError);  // a name, and no such preset
  // What is wrong with the preset is reported at its own file.
  folder.write("presets/ddr4-3200.json", Json{{"schema", "tokencycle-dram-1"}});
  CHECK_THROWS_WITH(read("../presets/ddr4-3200.json"), Contains("ddr4-3200.json: /name: missing"));
}

TEST_CASE("unknown keys inside a memory system are refused with the nearest one and the full path") {
  CHECK_THAT(errors_with("chanels", 1),
             StartsWith(refused("/chanels") + "unknown key; did you mean \"channels\"?"));
  CHECK_THAT(errors_with("refesh", "none"), Contains("did you mean \"refresh\"?"));
  CHECK_THAT(errors_with("xor/0/filed", "bank"),
             StartsWith(refused("/xor/0/filed") + "unknown key; did you mean \"field\"?"));
  // The machine has these for it.
  for (const std::string key : {"schema", "name", "description"}) {
    CHECK_THAT(errors_with(key, "sample"), StartsWith(refused("/" + key) + "unknown key; "));
  }
  CHECK_THAT(errors_with("a/b~1c", 1), !Contains("\n"));
}

TEST_CASE("wrong values inside a memory system are refused with the full path, value and range") {
  const auto check = [](const std::string& key, const Json& value, const std::string& allowed) {
    INFO(key << " = " << value.dump());
    CHECK_THAT(errors_with(key, value), StartsWith(refused("/" + key)) && Contains(allowed));
  };
  for (const std::string queue : {"read_queue", "write_queue", "activated_queue"}) {
    for (const Json& value : {Json(0), Json(4097), Json(-1), Json(1.5), Json("32"), Json(nullptr)}) {
      check(queue, value, value.dump() + " is not allowed; allowed: an integer 1 .. 4096 requests");
    }
  }
  check("channels", 0, "0 is not allowed; allowed: an integer 1 .. 1024 channels");
  check("channels", 2048, "2048 is not allowed");
  check("row_hit_cap", 0, "an integer 1 .. 1000000 row hits");
  check("postpone", 9, "9 is not allowed; allowed: an integer 0 .. 8 refreshes, as the preset allows");
  check("write_high", 1.25, "1.25 is not allowed; allowed: a number 0 .. 1");
  check("write_low", -0.5, "-0.5 is not allowed; allowed: a number 0 .. 1");
  check("write_low", 0.75, "0.75 is not below write_high, 0.75");
  check("scheduler", "fifo", "\"fcfs\", \"fr-fcfs\", \"fr-fcfs-cap\"");
  check("page_policy", true, "\"open\", \"closed\", \"adaptive\"");
  check("refresh", 1, "\"none\", \"all-bank\", \"per-bank\"");
  check("mapping", Json::array(), "[] is not allowed; allowed: an array of 1 .. 64 values");
  check("mapping", Json{{"row", 1}}, "is not allowed; allowed: an array of 1 .. 64 values");
  check("mapping", Json::array({"colum:3"}), "\"colum:3\" is no part of an address");
  check("xor", 5, "5 is not allowed; allowed: an array of 1 .. 16 values");
  check("xor/0", "bank", "\"bank\" is of type string; allowed: an object");
  check("xor/0/with", "bank", "\"bank\" with itself would be 0");
  check("preset", 5, "5 is not allowed; allowed: a string");
  check("preset", "", "\"\" is not allowed; allowed: a string");
  check("preset", "lpddr5-640", "did you mean \"lpddr5-6400\"? Or give a path that ends in .json");
  CHECK_THAT(errors_with("preset"), StartsWith(refused("/preset") + "missing; add \"preset\": a string"));
  CHECK_THAT(errors(with("/dram/system", Json::object(), DramModel::commands)),
             StartsWith(refused("/preset") + "missing"));
}

TEST_CASE("a value that is wrong on its own brings no other complaint about the memory system") {
  CHECK_THAT(errors_with("channels", 0), !Contains("\n"));  // not about the bits of "channel" in the mapping
  CHECK_THAT(errors_with("scheduler", "fifo"), !Contains("\n"));  // not about row_hit_cap
  CHECK_THAT(errors_with("write_high", 2), !Contains("\n"));
  CHECK_THAT(errors(with("/dram/burst_bytes", 33, DramModel::commands)), !Contains("\n"));
  CHECK_THAT(errors(with("/dram/channel_gb_per_s", 0, DramModel::commands)), !Contains("\n"));
}

TEST_CASE("all that is wrong with a machine and its memory system is reported at once") {
  Json tree = complete(DramModel::commands);
  tree["dram"]["system"]["read_queue"] = 0;
  tree["dram"]["system"]["queue"] = 1;
  tree["dram"]["latency_ns"] = -1;
  tree["matrix"]["rows"] = 0;
  const std::string message = errors(tree);
  CHECK_THAT(message, StartsWith("sample.json: 4 errors in this machine description:\n"));
  for (const std::string path :
       {"/dram/system/read_queue", "/dram/system/queue", "/dram/latency_ns", "/matrix/rows"}) {
    CHECK_THAT(message, Contains("\n  sample.json: " + path + ": "));
  }
}

}  // namespace tokencycle::config
