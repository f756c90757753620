// SPDX-License-Identifier: Apache-2.0
// Do the bundled DRAM presets read, with the clocks, sizes and rates that their sources give?
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "dram_files.h"

namespace tokencycle::config {
namespace {

// A decimal number in millionths, from its digits: no binary fraction is involved.
std::uint64_t millionths(const DramJson& number) {
  std::string text = number.dump();
  REQUIRE(text.find_first_not_of("0123456789.") == std::string::npos);
  const std::size_t dot = std::min(text.find('.'), text.size());
  std::string fraction = dot < text.size() ? text.substr(dot + 1) : "";
  REQUIRE(fraction.size() <= 6);
  fraction.resize(6, '0');
  return std::stoull(text.substr(0, dot) + fraction);
}

// The rule of configs/dram/README.md, in femtoseconds.
std::uint64_t expected_clocks(const std::string& symbol, const DramJson& value, const DramJson& clock) {
  std::uint64_t clocks = value.value("clocks", std::uint64_t{0});
  if (!value.contains("ns")) return clocks;
  const std::uint64_t fs = millionths(value["ns"]), tck = clock["tck_ps"].get<std::uint64_t>() * 1000;
  std::uint64_t from_ns = fs / tck + (fs % tck != 0 ? 1 : 0);
  if (clock.contains("rounding")) {
    const auto multiply = clock["rounding"]["multiply"].get<std::uint64_t>();
    from_ns = (fs * multiply / tck + clock["rounding"]["add"].get<std::uint64_t>()) / 1000;
  }
  if (symbol.starts_with("nREFI")) from_ns = fs / tck;
  return std::max(clocks, from_ns);
}

}  // namespace

TEST_CASE("every bundled DRAM preset reads under its file's name") {
  const std::vector<std::string> expected = {"ddr4-2400",   "ddr4-3200",     "ddr5-4800",    "ddr5-6400",
                                             "gddr6-16000", "gddr7-28000",   "hbm2-2000",    "hbm2e-3600",
                                             "hbm3-6400",   "hbm3-6400-8hi", "hbm4-8000",    "hbm4-8000-8hi",
                                             "lpddr4-3200", "lpddr5-6400",   "lpddr5x-8533", "lpddr6-10667"};
  CHECK(dram_presets(kDramFolder) == expected);
  for (const std::string& name : expected) {
    INFO(name);
    const DramDevice d = bundled_dram(name);
    CHECK(d.name == name);
    CHECK(d.description.size() > 20);
    CHECK(d.constraints.size() > 40);
    CHECK(d.read_latency - d.read_first == d.burst_clocks);
    CHECK(d.write_latency - d.write_first == d.burst_clocks);
    CHECK(d.exists(DramCommand::refresh_bank) == (d.bank_refresh_interval > 0));
  }
}

TEST_CASE("capacity and peak bandwidth of a channel are those of the data sheets") {
  struct Expected {
    const char* name;
    double gb_per_s;  // data rate x width
    std::uint64_t mib, banks, burst_bytes, bursts;
  };
  for (const Expected& e :
       {Expected{"ddr4-2400", 19.2, 8192, 16, 64, 128}, Expected{"ddr4-3200", 25.6, 8192, 16, 64, 128},
        Expected{"ddr5-4800", 19.2, 8192, 32, 64, 64}, Expected{"ddr5-6400", 25.6, 8192, 32, 64, 64},
        Expected{"gddr6-16000", 32, 512, 16, 32, 64}, Expected{"hbm2-2000", 32, 512, 32, 32, 32},
        Expected{"hbm2e-3600", 57.6, 1024, 32, 32, 32}, Expected{"hbm3-6400", 51.2, 512, 32, 32, 32},
        Expected{"hbm3-6400-8hi", 51.2, 1024, 64, 32, 32}, Expected{"lpddr4-3200", 6.4, 1024, 8, 32, 64},
        Expected{"lpddr5-6400", 12.8, 1024, 16, 32, 64}, Expected{"lpddr5x-8533", 17.066, 2048, 16, 32, 64},
        // 12 bits of 10,667 Mb/s, of which 32 bits of 288 are no data.
        Expected{"lpddr6-10667", 10.667 * 12 / 8 * 256 / 288, 2048, 16, 32, 64},
        Expected{"gddr7-28000", 28, 512, 16, 32, 64}, Expected{"hbm4-8000", 64, 512, 32, 32, 32},
        Expected{"hbm4-8000-8hi", 64, 1024, 64, 32, 32}}) {
    INFO(e.name);
    const DramDevice d = bundled_dram(e.name);
    CHECK(d.peak_gb_per_s() == Approx(e.gb_per_s).epsilon(0.003));
    CHECK(d.channel_bytes() == e.mib * 1024 * 1024);
    CHECK(d.banks_of_channel() == e.banks);
    CHECK(d.burst_bytes == e.burst_bytes);
    CHECK(d.bursts == e.bursts);
  }
  // 64 bits twice in 625 ps; 32 bits twice in 312 ps.
  CHECK(bundled_dram("ddr4-3200").peak_gb_per_s() == Approx(25.6).epsilon(1e-12));
  CHECK(bundled_dram("ddr5-6400").peak_gb_per_s() == Approx(8 / 0.312).epsilon(1e-12));
}

TEST_CASE("every time of every preset is its ns in clocks, or its clocks if these are more") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    INFO(name);
    const DramJson preset = json_of(kDramFolder / (name + ".json"));
    std::map<std::string, std::uint32_t> expected;
    const auto add = [&](const DramJson& section) {
      for (const auto& [symbol, value] : section.items()) {
        if (!symbol.starts_with("n") || !value.is_object()) continue;
        expected[symbol] = static_cast<std::uint32_t>(expected_clocks(symbol, value, preset["clock"]));
      }
    };
    add(preset["timing"]);
    add(preset["refresh"]);
    if (preset["refresh"]["per_bank"].is_object()) add(preset["refresh"]["per_bank"]);
    CHECK(bundled_dram(name).clocks == expected);
  }
}

TEST_CASE("clocks of well-known speed bins") {
  const auto ddr4 = bundled_dram("ddr4-3200").clocks;
  CHECK(ddr4.at("nRCD") == 22);
  CHECK(ddr4.at("nRP") == 22);
  CHECK(ddr4.at("nRAS") == 52);   // 32 ns = 51.2
  CHECK(ddr4.at("nRC") == 74);    // 45.75 ns = 73.2
  CHECK(ddr4.at("nFAW") == 34);   // 21 ns = 33.6, more than 20 clocks
  CHECK(ddr4.at("nRRD_L") == 8);  // 4.9 ns = 7.84
  CHECK(ddr4.at("nRFC") == 560);  // 350 ns
  CHECK(ddr4.at("nREFI") == 12480);
  // With the guard band of DDR4: 13.75 ns = 16.51 of 833 ps are 17, but 350 ns = 420.17 are 421.
  const auto slower = bundled_dram("ddr4-2400").clocks;
  CHECK(slower.at("nRFC") == 421);
  CHECK(slower.at("nREFI") == 9363);
  // DDR5 takes off 0.3 %: 16 ns = 38.46 of 416 ps.
  CHECK(bundled_dram("ddr5-4800").clocks.at("nRCD") == 39);
  CHECK(bundled_dram("lpddr5-6400").clocks.at("nRFCpb") == 96);  // 120 ns of 1.25 ns
  CHECK(bundled_dram("hbm2-2000").clocks.at("nREFI") == 3900);
}

TEST_CASE("data, refresh and data clock of the standards reach the device") {
  const DramDevice lpddr5 = bundled_dram("lpddr5-6400");
  CHECK(lpddr5.read_first == 17);
  CHECK(lpddr5.read_latency == 19);
  CHECK(lpddr5.write_first == 9);
  CHECK(lpddr5.write_latency == 11);
  // nCL + nBL + nWCKPST = 20 clocks after a read the next one needs a sync, after 19 it does not.
  CHECK(lpddr5.sync_by_read == 19);
  CHECK(lpddr5.sync_by_sync_read == 20);
  CHECK(lpddr5.sync_by_write == 11);
  CHECK(lpddr5.sync_by_sync_write == 12);
  CHECK(lpddr5.refresh_reach == 2);
  CHECK(lpddr5.bank_refresh_interval == 390);
  CHECK(lpddr5.postponable == 8);
  REQUIRE(lpddr5.at_most.size() == 1);
  CHECK(lpddr5.at_most[0].before == DramCommand::activate_first);
  CHECK(lpddr5.at_most[0].after == DramCommand::activate);
  CHECK(lpddr5.at_most[0].clocks == 8);

  const DramDevice ddr5 = bundled_dram("ddr5-4800");
  CHECK(ddr5.read_first == 41);  // nCL counts from the second clock of the command
  CHECK(ddr5.refresh_reach == ddr5.bank_groups);
  CHECK(ddr5.postponable == 4);
  CHECK(ddr5.sync_by_read == 0);
  CHECK(ddr5.commands[static_cast<std::size_t>(DramCommand::activate)].clocks == 2);

  const DramDevice ddr4 = bundled_dram("ddr4-3200");
  CHECK_FALSE(ddr4.exists(DramCommand::refresh_bank));
  CHECK_FALSE(ddr4.exists(DramCommand::activate_first));
  CHECK(ddr4.refresh_reach == 1);
  CHECK(ddr4.at_most.empty());

  const DramDevice hbm = bundled_dram("hbm2-2000");
  CHECK(hbm.pseudo_channels);
  CHECK(hbm.ranks == 2);
  CHECK(hbm.command_buses == 2);
  CHECK(hbm.commands[static_cast<std::size_t>(DramCommand::read)].bus == 1);
  CHECK(hbm.commands[static_cast<std::size_t>(DramCommand::activate)].bus == 0);
}

TEST_CASE("a preset is found by its name, and the nearest is named for another") {
  CHECK(find_dram_preset(kDramFolder, "hbm3-6400") == kDramFolder / "hbm3-6400.json");
  CHECK_THROWS_WITH(find_dram_preset(kDramFolder, "hbm3-640"),
                    Catch::Contains("did you mean \"hbm3-6400\"?"));
  CHECK_THROWS_AS(find_dram_preset(kDramFolder, "../dram/hbm3-6400"), ConfigurationError);
  CHECK_THROWS_AS(find_dram_preset(kDramFolder / "nowhere", "hbm3-6400"), ConfigurationError);
  CHECK_THROWS_AS(read_dram_device(kDramFolder / "nothing.json"), IoError);
  CHECK_THROWS_AS(read_dram_device(kDramFolder), IoError);
}

}  // namespace tokencycle::config
