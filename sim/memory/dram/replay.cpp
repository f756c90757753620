// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "base/error.h"
#include "base/quantity.h"
#include "memory/dram/address_map.h"
#include "memory/dram/bus.h"

namespace tokencycle::memory {

namespace {

// Commands of several channels are put in order over so many clocks at a time.
constexpr Clock kWindow = 1 << 14;

// Far longer than a controller leaves all requests waiting that it can serve.
constexpr Clock kPatience = 1 << 24;
struct Patience {
  Clock since;
  std::uint64_t completed;  // requests, at `since`
};

struct ChannelCommand {
  std::uint32_t channel;
  DramCommandRecord record;
};

// The requests that have arrived and are not complete; a burst's id is its request's place here.
class OpenRequests {
 public:
  explicit OpenRequests(DramReplayResult& result) : result_(result) {}

  std::uint32_t add(Clock now, bool write, std::uint32_t bursts) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(all_.size()));
      all_.emplace_back();
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    all_[place] = {now, now, bursts, write};
    return place;
  }

  void completed(std::uint64_t place, Clock clock) {
    Request& r = all_[place];
    r.end = std::max(r.end, clock);
    if (--r.bursts != 0) return;
    (r.write ? result_.writes : result_.reads).add(r.end - r.arrived);
    result_.clocks = std::max(result_.clocks, r.end);
    free_.push_back(static_cast<std::uint32_t>(place));
  }

 private:
  struct Request {
    Clock arrived, end;
    std::uint32_t bursts;  // that are not complete
    bool write;
  };
  DramReplayResult& result_;
  std::vector<Request> all_;
  std::vector<std::uint32_t> free_;
};

// A channel: its controller, and the ear to it.
class Channel : public DramListener {
 public:
  // `sink` hears of commands at once; `gathered` takes them otherwise; both may be null.
  Channel(const config::DramSystem& system, std::uint32_t number, OpenRequests& open, DramCommandSink* sink,
          std::vector<ChannelCommand>* gathered)
      : number_(number), open_(open), sink_(sink), gathered_(gathered), controller_(system, *this) {}

  DramController& controller() { return controller_; }
  DramBus& bus() { return bus_; }

  void completed(std::uint64_t id, Clock clock) override { open_.completed(id, clock); }
  void commanded(const DramCommandRecord& record) override {
    bus_.settle(record.clock);
    if (gathered_ != nullptr) {
      gathered_->push_back({number_, record});
    } else if (sink_ != nullptr) {
      sink_->commanded(number_, record);
    }
  }
  bool wants_commands() const override { return sink_ != nullptr; }
  void transferring(Clock begin, Clock end, bool) override { bus_.transferring(begin, end); }
  void waiting(Clock from, DramWait wait) override { bus_.waiting(from, wait); }

 private:
  std::uint32_t number_;
  OpenRequests& open_;
  DramCommandSink* sink_;
  std::vector<ChannelCommand>* gathered_;
  DramBus bus_;
  DramController controller_;  // the last member: it may call what is above
};

class Replay {
 public:
  Replay(const config::DramSystem& system, const DramReplayOptions& options, DramCommandSink* sink)
      : system_(system), map_(system), open_(result_), sink_(sink) {
    result_.request_bytes = options.request_bytes;
    result_.burst_bytes = system.device.burst_bytes;
    // One channel's commands are in order as they come.
    auto* const gathered = sink != nullptr && system.channels > 1 ? &gathered_ : nullptr;
    for (std::uint32_t c = 0; c < system.channels; ++c) {
      channels_.push_back(std::make_unique<Channel>(system, c, open_, sink, gathered));
    }
    if (gathered != nullptr) window_end_ = kWindow;
  }

  DramReplayResult run(DramRequestSource& source) {
    DramRequestAt request;
    while (source.next(request)) arrive(request);
    finish();
    return std::move(result_);
  }

 private:
  void arrive(const DramRequestAt& request) {
    go_to(std::max(now_, request.at));
    const std::uint32_t burst_bytes = system_.device.burst_bytes;
    const bool sized = request.bytes != 0;
    const std::uint64_t block = sized ? burst_bytes : result_.request_bytes;
    const std::uint64_t first = request.address & ~(block - 1);
    // Beyond the memory nothing is there.
    const std::uint64_t end =
        sized ? std::min(request.address + request.bytes, system_.channels * system_.device.channel_bytes())
              : first + block;
    const auto bursts = static_cast<std::uint32_t>(ceil_div(end - first, std::uint64_t{burst_bytes}));
    std::uint32_t id = 0;
    for (std::uint32_t b = 0; b < bursts; ++b) {
      const DramPlace place = map_.place(first + std::uint64_t{b} * burst_bytes);
      Channel& channel = *channels_[place.channel];
      wait_for_room(channel, request.write, place.bank);
      if (b == 0) id = open_.add(now_, request.write, bursts);
      channel.controller().accept(now_, {id, request.write, place.bank, place.row, place.column});
    }
    ++result_.requests;
    result_.sized += sized ? 1 : 0;
    result_.useful_bytes += sized ? end - request.address : block;
    result_.bursts += bursts;
    ++now_;
  }

  void wait_for_room(Channel& channel, bool write, std::uint32_t bank) {
    channel.controller().advance(now_);
    if (channel.controller().has_room(write, bank)) return;
    const Clock before = now_;
    Patience patience = patience_from(now_);
    do {
      go_to(next_of(channel, now_, patience));
      channel.controller().advance(now_);
    } while (!channel.controller().has_room(write, bank));
    result_.stalled += now_ - before;
  }

  Patience patience_from(Clock now) const { return {now, completed()}; }
  std::uint64_t completed() const { return result_.reads.count() + result_.writes.count(); }

  // When something happens next in a channel where requests wait.
  Clock next_of(Channel& channel, Clock now, Patience& patience) const {
    const Clock next = channel.controller().next_event();
    if (patience.completed != completed()) patience = patience_from(now);
    if (next == kNoClock || now - patience.since > kPatience) {
      throw SimulationError(
          fmt::format("{} requests wait at clock {} and none has been completed since clock {}; "
                      "please report it with the memory's description and the trace",
                      channel.controller().waiting(), now, patience.since));
    }
    return std::max(now + 1, next);
  }

  void go_to(Clock clock) {
    while (clock >= window_end_) {
      for (const auto& channel : channels_) channel->controller().advance(window_end_ - 1);
      hand_over();
      window_end_ += kWindow;
    }
    now_ = clock;
  }

  // Gives the sink the commands gathered, in order.
  void hand_over() {
    std::stable_sort(gathered_.begin(), gathered_.end(), [](const auto& a, const auto& b) {
      return a.record.clock != b.record.clock ? a.record.clock < b.record.clock : a.channel < b.channel;
    });
    for (const ChannelCommand& c : gathered_) sink_->commanded(c.channel, c.record);
    gathered_.clear();
  }

  // Completes what is left, then gives all refreshes until the end.
  void finish() {
    for (const auto& channel : channels_) {
      Patience patience = patience_from(now_);
      for (Clock t = now_; channel->controller().waiting() != 0;) {
        channel->controller().advance(t);
        if (channel->controller().waiting() != 0) t = next_of(*channel, t, patience);
      }
    }
    const Clock end = result_.clocks;
    for (const auto& channel : channels_) {
      channel->controller().advance(end);
      channel->bus().settle(end);
      result_.channels.push_back(result_of(*channel, end));
    }
    if (sink_ != nullptr) hand_over();
  }

  DramChannelResult result_of(Channel& channel, Clock end) const {
    const DramController& controller = channel.controller();
    DramChannelResult r;
    r.counters = controller.counters();
    r.banks = controller.banks();
    r.busy = channel.bus().busy();
    r.idle = channel.bus().idle();
    r.transfers = channel.bus().transfers();
    r.open_bank_clocks = controller.open_bank_clocks(end);
    r.refreshing_clocks = controller.refreshing_bank_clocks(end);
    r.energy = energy_of(system_.device, r.counters, r.open_bank_clocks, end);
    return r;
  }

  const config::DramSystem& system_;
  const DramAddressMap map_;
  DramReplayResult result_;
  OpenRequests open_;
  DramCommandSink* sink_;
  std::vector<ChannelCommand> gathered_;
  std::vector<std::unique_ptr<Channel>> channels_;
  Clock window_end_ = kNoClock;  // commands before it are not handed over yet
  Clock now_ = 0;
};

}  // namespace

DramCounters DramReplayResult::counters() const {
  DramCounters sum;
  for (const DramChannelResult& channel : channels) sum += channel.counters;
  return sum;
}

std::optional<DramEnergyUse> DramReplayResult::energy() const {
  std::optional<DramEnergyUse> sum;
  for (const DramChannelResult& channel : channels) {
    if (!channel.energy) return {};
    if (!sum) sum.emplace();
    *sum += *channel.energy;
  }
  return sum;
}

DramReplayResult replay(const config::DramSystem& system, DramRequestSource& source,
                        const DramReplayOptions& options, DramCommandSink* commands) {
  const std::uint32_t bytes = options.request_bytes, burst = system.device.burst_bytes;
  if (!std::has_single_bit(bytes) || bytes < burst || bytes > kLargestDramRequest) {
    throw UsageError(fmt::format("--request-bytes is {}; it must be a power of two, {} (a burst of {}) to {}",
                                 bytes, burst, system.device.name, kLargestDramRequest));
  }
  return Replay(system, options, commands).run(source);
}

}  // namespace tokencycle::memory
