// SPDX-License-Identifier: Apache-2.0
// Ideal memory: each channel serves its bursts in order, one after the other at the configured bandwidth; a
// burst completes a fixed latency after its turn begins, or when its data has passed, if that is later.
#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <vector>

#include "base/state_archives.h"
#include "memory/dram/dram.h"

namespace tokencycle::memory {

namespace {

// Bus time is kept in 1/1024 of a cycle, so that a burst may take a fraction of one.
constexpr std::uint64_t kTick = 1024;

struct BusInterval {
  std::uint64_t begin = 0, end = 0;  // ticks
  template <class Archive>
  void serialize(Archive& state) {
    state(begin, end);
  }
};

class IdealDram final : public Dram {
 public:
  explicit IdealDram(const config::Machine& machine)
      : burst_shift_(static_cast<std::uint32_t>(std::countr_zero(machine.dram.burst_bytes))),
        requests_in_flight_(machine.dram.requests_in_flight),
        channels_(machine.dram.channels) {
    // Rounded up: a channel never exceeds its peak.
    const double cycles = machine.dram.burst_bytes * machine.clock_ghz / machine.dram.channel_gb_per_s;
    burst_ticks_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(cycles * kTick)));
    latency_ = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(machine.dram.latency_ns * machine.clock_ghz)));
  }

  std::uint32_t channel_of(DramAddress address) const override {
    return static_cast<std::uint32_t>((address.value >> burst_shift_) % channels_.size());
  }
  bool has_room(std::uint32_t, bool) override { return in_flight_ < requests_in_flight_; }

  void accept(Cycle now, const Burst& burst) override {
    const std::uint32_t index = channel_of(burst.address);
    Channel& channel = channels_[index];
    const std::uint64_t turn = std::max(now.value * kTick, channel.free_at);
    channel.free_at = turn + burst_ticks_;
    // The data passes in the last burst_ticks of the latency.
    const std::uint64_t end = std::max(turn + latency_ * kTick, channel.free_at);
    note_bus(channel, {end - burst_ticks_, end});
    const Cycle done(ceil_div(end, kTick));
    channel.queue.push_back({done, burst, index});
    next_completion_ = std::min(next_completion_, done);
    ++in_flight_;
  }

  DramNotice advance(Cycle until) override {
    const Cycle next = std::min(next_bus_change_, next_completion_);
    if (next > until || next == kNever) return {next, DramNews::nothing};
    return {next, next_bus_change_ == next ? DramNews::data_bus : DramNews::completion};
  }

  Completion take_completion() override {
    Completion completion;
    bool taken = false;
    Cycle following = kNever;
    for (Channel& c : channels_) {
      if (!taken && !c.queue.empty() && c.queue.front().cycle == next_completion_) {
        completion = c.queue.front();
        c.queue.pop_front();
        taken = true;
      }
      if (!c.queue.empty()) following = std::min(following, c.queue.front().cycle);
    }
    next_completion_ = following;
    --in_flight_;
    return completion;
  }

  void report_bus_change(observe::EventHub& hub) override {
    const Cycle now = next_bus_change_;
    for (std::uint32_t i = 0; i < channels_.size(); ++i) {
      Channel& c = channels_[i];
      if (change_of(c) != now) continue;
      c.carrying = !c.carrying;
      active_ += c.carrying ? 1u : ~0u;
      if (!c.carrying) c.intervals.pop_front();
      const auto state = c.carrying ? observe::State::busy : observe::State::idle;
      hub.emit({now, 0, 0, 0, observe::EventKind::unit_state, observe::channel_id(i),
                static_cast<std::uint8_t>(state), 0});
    }
    find_next_bus_change();
  }

  observe::State data_state() const override {
    return active_ != 0 ? observe::State::busy : observe::State::idle;
  }

  DramQueues queues(std::uint32_t channel) override {
    DramQueues waiting;
    for (const Completion& c : channels_[channel].queue) ++(c.burst.write ? waiting.writes : waiting.reads);
    return waiting;
  }
  observe::State state(std::uint32_t channel) const override {
    return channels_[channel].carrying ? observe::State::busy : observe::State::idle;
  }

  std::optional<DramUse> use(std::uint32_t, Cycle) override { return {}; }

  void serialize(StateWriter& state) override { serialize_all(state); }
  void serialize(StateReader& state) override { serialize_all(state); }

 private:
  template <class Archive>
  void serialize_all(Archive& state) {
    state(channels_, in_flight_, active_, next_bus_change_, next_completion_);
  }
  struct Channel {
    std::uint64_t free_at = 0;          // ticks
    std::deque<Completion> queue;       // in order of completion
    std::deque<BusInterval> intervals;  // merged; the front one may be under way
    bool carrying = false;

    template <class Archive>
    void serialize(Archive& state) {
      state(free_at, queue, intervals, carrying);
    }
  };

  // Whole cycles: the bus carries data in a cycle if it does in any part of it.
  static Cycle change_of(const Channel& c) {
    if (c.intervals.empty()) return kNever;
    return c.carrying ? Cycle(ceil_div(c.intervals.front().end, kTick))
                      : Cycle(c.intervals.front().begin / kTick);
  }

  void note_bus(Channel& channel, BusInterval interval) {
    if (!channel.intervals.empty() &&
        interval.begin / kTick <= ceil_div(channel.intervals.back().end, kTick)) {
      channel.intervals.back().end = interval.end;
    } else {
      channel.intervals.push_back(interval);
    }
    find_next_bus_change();
  }

  void find_next_bus_change() {
    next_bus_change_ = kNever;
    for (const Channel& c : channels_) next_bus_change_ = std::min(next_bus_change_, change_of(c));
  }

  std::uint32_t burst_shift_, requests_in_flight_;
  std::uint64_t burst_ticks_ = 0, latency_ = 0;
  std::vector<Channel> channels_;
  std::uint32_t in_flight_ = 0, active_ = 0;
  Cycle next_bus_change_ = kNever, next_completion_ = kNever;
};

}  // namespace

std::unique_ptr<Dram> make_ideal_dram(const config::Machine& machine) {
  return std::make_unique<IdealDram>(machine);
}

}  // namespace tokencycle::memory
