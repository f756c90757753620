// SPDX-License-Identifier: Apache-2.0
// Do DRAM systems read: defaults, address mappings, policies, and what a preset does not allow?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "dram_files.h"

namespace tokencycle::config {
namespace {

using Catch::Matchers::Contains;

DramJson minimal(const std::string& preset = "ddr4-3200") {
  return {{"schema", "tokencycle-dram-system-1"}, {"name", "sample"}, {"preset", preset}};
}

// "channel:1 column:7": the parts of a mapping, least significant first.
std::string text_of(const std::vector<DramAddressPart>& mapping) {
  std::string text;
  for (const DramAddressPart& p : mapping) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", name_of(p.field), p.bits);
  }
  return text;
}

struct Folder : DramCopy {
  DramSystem read(const DramJson& tree) const {
    write("system.json", tree.dump());
    return read_dram_system(folder() / "system.json");
  }
  std::string errors(const DramJson& tree) const {
    write("system.json", tree.dump());
    return errors_of_system("system.json");
  }
  std::string errors(const std::string& key, const DramJson& value) const {
    DramJson tree = minimal();
    tree[key] = value;
    return errors(tree);
  }
};

}  // namespace

TEST_CASE("a DRAM system with nothing but a preset has the documented defaults") {
  const Folder folder;
  const DramSystem s = folder.read(minimal());
  CHECK(s.name == "sample");
  CHECK(s.device.name == "ddr4-3200");
  CHECK(s.channels == 1);
  CHECK(text_of(s.mapping) == "bank_group:2 column:7 bank:2 row:16");
  CHECK(s.hashes.empty());
  CHECK(s.scheduler == DramScheduler::fr_fcfs);
  CHECK(s.page_policy == DramPagePolicy::open);
  CHECK(s.refresh == DramRefresh::all_bank);
  CHECK(s.postpone == 0);
  CHECK(s.read_queue == 32);
  CHECK(s.write_queue == 32);
  CHECK(s.activated_queue == 32);
  CHECK(s.write_high == 0.8);
  CHECK(s.write_low == 0.2);
}

TEST_CASE("each key of a DRAM system reaches its member") {
  const Folder folder;
  DramJson tree = minimal("lpddr5-6400");
  tree.update(DramJson::parse(R"({"description": "For tests.", "channels": 4,
    "mapping": ["column:2", "channel", "bank_group", "column", "rank", "bank", "row"],
    "xor": [{"field": "bank", "with": "row", "shift": 2}, {"field": "bank_group", "with": "column"}],
    "scheduler": "fr-fcfs-cap", "row_hit_cap": 9, "page_policy": "adaptive", "refresh": "per-bank", "postpone": 8,
    "queue_of": "bank", "read_queue": 17, "write_queue": 18, "activated_queue": 19, "write_high": 0.75, "write_low": 0.25})"));
  const DramSystem s = folder.read(tree);
  CHECK(s.description == "For tests.");
  CHECK(s.channels == 4);
  CHECK(text_of(s.mapping) == "column:2 channel:2 bank_group:2 column:4 bank:2 row:15");
  REQUIRE(s.hashes.size() == 2);
  CHECK(s.hashes[0].field == DramAddressField::bank);
  CHECK(s.hashes[0].with == DramAddressField::row);
  CHECK(s.hashes[0].shift == 2);
  CHECK(s.hashes[1].shift == 0);
  CHECK(s.hashes[1].field == DramAddressField::bank_group);
  CHECK(s.hashes[1].with == DramAddressField::column);
  CHECK(s.scheduler == DramScheduler::fr_fcfs_cap);
  CHECK(s.row_hit_cap == 9);
  CHECK(s.page_policy == DramPagePolicy::adaptive);
  CHECK(s.refresh == DramRefresh::per_bank);
  CHECK(s.postpone == 8);
  CHECK(s.queue_of == DramQueueOf::bank);
  CHECK(s.read_queue == 17);
  CHECK(s.write_queue == 18);
  CHECK(s.activated_queue == 19);
  CHECK(s.write_high == 0.75);
  CHECK(s.write_low == 0.25);
}

TEST_CASE("a preset alone is a system of one channel") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    INFO(name);
    const DramSystem s = read_dram_system(kDramFolder / (name + ".json"));
    CHECK(s.name == name);
    CHECK(s.channels == 1);
    // All bits of an address are there: the mapping covers the channel.
    std::uint32_t bits = 0;
    for (const DramAddressPart& p : s.mapping) bits += p.bits;
    CHECK((std::uint64_t{s.device.burst_bytes} << bits) == s.device.channel_bytes());
  }
  // Pseudo-channels have their own data buses, so neighbouring bursts go to different ones.
  CHECK(text_of(read_dram_system(kDramFolder / "hbm2-2000.json").mapping) ==
        "rank:1 bank_group:2 column:5 bank:2 row:14");
}

TEST_CASE("a preset is found beside the file, in the folder given, or by its path") {
  const Folder folder;
  std::filesystem::create_directory(folder.folder() / "systems");
  folder.write("systems/a.json", minimal().dump());
  const auto path = folder.folder() / "systems/a.json";
  CHECK_THROWS_WITH(read_dram_system(path), Contains("no DRAM preset \"ddr4-3200\""));
  CHECK(read_dram_system(path, kDramFolder).device.name == "ddr4-3200");
  folder.write("systems/a.json", minimal("../hbm3-6400.json").dump());
  CHECK(read_dram_system(path).device.name == "hbm3-6400");
  folder.write("systems/a.json", minimal("../nothing.json").dump());
  CHECK_THROWS_AS(read_dram_system(path), IoError);
  CHECK_THAT(folder.errors(minimal("ddr4-320")), Contains("did you mean \"ddr4-3200\"?"));
}

TEST_CASE("mappings that do not cover every bit once are refused") {
  const Folder folder;
  const auto errors = [&](std::vector<std::string> parts) { return folder.errors("mapping", parts); };
  CHECK(errors({"column", "bank_group", "bank", "row"}).empty());
  CHECK(errors({"column:3", "bank_group:1", "column:4", "bank_group:1", "bank", "row:16", "channel", "rank"})
            .empty());
  CHECK_THAT(errors({"column", "bank_group", "bank"}),
             Contains("/mapping: takes 0 of the 16 bits of row; add \"row\""));
  CHECK_THAT(errors({"column:6", "bank_group", "bank", "row"}), Contains("takes 6 of the 7 bits of column"));
  CHECK_THAT(errors({"column:8", "bank_group", "bank", "row"}),
             Contains("takes 8 bits of column, which has 7"));
  CHECK_THAT(errors({"column", "column", "bank_group", "bank", "row"}),
             Contains("\"column\" stands there 2 times"));
  CHECK_THAT(errors({"column", "bankgroup", "bank", "row"}),
             Contains("\"bankgroup\" is no part of an address"));
  for (const char* part :
       {"row:", "row:0", "row:33", "row:-1", "row:1x", "row:99999999999", ":4", "row:4:4"}) {
    CHECK_THAT(errors({"column", "bank_group", "bank", part}), Contains("is no part of an address"));
  }
  CHECK_THAT(folder.errors("mapping", DramJson::array()), Contains("/mapping: [] is not allowed"));
  CHECK_THAT(folder.errors("mapping", DramJson::array({1})), Contains("/mapping: 1 is no part"));
  CHECK_THAT(folder.errors("mapping", "row"), Contains("/mapping: \"row\" is not allowed"));
}

TEST_CASE("wrong values of a DRAM system are refused under their path") {
  const Folder folder;
  const auto errors = [&](const std::string& key, const DramJson& value) {
    return folder.errors(key, value);
  };
  CHECK_THAT(errors("channels", 0), Contains("/channels: 0 is not allowed"));
  DramJson six = minimal();
  six["channels"] = 6;
  six["mapping"] = DramJson::parse(R"(["channel:1", "column", "channel", "bank_group", "bank", "row"])");
  CHECK_THAT(folder.errors(six), Contains("\"channel\" stands there 2 times, but 6 channels are found by a"));
  six["mapping"] = DramJson::parse(R"(["column", "channel", "bank_group", "bank", "row"])");
  CHECK(text_of(folder.read(six).mapping) == "column:7 channel:3 bank_group:2 bank:2 row:16");
  six["xor"] = DramJson::parse(R"([{"field": "channel", "with": "row"}])");
  CHECK_THAT(folder.errors(six),
             Contains("/xor/0/field: \"channel\" would become a channel that is not there"));
  CHECK_THAT(errors("channels", -2), Contains("/channels: -2"));
  CHECK_THAT(errors("scheduler", "frfcfs"), Contains("allowed: \"fcfs\", \"fr-fcfs\", \"fr-fcfs-cap\""));
  CHECK_THAT(errors("page_policy", "close"), Contains("\"open\", \"closed\", \"adaptive\""));
  CHECK_THAT(errors("refresh", "per-bank"),
             Contains("/refresh: \"per-bank\" is not allowed: DDR4 has no command REFpb"));
  CHECK_THAT(errors("postpone", 9), Contains("/postpone: 9 is not allowed; allowed: an integer 0 .. 8"));
  CHECK_THAT(errors("row_hit_cap", 4), Contains("only the scheduler \"fr-fcfs-cap\" has a cap"));
  CHECK_THAT(errors("read_queue", 0), Contains("/read_queue: 0"));
  DramJson bankwise = minimal();
  bankwise["queue_of"] = "bank";
  bankwise["read_queue"] = 4097;  // 65,536 places, shared by 16 banks
  CHECK_THAT(folder.errors(bankwise),
             Contains("/read_queue: 4097 is not allowed; allowed: an integer 1 .. 4096"));
  bankwise["preset"] = "hbm2-2000";
  bankwise["read_queue"] = 2049;
  CHECK_THAT(folder.errors(bankwise),
             Contains("/read_queue: 2049 is not allowed; allowed: an integer 1 .. 2048"));
  CHECK_THAT(errors("write_low", 0.8), Contains("/write_low: 0.8 is not below write_high"));
  CHECK_THAT(errors("write_high", 1.5), Contains("/write_high: 1.5"));
  CHECK_THAT(errors("queue", 1), Contains("/queue: unknown key"));
  CHECK_THAT(errors("xor", DramJson::parse(R"([{"field": "bank", "with": "bank"}])")),
             Contains("/xor/0/with"));
  CHECK_THAT(errors("xor", DramJson::parse(R"([{"field": "rank", "with": "row"}])")),
             Contains("rank has 0 bits"));
  CHECK_THAT(errors("xor", DramJson::parse(R"([{"field": "bank", "with": "row", "shift": 16}])")),
             Contains("/xor/0/shift: 16 leaves nothing of row, which has 16 bits; allowed: at most 15"));
  CHECK_THAT(errors("xor", DramJson::parse(R"([{"field": "banks", "with": "row"}])")),
             Contains("/xor/0/field"));
  // Of channels whose number is wrong nobody knows the bits: that alone is reported.
  DramJson unknown = minimal();
  unknown["channels"] = 0;
  unknown["xor"] = DramJson::parse(R"([{"field": "channel", "with": "row"}])");
  CHECK_THAT(folder.errors(unknown), Contains("/channels: 0 is not allowed") && !Contains("/xor"));
  CHECK_THAT(errors("schema", "tokencycle-machine-1"),
             Contains("/schema: \"tokencycle-machine-1\" is not allowed"));
  CHECK_THAT(errors("preset", 5), Contains("/preset: 5 is not allowed"));
  CHECK_THAT(folder.errors(DramJson::array()), Contains("/schema: null is not allowed"));
  DramJson no_refresh = minimal();
  no_refresh["refresh"] = "none";
  no_refresh["postpone"] = 2;
  CHECK_THAT(folder.errors(no_refresh), Contains("/postpone: there is no refresh to postpone"));
}

}  // namespace tokencycle::config
