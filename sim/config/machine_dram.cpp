// SPDX-License-Identifier: Apache-2.0
#include "config/machine_dram.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "base/text.h"

namespace tokencycle::config {
namespace {

// Every channel is a unit of the machine, which count in 8 bits.
constexpr std::uint32_t kMostChannels = 64;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 48;  // that instructions have addresses for
// A clock is a whole number of picoseconds, and 17.07 is a way to write 17.066.
constexpr double kPeakTolerance = 0.005;

void check_request(const Dram& dram, const DramSystem& system, Violations& violations) {
  const std::uint32_t burst = system.device.burst_bytes, request = dram.burst_bytes;
  const std::string device = escaped(system.device.name);
  if (request < burst) {
    return violations.add("/dram/burst_bytes",
                          fmt::format("{} bytes are less than a burst of {}, {}; allowed: {} or a multiple",
                                      request, device, burst, burst));
  }
  const std::uint32_t bursts = request / burst, queue = std::min(system.read_queue, system.write_queue);
  if (bursts > queue) {
    violations.add(
        "/dram/burst_bytes",
        fmt::format("a request of {} bytes is {} bursts of {}, more than a queue of {} takes; allowed: at "
                    "most {}, or longer queues",
                    request, bursts, device, queue, std::uint64_t{queue} * burst));
  }
  if (keeps_requests_whole(system, bursts)) return;
  const std::string parts =
      fmt::format("parts of one request of {} bytes ({} bursts of {}) would be in different channels",
                  request, bursts, device);
  DramSystem without = system;
  without.hashes.clear();
  if (keeps_requests_whole(without, bursts)) {
    violations.add("/dram/system/xor",
                   fmt::format("{}; combine \"channel\" with bits above the request's, such as those of "
                               "\"row\", or make burst_bytes {}",
                               parts, burst));
  } else {
    violations.add("/dram/system/mapping",
                   fmt::format("{}; move \"channel\" up behind the lowest {} bits, or make burst_bytes {}",
                               parts, std::countr_zero(bursts), burst));
  }
}

void check_size(const DramSystem& system, Violations& violations) {
  if (system.channels > kMostChannels) {
    return violations.add("/dram/system/channels", fmt::format("{}; allowed in a machine: at most {}",
                                                               system.channels, kMostChannels));
  }
  const std::uint64_t channel = system.device.channel_bytes();
  if (system.channels <= kMostBytes / channel) return;
  violations.add(
      "/dram/system/channels",
      fmt::format("{} channels of {} MiB are beyond the 2^48 bytes that have addresses; allowed: at most {}",
                  system.channels, channel >> 20, kMostBytes / channel));
}

// Without a rate: the preset's.
void check_peak(Dram& dram, const DramDevice& device, Violations& violations) {
  const double peak = device.data_rate_mt_s * static_cast<double>(device.channel_bits) / 8000;
  if (dram.channel_gb_per_s == 0) dram.channel_gb_per_s = peak;
  if (std::abs(dram.channel_gb_per_s / peak - 1) <= kPeakTolerance) return;
  violations.add(
      "/dram/channel_gb_per_s",
      fmt::format("{:g}, but a channel of {} has {} Mb/s on each of {} pins, {:g} GB/s; write that, or "
                  "choose another preset",
                  dram.channel_gb_per_s, escaped(device.name), device.data_rate_mt_s, device.channel_bits,
                  peak));
}

}  // namespace

std::string larger_dram_text(const Machine& machine, std::uint64_t bytes) {
  if (!machine.dram.system) {
    constexpr std::uint64_t kMib = 1u << 20;
    return fmt::format("raise /dram/capacity_mib to at least {}", ceil_div(bytes, kMib));
  }
  const DramSystem& system = *machine.dram.system;
  const std::uint64_t channel = system.device.channel_bytes(), needed = ceil_div(bytes, channel);
  const std::string have = fmt::format("{} of {}", system.channels, bytes_text(channel));
  if (needed > kMostChannels) {
    return fmt::format(
        "choose a preset of larger devices (/dram/system/preset): {} channels of {} would be more than {}",
        needed, bytes_text(channel), kMostChannels);
  }
  return fmt::format("raise /dram/system/channels, {}, to at least {}, or choose a preset of larger devices",
                     have, needed);
}

void read_machine_dram(const nlohmann::ordered_json& tree, const DramFolders& folders, Machine& machine,
                       Violations& violations) {
  if (machine.dram.model != DramModel::commands || violations.concerns("/dram/system")) return;
  JsonObject object(&tree["dram"]["system"], "/dram/system", violations);
  auto system = std::make_shared<DramSystem>();
  if (!read_system_object(object, folders, machine.dram.burst_bytes, *system)) return;
  const auto wrong = [&](const std::string& key) { return violations.concerns("/dram/" + key); };
  machine.dram.channels = system->channels;
  machine.dram.capacity_bytes = system->channels * system->device.channel_bytes();
  if (!wrong("channel_gb_per_s")) check_peak(machine.dram, system->device, violations);
  if (!wrong("system/channels")) check_size(*system, violations);
  const bool unclear = wrong("burst_bytes") || wrong("system/channels") || wrong("system/mapping") ||
                       wrong("system/xor") || wrong("system/read_queue") || wrong("system/write_queue");
  if (!unclear) check_request(machine.dram, *system, violations);
  system->name = machine.name;
  machine.dram.system = std::move(system);
}

}  // namespace tokencycle::config
