// SPDX-License-Identifier: Apache-2.0
// From currents to energies, after Micron's technical notes TN-41-01 (DDR3) and TN-40-07 (DDR4) on memory
// power. For each supply rail of V volts, mA x V = mW and mW x ns = pJ:
//   standby    V x IDD2N, and (IDD3N - IDD2N) / n more for each open bank, n being those open when IDD3N was
//   measured.
//              That the banks share it evenly is an assumption; the notes take IDD3N for one bank as for all.
//   activate   V x (IDD0 x tRC - standby of one bank open for tRAS and none for tRC - tRAS)
//   burst      V x (IDD4 - IDD3N) over the bits moved at the measured rate, times the bits of a burst
//   refresh    V x (IDD5B - IDD2N) x tRFC. The notes subtract IDD3N and count the standby with it; the sum is
//   the same.
// A REFpb takes the share of an all-bank refresh that its interval has of the all-bank one: either way the
// same rows are refreshed in the same time. A rail adds to a line only if it has the currents of that line.
#include "config/dram/energy.h"

#include <fmt/format.h>

#include <cmath>

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr RealRange kCurrent{0, 1e5, "mA"}, kEnergyOfBit{0.001, 1000, "pJ/bit"}, kEnergy{0, 1e9, "pJ"};
constexpr RealRange kTestTime{0.1, 1e6, "ns"};

struct Rail {
  double v = 0;
  std::optional<double> idd0, idd2n, idd3n, idd4r, idd4w, idd5b;
};

Rail read_rail(JsonObject& object, bool first) {
  const Need need = first ? Need::required : Need::optional;
  Rail r;
  object.take_text("name", 64);
  r.v = object.take_real("v", {0.1, 10, "V"}).value_or(1);
  r.idd0 = object.take_real("idd0_ma", kCurrent, need);
  r.idd2n = object.take_real("idd2n_ma", kCurrent, need);
  r.idd3n = object.take_real("idd3n_ma", kCurrent, need);
  r.idd4r = object.take_real("idd4r_ma", kCurrent, need);
  r.idd4w = object.take_real("idd4w_ma", kCurrent, need);
  r.idd5b = object.take_real("idd5b_ma", kCurrent, need);
  object.take_real("idd2p_ma", kCurrent, Need::optional);  // power-down is not modelled
  object.finish();
  return r;
}

struct Test {
  std::uint64_t channels_fed = 1, rate_mt_s = 1, open_banks = 1;
  double trc = 1, tras = 1, trfc = 1;  // ns
};

Test read_test(JsonObject& energy, const DramDevice& device) {
  Test t;
  t.channels_fed = energy.take_whole("channels_fed", {1, 64, "channels"}).value_or(1);
  t.rate_mt_s = energy.take_whole("measured_at_mt_s", {1, 100000, "MT/s"}).value_or(1);
  t.open_banks = energy.take_whole("idd3n_open_banks", {1, device.banks_of_channel(), "banks"}).value_or(1);
  t.trc = energy.take_real("test_trc_ns", kTestTime).value_or(1);
  t.tras = energy.take_real("test_tras_ns", kTestTime).value_or(t.trc);
  t.trfc = energy.take_real("test_trfc_ns", kTestTime).value_or(1);
  if (t.tras > t.trc) {
    energy.complain("test_tras_ns",
                    fmt::format("{} ns exceed test_trc_ns, {} ns; give the cycle that IDD0 was "
                                "measured with",
                                t.tras, t.trc));
  }
  return t;
}

// Of one device, all channels that it feeds at work; read and write are of a bit. The unit is that of
// DramEnergy.
DramEnergy of_a_device(const std::vector<Rail>& rails, const Test& t, const DramChips& chips) {
  DramEnergy e;
  const double bits_per_ns =
      static_cast<double>(t.rate_mt_s) * chips.width_bits * static_cast<double>(t.channels_fed) / 1000;
  for (const Rail& r : rails) {
    const double closed = r.idd2n.value_or(0);
    e.standby_mw += r.v * closed;
    if (r.idd2n && r.idd3n) {
      const double one_bank = (*r.idd3n - closed) / static_cast<double>(t.open_banks);
      e.open_bank_mw += r.v * one_bank;
      if (r.idd0) e.activate_pj += r.v * (*r.idd0 * t.trc - one_bank * t.tras - closed * t.trc);
    }
    if (r.idd4r) e.read_pj += r.v * (*r.idd4r - r.idd3n.value_or(0)) / bits_per_ns;
    if (r.idd4w) e.write_pj += r.v * (*r.idd4w - r.idd3n.value_or(0)) / bits_per_ns;
    if (r.idd5b) e.refresh_all_pj += r.v * (*r.idd5b - closed) * t.trfc;
  }
  return e;
}

void check_positive(const JsonObject& energy, const DramEnergy& e) {
  const auto check = [&](double value, std::string_view what) {
    if (value > 0) return;
    energy.complain("rails",
                    fmt::format("{} would take {:.0f} pJ above the standby; check the currents and the "
                                "times they were measured with",
                                what, value));
  };
  check(e.activate_pj, "an activation (IDD0)");
  check(e.read_pj, "a read (IDD4R)");
  check(e.write_pj, "a write (IDD4W)");
  check(e.refresh_all_pj, "a refresh (IDD5B)");
  if (e.open_bank_mw < 0)
    energy.complain("rails", "IDD3N is below IDD2N; an open bank takes no less than a closed one");
}

DramEnergy read_currents(JsonObject& energy, const DramDevice& device, const DramChips& chips) {
  static constexpr std::array<std::string_view, 1> kPer = {"device"};
  energy.take_choice("per", kPer);
  energy.take_whole("devices_per_rank", {chips.of_rank, chips.of_rank, "devices, as in /organization"});
  energy.take_text("meaning", kLongestText, Need::optional);
  const Test test = read_test(energy, device);
  std::vector<Rail> rails;
  const auto values = energy.take_array("rails", 8);
  for (std::size_t i = 0; i < values.size(); ++i) {
    JsonObject rail(values[i], fmt::format("{}/rails/{}", energy.path(), i), energy.violations());
    rails.push_back(read_rail(rail, i == 0));
  }
  if (energy.violations().concerns(energy.path())) return {};
  DramEnergy e = of_a_device(rails, test, chips);
  check_positive(energy, e);
  // A device that feeds several channels spends an equal share on each.
  const auto fed = static_cast<double>(test.channels_fed);
  e.activate_pj *= chips.of_rank / fed;
  e.refresh_all_pj *= chips.of_rank / fed;
  e.standby_mw *= chips.of_channel / fed;
  e.open_bank_mw *= chips.of_rank / fed;
  return e;
}

DramEnergy read_per_command(JsonObject& energy, const DramDevice& device) {
  static constexpr std::array<std::string_view, 2> kPer = {"channel", "rank"};
  DramEnergy e;
  e.form = DramEnergyForm::per_command;
  e.activate_pj = energy.take_real("activate_pj", kEnergy).value_or(0);
  e.read_pj = energy.take_real("read_pj_per_bit", kEnergyOfBit).value_or(0);
  e.write_pj = energy.take_real("write_pj_per_bit", kEnergyOfBit).value_or(0);
  e.refresh_all_pj = energy.take_real("refresh_pj", kEnergy).value_or(0);
  e.standby_mw = energy.take_real("background_mw", {0, 1e6, "mW"}).value_or(0);
  if (energy.take_choice("background_per", kPer) == std::size_t{1}) e.standby_mw *= device.ranks;
  for (const std::string name :
       {"activate_source", "read_write_source", "refresh_source", "background_source"}) {
    e.source += (e.source.empty() ? "" : "; ") + energy.take_text(name, kLongestText).value_or("");
  }
  return e;
}

// Factors that bound the figures, with their source.
void read_range(JsonObject& energy, DramEnergy& e) {
  if (!energy.has("range")) return;
  constexpr RealRange kFactor{0.01, 100, "times the figures"};
  JsonObject range = energy.take_object("range");
  e.low = range.take_real("low", kFactor).value_or(1);
  e.typical = range.take_real("typical", kFactor).value_or(1);
  e.high = range.take_real("high", kFactor).value_or(1);
  range.take_text("source", kLongestText);
  range.finish();
  if (e.low > e.typical || e.typical > e.high)
    energy.complain("range",
                    fmt::format("{}, {}, {} are not in order; give low, typical and high so that they are",
                                e.low, e.typical, e.high));
}

}  // namespace

std::optional<DramEnergy> read_dram_energy(JsonObject& preset, const DramDevice& device,
                                           const DramChips& chips, std::string& reason) {
  static constexpr std::array<std::string_view, 3> kForms = {"currents", "per_command", "average"};
  const Json* value = preset.take("energy", "an object, or null with \"energy_reason\"");
  const bool null = value != nullptr && value->is_null();
  reason =
      preset.take_text("energy_reason", kLongestText, null ? Need::required : Need::optional).value_or("");
  if (value == nullptr || null) return {};
  JsonObject energy(value, preset.path_of("energy"), preset.violations());
  const auto form = energy.take_choice("form", kForms);
  if (!form) return {};  // which keys belong there is unknown
  DramEnergy e;
  energy.take_text("note", kLongestText, Need::optional);
  if (*form == 0) {
    e = read_currents(energy, device, chips);
  } else if (*form == 1) {
    e = read_per_command(energy, device);
  } else {
    e.read_pj = e.write_pj = energy.take_real("pj_per_bit", kEnergyOfBit).value_or(0);
  }
  e.form = static_cast<DramEnergyForm>(*form);
  read_range(energy, e);
  if (*form != 1) e.source = energy.take_text("source", kLongestText).value_or("");
  energy.finish();
  e.read_pj *= 8.0 * device.burst_bytes;
  e.write_pj *= 8.0 * device.burst_bytes;
  if (device.exists(DramCommand::refresh_bank) && device.refresh_interval > 0) {
    e.refresh_bank_pj = e.refresh_all_pj * device.bank_refresh_interval / device.refresh_interval;
  }
  return e;
}

}  // namespace tokencycle::config
