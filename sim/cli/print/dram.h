// SPDX-License-Identifier: Apache-2.0
// What `tokencycle dram` prints: a table for people, or one JSON object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/dram/system.h"
#include "host/result/energy_parts.h"
#include "memory/dram/replay.h"
#include "memory/dram/trace_form.h"

namespace tokencycle::cli {

struct DramRun {
  config::DramSystem system;
  std::string trace;  // its file, "-" for standard input
  memory::DramReplayResult result;
  const memory::DramTraceForm* form = nullptr;
  std::uint64_t wrapped = 0;  // requests beyond the memory
  double wall_seconds = 0;

  double ns(double clocks) const { return clocks * static_cast<double>(system.device.tck_ps) / 1000; }
  // 0 without any time.
  double gb_per_s(std::uint64_t bytes) const;
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

std::string dram_table(const DramRun& run);
// sim/cli/README.md documents the fields.
nlohmann::ordered_json dram_json(const DramRun& run);

}  // namespace tokencycle::cli
