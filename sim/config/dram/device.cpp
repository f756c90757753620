// SPDX-License-Identifier: Apache-2.0
#include "config/dram/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <system_error>

#include "base/error.h"
#include "config/dram/json.h"

namespace tokencycle::config {
namespace {

constexpr std::array<std::string_view, kDramCommands> kCommandNames = {
    "ACT1", "ACT", "PRE", "PREA", "RD", "RDA", "WR", "WRA", "SYNC_RD", "SYNC_WR", "REFab", "REFpb"};

}  // namespace

std::string_view name_of(DramCommand c) {
  return kCommandNames.at(static_cast<std::size_t>(c));
}

bool dram_command_from_name(std::string_view name, DramCommand& out) {
  const auto found = std::find(kCommandNames.begin(), kCommandNames.end(), name);
  if (found == kCommandNames.end()) return false;
  out = static_cast<DramCommand>(found - kCommandNames.begin());
  return true;
}

std::string_view name_of(DramLevel level) {
  static constexpr std::array<std::string_view, kDramLevels> kNames = {"channel", "rank", "stack_id",
                                                                       "bank_group", "bank"};
  return kNames.at(static_cast<std::size_t>(level));
}

double DramDevice::peak_gb_per_s() const {
  // Every data bus moves a burst in burst_clocks; a byte in a picosecond is 1000 GB/s.
  const double buses = pseudo_channels ? ranks : 1;
  return buses * burst_bytes * 1000 / (static_cast<double>(tck_ps) * burst_clocks);
}

std::vector<std::string> dram_presets(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path find_dram_preset(const std::filesystem::path& folder, const std::string& name) {
  const auto names = dram_presets(folder);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw ConfigurationError(fmt::format("{}: no DRAM preset \"{}\" in this folder; {}", folder.string(),
                                         escaped(shortened(name)), suggest(name, names)));
  }
  return folder / (name + ".json");
}

}  // namespace tokencycle::config
