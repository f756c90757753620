// SPDX-License-Identifier: Apache-2.0
// Memory systems of all presets with any policy.
#pragma once

#include <bit>
#include <random>

#include "support/command_memory.h"

namespace tokencycle::test {

struct RandomMemory {
  config::DramSystem system;
  std::uint32_t request_bytes = 0;  // one to four bursts of the devices
};

// Any scheduler, page policy and refresh that the preset has, short and long queues, one to `most_channels`
// channels, XOR now and then. Obeys the rules of a machine's description.
template <class Random>
RandomMemory random_memory(Random& random, const std::string& preset, std::uint32_t most_channels) {
  const auto number = [&random](std::uint32_t least, std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
  };
  RandomMemory m{preset_system(preset, number(1, most_channels), 1), 0};
  config::DramSystem& s = m.system;
  m.request_bytes = s.device.burst_bytes << number(0, s.device.burst_bytes == 32 ? 2 : 1);
  const std::uint32_t bursts = m.request_bytes / s.device.burst_bytes;
  s.mapping = config::default_mapping(s, bursts);
  // Rows are above the bits of a request, so it stays whole.
  if (number(0, 3) == 0)
    s.hashes.push_back({config::DramAddressField::bank, config::DramAddressField::row, number(0, 4)});
  if (number(0, 3) == 0 && s.channels > 1 && std::has_single_bit(s.channels))
    s.hashes.push_back({config::DramAddressField::channel, config::DramAddressField::row});
  s.scheduler = static_cast<config::DramScheduler>(number(0, config::kDramSchedulers.size() - 1));
  s.row_hit_cap = s.scheduler == config::DramScheduler::fr_fcfs_cap ? number(1, 6) : s.row_hit_cap;
  s.page_policy = static_cast<config::DramPagePolicy>(number(0, config::kDramPagePolicies.size() - 1));
  const bool per_bank = s.device.exists(config::DramCommand::refresh_bank);
  s.refresh = static_cast<config::DramRefresh>(number(0, per_bank ? 2 : 1));
  if (s.refresh != config::DramRefresh::none) s.postpone = number(0, s.device.postponable);
  if (number(0, 2) == 0) s.queue_of = config::DramQueueOf::bank;
  s.read_queue = number(bursts, 4 * bursts + 8);
  s.write_queue = number(bursts, 4 * bursts + 8);
  s.activated_queue = number(1, 8);
  s.write_low = number(0, 4) / 10.0;
  s.write_high = number(5, 10) / 10.0;
  return m;
}

}  // namespace tokencycle::test
