// SPDX-License-Identifier: Apache-2.0
// Does a machine refuse a memory system that does not fit its bandwidth, its requests or its addresses?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "machine_folder.h"

namespace tokencycle::config {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

TEST_CASE("a peak bandwidth that is not the preset's is refused with the preset's") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    INFO(name);
    const Json tree = with_preset(name);
    const double peak = tree["dram"]["channel_gb_per_s"];
    const auto errors_at = [&](double gb_per_s) {
      Json other = tree;
      other["dram"]["channel_gb_per_s"] = gb_per_s;
      return errors(other);
    };
    CHECK(errors_at(peak).empty());
    CHECK(errors_at(peak * 1.004).empty());
    CHECK(errors_at(peak * 0.996).empty());
    for (const double wrong : {peak * 1.006, peak * 0.994, peak * 2, peak / 2}) {
      CHECK_THAT(errors_at(wrong),
                 StartsWith("sample.json: /dram/channel_gb_per_s: " + fmt::format("{:g}", wrong)) &&
                     Contains(fmt::format("{:g} GB/s; write that, or choose another preset", peak)));
    }
  }
}

TEST_CASE("a request is at least a burst of the devices, and its bursts fit a queue") {
  const auto errors_at = [](const std::string& preset, int bytes, const Json& keys) {
    Json tree = with_preset(preset, keys);
    tree["dram"]["burst_bytes"] = bytes;
    return errors(tree);
  };
  CHECK_THAT(errors_at("ddr4-3200", 32, Json::object()),
             StartsWith("sample.json: /dram/burst_bytes: 32 bytes are less than a burst of ddr4-3200, 64; "
                        "allowed: 64 or a multiple"));
  CHECK(errors_at("ddr4-3200", 64, Json::object()).empty());
  for (const std::string queue : {"read_queue", "write_queue"}) {
    INFO(queue);
    CHECK(errors_at("lpddr5-6400", 256, {{queue, 8}}).empty());
    CHECK_THAT(
        errors_at("lpddr5-6400", 256, {{queue, 7}}),
        StartsWith("sample.json: /dram/burst_bytes: a request of 256 bytes is 8 bursts of lpddr5-6400, "
                   "more than a queue of 7 takes; allowed: at most 224, or longer queues"));
  }
}

TEST_CASE("a mapping that splits requests over channels is refused") {
  const auto errors_of_mapping = [](const std::vector<std::string>& parts, int bytes) {
    Json tree = with_preset("lpddr5-6400", {{"channels", 4}, {"mapping", parts}});
    tree["dram"]["burst_bytes"] = bytes;
    return errors(tree);
  };
  const std::vector<std::string> first = {"channel", "column", "bank_group", "bank", "row"};
  CHECK(errors_of_mapping(first, 32).empty());
  CHECK_THAT(errors_of_mapping(first, 64),
             StartsWith(refused("/mapping") +
                        "parts of one request of 64 bytes (2 bursts of lpddr5-6400) would be in "
                        "different channels; move \"channel\" up behind the lowest 1 bits, or "
                        "make burst_bytes 32"));
  const std::vector<std::string> second = {"column:1",   "channel:1", "column", "channel",
                                           "bank_group", "bank",      "row"};
  CHECK(errors_of_mapping(second, 64).empty());
  CHECK_THAT(errors_of_mapping(second, 128), StartsWith(refused("/mapping")) && Contains("lowest 2 bits"));
  const std::vector<std::string> third = {"bank_group:1", "bank:1",     "row:1", "channel",
                                          "column",       "bank_group", "bank",  "row"};
  CHECK(errors_of_mapping(third, 256).empty());
  // One channel cannot split a request.
  CHECK(errors(with_preset("lpddr5-6400", {{"mapping", {"column", "channel", "bank_group", "bank", "row"}}}))
            .empty());
}

TEST_CASE("a combination of channel bits with bits inside a request is refused") {
  const auto errors_of_xor = [](const Json& pairs, int bytes) {
    Json tree = with_preset("lpddr5-6400",
                            {{"channels", 4},
                             {"mapping", {"column:3", "channel", "bank_group", "column", "bank", "row"}},
                             {"xor", pairs}});
    tree["dram"]["burst_bytes"] = bytes;
    return errors(tree);
  };
  const auto pair = [](const char* field, const char* with) {
    return Json{{"field", field}, {"with", with}};
  };
  CHECK(errors_of_xor(Json::array({pair("channel", "row"), pair("channel", "bank")}), 256).empty());
  CHECK(errors_of_xor(Json::array({pair("channel", "column")}), 32).empty());
  CHECK_THAT(
      errors_of_xor(Json::array({pair("channel", "column")}), 64),
      StartsWith(refused("/xor") + "parts of one request of 64 bytes (2 bursts of lpddr5-6400) would be in "
                                   "different channels; combine \"channel\" with bits above the request's"));
  // The pairs apply in order: after the first, bank has bits of column.
  CHECK_THAT(errors_of_xor(Json::array({pair("bank", "column"), pair("channel", "bank")}), 64),
             StartsWith(refused("/xor")));
  CHECK(errors_of_xor(Json::array({pair("channel", "bank"), pair("bank", "column")}), 64).empty());
}

TEST_CASE("a memory beyond the addresses of instructions is refused") {
  const Folder folder;
  fs::copy(kDramFolder / "standards", folder.path() / "standards");
  Json preset = json_of(kDramFolder / "ddr4-3200.json");
  preset["energy"] = nullptr;
  preset["energy_reason"] = "no such device";
  // 8 ranks x 16 banks x 2^20 rows x 2^14 columns x 8 bytes = 2^44 bytes of 128 devices.
  const Json large{
      {"ranks", 8},          {"rows", 1 << 20},        {"columns", 1 << 14},     {"device_width_bits", 4},
      {"device_gbit", 1024}, {"devices_per_rank", 16}, {"capacity_mib", 1 << 24}};
  preset["organization"].update(large);
  folder.write("large.json", preset);
  const auto read = [&](int channels) {
    Json tree = with_preset("ddr4-3200", {{"preset", "large"}, {"channels", channels}});
    return parse_machine(tree.dump(), "sample.json", folder.path());
  };
  CHECK(read(16).dram.capacity_bytes == std::uint64_t{1} << 48);
  CHECK_THROWS_WITH(read(32),
                    StartsWith(refused("/channels") + "32 channels of 16777216 MiB are beyond the 2^48 "
                                                      "bytes that have addresses; allowed: at most 16"));
}

}  // namespace tokencycle::config
