// SPDX-License-Identifier: Apache-2.0
// What `tokencycle dram` prints: a table for people, or one JSON object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/dram_system.h"
#include "memory/dram_replay.h"

namespace tokencycle::app {

struct DramRun {
  config::DramSystem system;
  std::string trace;  // its file, "-" for standard input
  memory::DramReplayResult result;
  double wall_seconds = 0;

  double ns(double clocks) const { return clocks * static_cast<double>(system.device.tck_ps) / 1000; }
  // Of the requests' bytes, also of those that a queue could serve. 0 without any time.
  double gb_per_s() const;
  double peak_gb_per_s() const { return system.channels * system.device.peak_gb_per_s(); }
  // Of all banks in all clocks.
  double refreshing_percent() const;
  double pj_per_bit(double pj) const;  // over the bits that passed the data buses
  double milliwatts(double pj) const;  // on average; pJ over ns
};

// The percentiles that are reported, with their names in the JSON.
struct DramPercentile {
  double percent;
  const char *name, *heading;
};
inline constexpr DramPercentile kDramPercentiles[] = {
    {50, "p50", "p50"}, {90, "p90", "p90"}, {99, "p99", "p99"}, {99.9, "p99_9", "p99.9"}};

// The parts of an energy, with their names in the JSON ("activate_pj") and in the table ("activate").
struct DramEnergyPart {
  double memory::DramEnergyUse::*part;
  const char *name, *heading;
};
inline constexpr DramEnergyPart kDramEnergyParts[] = {
    {&memory::DramEnergyUse::activate_pj, "activate_pj", "activate, precharge"},
    {&memory::DramEnergyUse::read_pj, "read_pj", "read"},
    {&memory::DramEnergyUse::write_pj, "write_pj", "write"},
    {&memory::DramEnergyUse::refresh_pj, "refresh_pj", "refresh"},
    {&memory::DramEnergyUse::standby_pj, "standby_pj", "standby"},
    {&memory::DramEnergyUse::open_bank_pj, "open_bank_pj", "open banks"}};

// The parts as members of a JSON object.
void add_energy_parts(nlohmann::ordered_json& object, const memory::DramEnergyUse& energy);

std::string dram_table(const DramRun& run);
// sim/app/README.md documents the fields.
nlohmann::ordered_json dram_json(const DramRun& run);

}  // namespace tokencycle::app
