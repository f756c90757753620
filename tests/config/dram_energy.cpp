// SPDX-License-Identifier: Apache-2.0
// Are the energies of the presets those that their currents give, computed here from the data sheets'
// numbers?
#include <catch2/catch.hpp>

#include "dram_files.h"

namespace tokencycle::config {

using Catch::Matchers::Contains;

TEST_CASE("energies of DDR4-2400 follow from its currents") {
  const auto e = bundled_dram("ddr4-2400").energy;
  REQUIRE(e.has_value());
  CHECK(e->form == DramEnergyForm::currents);
  // Eight devices. VDD 1.2 V: IDD0 48, IDD2N 34, IDD3N 43 mA with 16 banks open; VPP 2.5 V: 3 mA in all
  // states. tRC 46.16 ns, tRAS 32 ns; mA x V x ns = pJ.
  const double one_bank = (43.0 - 34.0) / 16;
  CHECK(e->activate_pj == Approx(8 * 1.2 * (48 * 46.16 - (34 + one_bank) * 32 - 34 * (46.16 - 32))));
  CHECK(e->activate_pj == Approx(8 * 753.9).epsilon(0.001));
  CHECK(e->standby_mw == Approx(8 * (1.2 * 34 + 2.5 * 3)));
  CHECK(e->open_bank_mw == Approx(8 * 1.2 * one_bank));
  // IDD4R 135, IDD4W 123 mA at 2400 MT/s x 8 bits = 19.2 bits a ns; VPP adds nothing to a burst.
  CHECK(e->read_pj == Approx(512 * 1.2 * (135 - 43) / 19.2));
  CHECK(e->write_pj == Approx(512 * 1.2 * (123 - 43) / 19.2));
  CHECK(e->refresh_all_pj == Approx(8 * 1.2 * (250 - 34) * 350));
  CHECK(e->refresh_bank_pj == 0);  // DDR4 has no such command
}

TEST_CASE("a device that feeds two channels spends half on each") {
  const auto e = bundled_dram("gddr6-16000").energy;
  REQUIRE(e.has_value());
  // VDD 1.35 V. VPP has no IDD2N: it counts in bursts (none published) and refreshes alone.
  CHECK(e->activate_pj == Approx(1.35 * (430 * 45.0 - 460 * 30 - 310 * 15) / 2));
  CHECK(e->standby_mw == Approx(1.35 * 310 / 2));
  CHECK(e->open_bank_mw == Approx(1.35 * 150 / 2));
  // 14 Gb/s x 16 pins x two channels = 448 bits a ns; a burst has 256.
  CHECK(e->read_pj == Approx(256 * 1.35 * (1220 - 460) / 448));
  CHECK(e->refresh_all_pj == Approx((1.35 * (790 - 310) + 1.8 * 77) * 120 / 2));
  CHECK(e->refresh_bank_pj == Approx(e->refresh_all_pj * 237 / 3800));
}

TEST_CASE("published energies and averages are taken as they are") {
  const auto hbm2 = bundled_dram("hbm2-2000").energy;
  REQUIRE(hbm2.has_value());
  CHECK(hbm2->form == DramEnergyForm::per_command);
  CHECK(hbm2->activate_pj == 909);
  CHECK(hbm2->read_pj == Approx(3.48 * 256));
  CHECK(hbm2->write_pj == Approx(3.48 * 256));
  CHECK(hbm2->refresh_all_pj == 17100);
  CHECK(hbm2->refresh_bank_pj == Approx(17100.0 * 243 / 3900));
  CHECK(hbm2->standby_mw == 163);
  CHECK_THAT(hbm2->source, Contains("OConnor-2017") && Contains("HBM-Power"));

  const auto hbm2e = bundled_dram("hbm2e-3600").energy;
  REQUIRE(hbm2e.has_value());
  CHECK(hbm2e->form == DramEnergyForm::average);
  CHECK(hbm2e->read_pj == Approx(6 * 256));
  CHECK(hbm2e->activate_pj == 0);
  CHECK(hbm2e->standby_mw == 0);

  CHECK_FALSE(bundled_dram("hbm3-6400").energy.has_value());
}

TEST_CASE("energies of all presets are positive, and their bits cost what DRAM of this time costs") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    INFO(name);
    const DramDevice d = bundled_dram(name);
    if (!d.energy) continue;
    CHECK(d.energy->read_pj / (8.0 * d.burst_bytes) > 1);
    CHECK(d.energy->read_pj / (8.0 * d.burst_bytes) < 15);
    CHECK_FALSE(d.energy->source.empty());
    if (d.energy->form == DramEnergyForm::average) continue;
    CHECK(d.energy->activate_pj > 0);
    CHECK(d.energy->refresh_all_pj > d.energy->activate_pj);
    CHECK((d.energy->refresh_bank_pj > 0) == d.exists(DramCommand::refresh_bank));
  }
}

TEST_CASE("currents that give no positive energy are refused") {
  const DramCopy copy;
  const auto errors = [&](const std::string& pointer, const DramJson& value) {
    return copy.errors_with("ddr4-3200.json", pointer, value, "ddr4-3200.json");
  };
  CHECK_THAT(errors("/energy/rails/0/idd0_ma", 37),
             Contains("/energy/rails: an activation (IDD0) would take"));
  CHECK_THAT(errors("/energy/rails/0/idd4r_ma", 52), Contains("a read (IDD4R) would take 0 pJ"));
  CHECK_THAT(errors("/energy/rails/0/idd3n_ma", 36), Contains("IDD3N is below IDD2N"));
  CHECK_THAT(errors("/energy/test_tras_ns", 46), Contains("/energy/test_tras_ns: 46 ns exceed test_trc_ns"));
  CHECK_THAT(errors("/energy/devices_per_rank", 4), Contains("/energy/devices_per_rank: 4 is not allowed"));
  CHECK_THAT(errors("/energy", nullptr), Contains("/energy_reason: missing"));
}

}  // namespace tokencycle::config
