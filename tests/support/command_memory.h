// SPDX-License-Identifier: Apache-2.0
// The presets of configs/dram as the memory of a test's machine.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/dram/system.h"
#include "config/machine.h"

namespace tokencycle::test {

inline const std::filesystem::path kConfigs = TOKENCYCLE_SOURCE_DIR "/configs";

inline std::vector<std::string> dram_presets() {
  return config::dram_presets(kConfigs / "dram");
}

// Everything but channels and mapping as a description has it that names nothing but the preset. Requests of
// `request_bytes` stay in one channel.
inline config::DramSystem preset_system(const std::string& preset, std::uint32_t channels,
                                        std::uint32_t request_bytes) {
  config::DramSystem system = config::read_dram_system(kConfigs / "dram" / (preset + ".json"));
  system.preset = preset;
  system.channels = channels;
  system.mapping = config::default_mapping(system, request_bytes / system.device.burst_bytes);
  return system;
}

// The memory of a machine that has this system. `request_bytes`: whole bursts of the devices.
inline config::Dram command_memory(const config::DramSystem& system, std::uint32_t request_bytes,
                                   double latency_ns, std::uint32_t requests_in_flight) {
  config::Dram dram;
  dram.channels = system.channels;
  dram.capacity_bytes = system.channels * system.device.channel_bytes();
  dram.channel_gb_per_s = system.device.data_rate_mt_s * 1e-3 * system.device.channel_bits / 8;
  dram.latency_ns = latency_ns;
  dram.burst_bytes = request_bytes;
  dram.requests_in_flight = requests_in_flight;
  dram.model = config::DramModel::commands;
  dram.system = std::make_shared<config::DramSystem>(system);
  return dram;
}

}  // namespace tokencycle::test
