// SPDX-License-Identifier: Apache-2.0
// Devices command by command, behind the machine's memory interface: channels with their controllers,
// advanced lazily and in order of time.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "base/state_archives.h"
#include "memory/dram/channel.h"
#include "memory/dram/dram.h"
#include "memory/dram/earliest_of.h"

namespace tokencycle::memory {

namespace {

class CommandDram final : public Dram {
 public:
  explicit CommandDram(const config::Machine& machine)
      : system_(*machine.dram.system),
        map_(system_),
        bursts_(machine.dram.burst_bytes / system_.device.burst_bytes),
        request_bytes_(machine.dram.burst_bytes),
        places_(bursts_),
        earliest_(system_.channels),
        slots_(machine.dram.requests_in_flight),
        open_(slots_.size()) {
    const ClockRatio ratio(system_.device.tck_ps, machine.clock_ghz);
    const auto answer = static_cast<std::uint64_t>(std::ceil(machine.dram.latency_ns * machine.clock_ghz));
    for (std::uint32_t i = 0; i < system_.channels; ++i)
      channels_.push_back(std::make_unique<DramChannel>(system_, ratio, answer, open_));
    for (std::uint32_t s = 0; s < slots_.size(); ++s) free_slots_.push_back(s);
    waiting_in_[static_cast<std::size_t>(observe::State::idle)] = system_.channels;
  }

  std::uint32_t channel_of(DramAddress address) const override { return map_.place(address.value).channel; }

  bool has_room(std::uint32_t index, bool write) override {
    return has_slot() &&
           finds_room(index, [&](const DramChannel& channel) { return channel.room(write) >= bursts_; });
  }

  bool has_room(std::uint32_t index, DramAddress address, bool write) override {
    if (system_.queue_of == config::DramQueueOf::channel) return has_room(index, write);
    if (!has_slot()) return false;
    map_.places(first_of(address), places_);
    return finds_room(index, [&](const DramChannel& channel) {
      for (std::uint32_t i = 0; i < bursts_; ++i) {
        const std::uint32_t bank = places_[i].bank;
        std::uint32_t wanted = 1;  // places of this bank, by the bursts up to this one
        for (std::uint32_t j = 0; j < i; ++j) wanted += places_[j].bank == bank;
        if (channel.room(write, bank) < wanted) return false;
      }
      return true;
    });
  }

  // What reads wait for in a full queue is the next command, if it is known.
  Cycle room_from(std::uint32_t index, bool write) override {
    DramChannel& channel = *channels_[index];
    if (write || bursts_ != 1 || system_.queue_of == config::DramQueueOf::bank || channel.in_time() ||
        free_slots_.empty())
      return kNever;
    if (channel.room(false) != 0) return time_;
    if (!channel.has_given(time_)) catch_up(index, time_);
    return channel.room(false) != 0 ? time_ : channel.next_room();
  }

  // A channel's queues have room by commands, not by answers.
  bool completion_makes_room() const override { return short_of_slots_; }

  void accept(Cycle now, const Burst& burst) override {
    time_ = std::max(time_, now);
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot] = burst;
    open_[slot] = bursts_;
    map_.places(first_of(burst.address), places_);
    const std::uint32_t index = places_.front().channel;
    DramChannel& channel = *channels_[index];
    channel.accept(now, slot, burst.write, places_);
    channel.tell_queues(now);
    earliest_.set(index, channel.next());
  }

  void tell(observe::EventHub& hub) override {
    for (std::uint32_t i = 0; i < channels_.size(); ++i) channels_[i]->tell(hub, observe::channel_id(i));
  }

  DramNotice advance(Cycle until) override {
    const DramNotice notice = step_to(until);
    if (notice.news != DramNews::nothing) {
      time_ = std::max(time_, notice.cycle);
    } else if (until != kNever) {
      time_ = std::max(time_, until);
    }
    return notice;
  }

  Completion take_completion() override {
    const Completion completion = *completed_;
    completed_.reset();
    short_of_slots_ = false;
    return completion;
  }

  void report_bus_change(observe::EventHub& hub) override {
    for (const Changed& c : changed_) {
      const observe::State state = channels_[c.channel]->state();
      --waiting_in_[static_cast<std::size_t>(c.before)];
      ++waiting_in_[static_cast<std::size_t>(state)];
      hub.emit({changed_at_, 0, 0, 0, observe::EventKind::unit_state, observe::channel_id(c.channel),
                static_cast<std::uint8_t>(state), 0});
    }
    changed_.clear();
    const auto is_there = [this](observe::State s) { return waiting_in_[static_cast<std::size_t>(s)] != 0; };
    data_state_ = *std::find_if(observe::kDataStates.begin(), observe::kDataStates.end(), is_there);
  }

  observe::State data_state() const override { return data_state_; }

  DramQueues queues(std::uint32_t channel) override {
    catch_up(channel, time_);
    const DramController::Depths depths = channels_[channel]->controller().depths();
    return {depths.reads, depths.writes, depths.activated};
  }
  observe::State state(std::uint32_t channel) const override { return channels_[channel]->state(); }

  std::optional<DramUse> use(std::uint32_t channel, Cycle cycle) override {
    catch_up(channel, cycle);
    const DramController& c = channels_[channel]->controller();
    const Clock clocks = channels_[channel]->ratio().last_clock(cycle) + 1;
    const std::uint64_t open = c.open_bank_clocks(clocks);
    return DramUse{c.counters(), clocks, open, c.refreshing_bank_clocks(clocks),
                   energy_of(system_.device, c.counters(), open, clocks)};
  }

  void serialize(StateWriter& state) override { serialize_all(state); }
  void serialize(StateReader& state) override { serialize_all(state); }

 private:
  // Where the request begins that has this byte.
  std::uint64_t first_of(DramAddress address) const { return address.value & ~(request_bytes_ - 1); }

  template <class Archive>
  void serialize_all(Archive& state) {
    state(slots_, open_, free_slots_, time_, completed_, changed_, changed_at_, waiting_in_, data_state_);
    for (std::uint32_t i = 0; i < channels_.size(); ++i) {
      state(*channels_[i]);
      if constexpr (Archive::is_loading::value) earliest_.set(i, channels_[i]->next());
    }
  }

  struct Changed {
    std::uint32_t channel = 0;
    observe::State before = observe::State::idle;
    template <class Archive>
    void serialize(Archive& state) {
      state(channel, before);
    }
  };

  bool has_slot() {
    if (free_slots_.empty()) short_of_slots_ = true;
    return !free_slots_.empty();
  }

  void catch_up(std::uint32_t index, Cycle cycle) {
    channels_[index]->catch_up(cycle);
    earliest_.set(index, channels_[index]->next());
  }

  // Commands that are given late may have made room: they are, before a channel refuses. From then on it is
  // watched until it may have some.
  template <class HasRoom>
  bool finds_room(std::uint32_t index, HasRoom has_room) {
    DramChannel& channel = *channels_[index];
    if (has_room(channel)) return true;
    bool room = false;
    if (!channel.in_time() && !channel.knows_room(time_)) {
      channel.catch_up(time_);
      room = has_room(channel);
    }
    if (!room) channel.watch();
    earliest_.set(index, channel.next());
    return room;
  }

  DramNotice step_to(Cycle until) {
    if (completed_) return {completed_->cycle, DramNews::completion};
    if (!changed_.empty()) return {changed_at_, DramNews::data_bus};
    for (;;) {
      const std::uint64_t key = earliest_.key();
      const Cycle cycle(key / DramChannel::kSteps);
      const auto step = static_cast<DramChannel::Step>(key % DramChannel::kSteps);
      // All changes of a cycle are told together.
      if (!changed_.empty() && (cycle != changed_at_ || step != DramChannel::Step::bus)) {
        return {changed_at_, DramNews::data_bus};
      }
      if (key == DramChannel::kNothing) return {};
      if (cycle > until) return {cycle, DramNews::nothing};
      if (const DramNews news = take(earliest_.first(), cycle, step); news != DramNews::nothing)
        return {cycle, news};
    }
  }

  // One step of a channel. Tells of an answer and of room at once, of changes of a bus not yet.
  DramNews take(std::uint32_t index, Cycle cycle, DramChannel::Step step) {
    DramChannel& channel = *channels_[index];
    DramNews news = DramNews::nothing;
    switch (step) {
      case DramChannel::Step::commands: {
        if (channel.watched()) news = DramNews::room;  // perhaps not yet: then nothing comes of it
        channel.give_commands(cycle);
        break;
      }
      case DramChannel::Step::bus: {
        const observe::State before = channel.state();
        if (channel.change_bus(cycle)) changed_.push_back({index, before});
        changed_at_ = cycle;
        break;
      }
      case DramChannel::Step::answer: {
        const std::uint32_t slot = channel.take_answer();
        completed_ = {cycle, slots_[slot], index};
        free_slots_.push_back(slot);
        news = DramNews::completion;
        break;
      }
    }
    earliest_.set(index, channel.next());
    return news;
  }

  const config::DramSystem& system_;  // the machine's
  DramAddressMap map_;
  std::uint32_t bursts_;           // of the devices, in a request
  std::uint64_t request_bytes_;    // a power of two
  std::vector<DramPlace> places_;  // of a request's bursts, while it is looked at
  std::vector<std::unique_ptr<DramChannel>> channels_;
  EarliestOf earliest_;              // of the channels
  std::vector<Burst> slots_;         // accepted and not complete
  std::vector<std::uint32_t> open_;  // by slot: bursts of the devices that are not complete
  std::vector<std::uint32_t> free_slots_;
  bool short_of_slots_ = false;          // something was refused since the last answer, for want of one
  Cycle time_;                           // up to which it was advanced: no burst is accepted before
  std::optional<Completion> completed_;  // told of and not taken
  std::vector<Changed> changed_;         // not reported
  Cycle changed_at_;
  std::array<std::uint32_t, observe::kStates> waiting_in_{};  // channels by state, as reported
  observe::State data_state_ = observe::State::idle;
};

}  // namespace

std::unique_ptr<Dram> make_command_dram(const config::Machine& machine) {
  return std::make_unique<CommandDram>(machine);
}

std::unique_ptr<Dram> make_dram(const config::Machine& machine) {
  return machine.dram.model == config::DramModel::ideal ? make_ideal_dram(machine)
                                                        : make_command_dram(machine);
}

}  // namespace tokencycle::memory
