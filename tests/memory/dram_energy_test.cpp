// SPDX-License-Identifier: Apache-2.0
// What do the commands of a channel cost? By the currents and energies of the presets, worked out here again.
#include <catch2/catch.hpp>
#include <filesystem>

#include "config/dram/device.h"
#include "memory/dram/energy.h"

using namespace tokencycle;
using config::DramCommand;
using memory::DramEnergyUse;

namespace {

// Energies of one command in pJ, and powers in mW.
struct Costs {
  double activate = 0, read = 0, write = 0, refresh_all = 0, refresh_bank = 0, standby = 0, open_bank = 0;
};

config::DramDevice preset(const std::string& name) {
  return config::read_dram_device(std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs/dram" /
                                  (name + ".json"));
}

// A different count for every command, so that none can stand for another.
memory::DramCounters some_commands() {
  memory::DramCounters c;
  const auto set = [&c](DramCommand command, std::uint64_t count) {
    c.commands[static_cast<std::size_t>(command)] = count;
  };
  set(DramCommand::activate_first, 1'000'000);
  set(DramCommand::activate, 11);
  set(DramCommand::precharge, 2'000'000);
  set(DramCommand::precharge_all, 3'000'000);
  set(DramCommand::read, 23);
  set(DramCommand::read_auto, 5);
  set(DramCommand::write, 7);
  set(DramCommand::write_auto, 3);
  set(DramCommand::sync_read, 4'000'000);
  set(DramCommand::sync_write, 5'000'000);
  set(DramCommand::refresh_all, 2);
  set(DramCommand::refresh_bank, 13);
  return c;
}

constexpr std::uint64_t kOpenBankClocks = 1234, kClocks = 5678;

// `tck_ns`: period of the command clock.
void check_costs(const std::string& name, double tck_ns, const Costs& costs) {
  CAPTURE(name);
  const auto use = memory::energy_of(preset(name), some_commands(), kOpenBankClocks, kClocks);
  REQUIRE(use.has_value());
  CHECK(use->activate_pj == Approx(11 * costs.activate));
  CHECK(use->read_pj == Approx((23 + 5) * costs.read));
  CHECK(use->write_pj == Approx((7 + 3) * costs.write));
  // Intervals of refreshes are whole clocks: a REFpb's share is off by less than a clock of the interval.
  CHECK(use->refresh_pj == Approx(2 * costs.refresh_all + 13 * costs.refresh_bank).epsilon(0.002));
  CHECK(use->standby_pj == Approx(costs.standby * 5678 * tck_ns));
  CHECK(use->open_bank_pj == Approx(costs.open_bank * 1234 * tck_ns));
  CHECK(use->total() == Approx(use->activate_pj + use->read_pj + use->write_pj + use->refresh_pj +
                               use->standby_pj + use->open_bank_pj));
}

}  // namespace

TEST_CASE("a DDR4 channel costs what the currents of its eight devices give") {
  // VDD 1.2 V: IDD0 57, IDD2N 37, IDD3N 52 with 16 banks open, IDD4R 168, IDD4W 150, IDD5B 250 mA. tRC 45.75,
  // tRAS 32, tRFC 350 ns; 3200 MT/s x 8 bits are 25.6 bits a ns of a device, a burst has 512 bits.
  Costs c;
  c.activate = 8 * 1.2 * (57 * 45.75 - (52 - 37) / 16.0 * 32 - 37 * 45.75);
  c.read = 512 * 1.2 * (168 - 52) / 25.6;
  c.write = 512 * 1.2 * (150 - 52) / 25.6;
  c.refresh_all = 8 * 1.2 * (250 - 37) * 350;
  c.standby = 8 * 1.2 * 37;
  c.open_bank = 8 * 1.2 * (52 - 37) / 16;
  check_costs("ddr4-3200", 0.625, c);
}

TEST_CASE("a DDR5 subchannel costs what the currents of three rails of its four devices give") {
  // VDD 1.1 V: 103, 92, 142 (32 banks), 377, 349, 277 mA; VPP 1.8 V: IDD2N 6, IDD3N 7; VDDQ 1.1 V: IDD3N 31,
  // IDD4R 57, IDD4W 198. 38.4 bits a ns.
  Costs c;
  c.activate = 4 * 1.1 * (103 * 48 - (142 - 92) / 32.0 * 32 - 92 * 48);
  c.read = 512 * 1.1 * ((377 - 142) + (57 - 31)) / 38.4;
  c.write = 512 * 1.1 * ((349 - 142) + (198 - 31)) / 38.4;
  c.refresh_all = 4 * 1.1 * (277 - 92) * 295;
  c.refresh_bank = c.refresh_all * 487.5 / 3900;
  c.standby = 4 * (1.1 * 92 + 1.8 * 6);
  c.open_bank = 4 * (1.1 * (142 - 92) + 1.8 * (7 - 6)) / 32;
  check_costs("ddr5-4800", 0.416, c);
}

TEST_CASE("an LPDDR5 channel counts its two-part activations once") {
  // VDD2H 1.05 V: 53, 32.5, 40 (one bank), 390, 265, 205 mA; VDD1 1.8 V: 3.8, 1.5, 2.8, 18, 16.5; VDDQ 0.5 V:
  // IDD3N 0.6, IDD4R 111.9, IDD4W 0.6. 7500 MT/s x 16 bits are 120 bits a ns; a burst has 256 bits.
  Costs c;
  c.activate = 1.05 * (53 * 60 - 7.5 * 42 - 32.5 * 60) + 1.8 * (3.8 * 60 - 1.3 * 42 - 1.5 * 60);
  c.read = 256 * (1.05 * (390 - 40) + 1.8 * (18 - 2.8) + 0.5 * (111.9 - 0.6)) / 120;
  c.write = 256 * (1.05 * (265 - 40) + 1.8 * (16.5 - 2.8)) / 120;
  c.refresh_all = 1.05 * (205 - 32.5) * 280;
  c.refresh_bank = c.refresh_all * 488 / 3906;
  c.standby = 1.05 * 32.5 + 1.8 * 1.5;
  c.open_bank = 1.05 * 7.5 + 1.8 * 1.3;
  check_costs("lpddr5-6400", 1.25, c);
}

TEST_CASE("published energies of commands are multiplied, an average has reads and writes alone") {
  Costs hbm2;  // 3.48 pJ/bit, bursts of 256 bits
  hbm2.activate = 909;
  hbm2.read = hbm2.write = 3.48 * 256;
  hbm2.refresh_all = 17100;
  hbm2.refresh_bank = 17100.0 / 16;
  hbm2.standby = 163;
  check_costs("hbm2-2000", 1, hbm2);

  Costs hbm2e;  // 6 pJ/bit with everything in it
  hbm2e.read = hbm2e.write = 6 * 256;
  check_costs("hbm2e-3600", 0.556, hbm2e);
}

TEST_CASE("a preset without energies has no energy, not none") {
  CHECK_FALSE(memory::energy_of(preset("hbm3-6400"), some_commands(), 1, 1).has_value());
}

TEST_CASE("energies add up part by part") {
  DramEnergyUse sum{1, 2, 3, 4, 5, 6};
  sum += DramEnergyUse{10, 20, 30, 40, 50, 60};
  CHECK(sum.activate_pj == 11);
  CHECK(sum.read_pj == 22);
  CHECK(sum.write_pj == 33);
  CHECK(sum.refresh_pj == 44);
  CHECK(sum.standby_pj == 55);
  CHECK(sum.open_bank_pj == 66);
  CHECK(sum.total() == 231);
}
