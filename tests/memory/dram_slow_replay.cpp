// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_slow_replay.h"

#include <algorithm>
#include <memory>

#include "memory/dram/address_map.h"

namespace tokencycle::test {

using memory::Clock;

DramCommandLine command_line(std::uint32_t channel, const memory::DramCommandRecord& r) {
  return {r.clock, channel, r.command, r.bank, r.row, r.column};
}

namespace {

struct SlowRequest {
  Clock arrived = 0, completed = 0;
};

class SlowChannel : public memory::DramListener {
 public:
  SlowChannel(const config::DramSystem& system, std::uint32_t number, std::vector<SlowRequest>& requests,
              std::vector<DramCommandLine>& commands)
      : number_(number), requests_(requests), commands_(commands), controller_(system, *this) {}
  memory::DramController& controller() { return controller_; }
  void completed(std::uint64_t id, Clock clock) override {
    requests_[id].completed = std::max(requests_[id].completed, clock);
  }
  void commanded(const memory::DramCommandRecord& r) override {
    commands_.push_back(command_line(number_, r));
  }
  bool wants_commands() const override { return true; }

 private:
  std::uint32_t number_;
  std::vector<SlowRequest>& requests_;
  std::vector<DramCommandLine>& commands_;
  memory::DramController controller_;
};

}  // namespace

DramSlowReplay slow_replay(const config::DramSystem& system, const DramRequests& requests,
                           std::uint32_t bytes) {
  DramSlowReplay result;
  const memory::DramAddressMap map(system);
  std::vector<SlowRequest> seen(requests.size());
  std::vector<std::unique_ptr<SlowChannel>> channels;
  for (std::uint32_t c = 0; c < system.channels; ++c) {
    channels.push_back(std::make_unique<SlowChannel>(system, c, seen, result.commands));
  }
  const std::uint32_t burst = system.device.burst_bytes;
  std::size_t next = 0;
  std::uint32_t part = 0;
  const auto waiting = [](const auto& c) { return c->controller().waiting() != 0; };
  for (Clock t = 0; next < requests.size() || std::any_of(channels.begin(), channels.end(), waiting); ++t) {
    for (const auto& channel : channels) channel->controller().advance(t);
    while (next < requests.size() && (part != 0 || requests[next].at <= t)) {
      const memory::DramRequestAt& r = requests[next];
      const memory::DramPlace place = map.place(r.address / bytes * bytes + part * burst);
      memory::DramController& controller = channels[place.channel]->controller();
      if (!controller.has_room(r.write, place.bank)) {
        ++result.stalled;
        break;
      }
      if (part == 0) seen[next].arrived = t;
      controller.accept(t, {next, r.write, place.bank, place.row, place.column});
      part = (part + 1) % (bytes / burst);
      if (part != 0) continue;
      ++next;
      break;
    }
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    result.end = std::max(result.end, seen[i].completed);
    (requests[i].write ? result.write_latencies : result.read_latencies)
        .push_back(seen[i].completed - seen[i].arrived);
  }
  for (const auto& channel : channels) channel->controller().advance(result.end);
  std::sort(result.read_latencies.begin(), result.read_latencies.end());
  std::sort(result.write_latencies.begin(), result.write_latencies.end());
  // The refreshes after the last request of a channel come behind those of the others.
  std::stable_sort(
      result.commands.begin(), result.commands.end(), [](const DramCommandLine& a, const DramCommandLine& b) {
        return std::pair(std::get<0>(a), std::get<1>(a)) < std::pair(std::get<0>(b), std::get<1>(b));
      });
  std::erase_if(result.commands, [&](const DramCommandLine& c) { return std::get<0>(c) > result.end; });
  return result;
}

}  // namespace tokencycle::test
