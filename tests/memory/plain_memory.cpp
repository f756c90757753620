// SPDX-License-Identifier: Apache-2.0
#include "memory/plain_memory.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <deque>
#include <stdexcept>

#include "memory/dram/channel.h"

namespace tokencycle::test {

using memory::Clock;
using observe::State;

namespace {

// One channel. Cycle c has the clocks that begin in it.
class PlainChannel final : public memory::DramListener {
 public:
  explicit PlainChannel(const config::Machine& machine)
      : device_(machine.dram.system->device),
        bank_queues_(machine.dram.system->queue_of == config::DramQueueOf::bank),
        clock_(device_.tck_ps * 1000),
        cycle_(static_cast<std::uint64_t>(std::llround(1e6 / machine.clock_ghz))),
        answer_(static_cast<std::uint64_t>(std::ceil(machine.dram.latency_ns * machine.clock_ghz))),
        controller_(*machine.dram.system, *this) {}

  void begin(std::uint64_t cycle) {
    now_ = cycle;
    for (; next_ * clock_ < (cycle + 1) * cycle_; ++next_) controller_.advance(next_);
  }
  // Whether the queues take bursts to these banks, one place for each.
  bool has_room(bool write, const std::vector<std::uint32_t>& banks) const {
    return std::all_of(banks.begin(), banks.end(), [&](std::uint32_t bank) {
      const auto wanted = bank_queues_ ? std::count(banks.begin(), banks.end(), bank)
                                       : static_cast<std::ptrdiff_t>(banks.size());
      return controller_.room(write, bank) >= wanted;
    });
  }
  void accept(std::uint64_t number, bool write, const memory::DramPlace& p) {
    if (write) answers.emplace_back(number, ceil_div(next_ * clock_, cycle_) + answer_);
    controller_.accept(next_ - 1, {2 * number + (write ? 1 : 0), write, p.bank, p.row, p.column});
  }
  bool waits() const { return controller_.waiting() != 0; }
  std::uint64_t moved() const { return bus_.size(); }

  // Numbers of bursts and the cycles of their answers, as they become known.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> answers;

  // The states of all cycles up to `end`, as changes.
  std::vector<BusChange> changes(std::uint64_t end) const {
    std::vector<State> states(end, State::idle);
    for (std::size_t i = 0; i < waits_.size(); ++i) {
      const std::uint64_t from = waits_[i].first * clock_ / cycle_;
      if (from < end) std::fill(states.begin() + offset(from), states.end(), state_of(waits_[i].second));
    }
    for (const auto& [first, last] : bus_) {
      const std::uint64_t from = first * clock_ / cycle_, to = ceil_div(last * clock_, cycle_);
      for (std::uint64_t c = from; c < std::min(to, end); ++c) states[c] = State::busy;
    }
    std::vector<BusChange> found;
    State before = State::idle;
    for (std::uint64_t c = 0; c < end; ++c) {
      if (states[c] != before) found.push_back({c, before = states[c]});
    }
    return found;
  }

  // DramListener
  void completed(std::uint64_t id, Clock clock) override {
    if (id % 2 != 0) return;  // a write, which was answered when it was accepted
    answers.emplace_back(id / 2, std::max(ceil_div(clock * clock_, cycle_), now_ + 1) + answer_);
  }
  void transferring(Clock first, Clock last, bool) override { bus_.emplace_back(first, last); }
  void waiting(Clock from, memory::DramWait wait) override {
    waits_.emplace_back(from + device_.read_first, wait);
  }

 private:
  static std::ptrdiff_t offset(std::uint64_t cycle) { return static_cast<std::ptrdiff_t>(cycle); }

  const config::DramDevice& device_;
  bool bank_queues_;
  std::uint64_t clock_, cycle_, answer_;  // femtoseconds; cycles
  std::uint64_t now_ = 0;
  Clock next_ = 0;
  std::vector<std::pair<Clock, Clock>> bus_;
  std::vector<std::pair<Clock, memory::DramWait>> waits_;
  memory::DramController controller_;
};

class PlainMemory {
 public:
  PlainMemory(const config::Machine& machine, const std::vector<MemoryWish>& wishes)
      : machine_(machine), map_(*machine.dram.system), wishes_(wishes), open_(wishes.size()) {
    for (std::uint32_t c = 0; c < machine.dram.channels; ++c) channels_.emplace_back(machine);
    outcome_.accepted.resize(wishes.size());
    outcome_.completed.resize(wishes.size());
  }

  MemoryOutcome run() {
    constexpr std::uint64_t kLater = 300;  // cycles for what comes after the last command
    constexpr std::uint64_t kMost = 2'000'000;
    std::uint64_t cycle = 0, quiet = 0;
    for (; quiet < kLater; ++cycle) {
      if (cycle == kMost) throw std::runtime_error("a controller makes no progress");
      for (PlainChannel& c : channels_) c.begin(cycle);
      for (PlainChannel& c : channels_) take_answers(c, cycle);
      while (next_ < wishes_.size() && wishes_[next_].from <= cycle && has_room()) accept(cycle);
      const bool waits = std::any_of(channels_.begin(), channels_.end(),
                                     [](const PlainChannel& c) { return c.waits() || !c.answers.empty(); });
      quiet = waits || next_ < wishes_.size() ? 0 : quiet + 1;
    }
    outcome_.end = cycle;
    for (const PlainChannel& c : channels_) {
      outcome_.changes.push_back(c.changes(cycle + 1));
      outcome_.bursts_moved.push_back(c.moved());
    }
    return outcome_;
  }

 private:
  std::uint64_t parts() const { return machine_.dram.burst_bytes / machine_.dram.system->device.burst_bytes; }
  memory::DramPlace place(const memory::Burst& burst, std::uint64_t part) const {
    const std::uint64_t first = burst.address.value / machine_.dram.burst_bytes * machine_.dram.burst_bytes;
    return map_.place(first + part * machine_.dram.system->device.burst_bytes);
  }
  bool has_room() {
    const memory::Burst& burst = wishes_[next_].burst;
    std::vector<std::uint32_t> banks;
    for (std::uint64_t part = 0; part < parts(); ++part) banks.push_back(place(burst, part).bank);
    return under_way_ < machine_.dram.requests_in_flight &&
           channels_[place(burst, 0).channel].has_room(burst.write, banks);
  }
  void accept(std::uint64_t cycle) {
    const memory::Burst& burst = wishes_[next_].burst;
    for (std::uint64_t part = 0; part < parts(); ++part) {
      const memory::DramPlace p = place(burst, part);
      channels_[p.channel].accept(next_, burst.write, p);
    }
    open_[next_] = parts();
    outcome_.accepted[next_++] = cycle;
    ++under_way_;
  }
  void take_answers(PlainChannel& channel, std::uint64_t cycle) {
    std::erase_if(channel.answers, [&](const auto& answer) {
      if (answer.second > cycle) return false;
      if (--open_[answer.first] == 0) {
        outcome_.completed[answer.first] = cycle;
        --under_way_;
      }
      return true;
    });
  }

  const config::Machine& machine_;
  memory::DramAddressMap map_;
  const std::vector<MemoryWish>& wishes_;
  std::deque<PlainChannel> channels_;  // their controllers know them
  std::vector<std::uint64_t> open_;    // parts that are not answered
  std::size_t next_ = 0;
  std::uint32_t under_way_ = 0;
  MemoryOutcome outcome_;
};

class ChannelStates : public observe::Observer {
 public:
  explicit ChannelStates(MemoryOutcome& outcome) : outcome_(outcome), now(outcome.changes.size()) {}
  void on_event(const observe::Event& e) override {
    const auto channel = static_cast<std::size_t>(e.unit) - observe::kFirstChannel;
    const auto state = static_cast<State>(e.detail);
    CHECK(state != now.at(channel));
    now.at(channel) = state;
    outcome_.changes[channel].push_back({e.cycle.value, state});
  }
  // The one that stands for all.
  State of_all() const {
    return *std::find_if(observe::kDataStates.begin(), observe::kDataStates.end(),
                         [this](State s) { return std::find(now.begin(), now.end(), s) != now.end(); });
  }

 private:
  MemoryOutcome& outcome_;

 public:
  std::vector<State> now;
};

// Takes what a notice told of.
class Taker {
 public:
  Taker(memory::Dram& dram, MemoryOutcome& outcome) : dram_(dram), outcome_(outcome), states_(outcome) {
    hub_.subscribe(states_);
  }
  void take(const memory::DramNotice& notice) {
    REQUIRE(notice.cycle >= last_);
    if (notice.cycle > last_) channel_ = 0;
    last_ = notice.cycle;
    if (notice.news == memory::DramNews::data_bus) {
      dram_.report_bus_change(hub_);
      CHECK(dram_.data_state() == states_.of_all());
    } else if (notice.news == memory::DramNews::completion) {
      const memory::Completion c = dram_.take_completion();
      CHECK(c.cycle == notice.cycle);
      std::uint64_t& completed = outcome_.completed.at(c.burst.tag);
      CHECK(completed == 0);  // once
      completed = c.cycle.value;
      const std::uint32_t channel = dram_.channel_of(c.burst.address);
      CHECK(channel >= channel_);
      channel_ = channel;
    }
  }

 private:
  memory::Dram& dram_;
  MemoryOutcome& outcome_;
  ChannelStates states_;
  observe::EventHub hub_;
  Cycle last_;
  std::uint32_t channel_ = 0;
};

}  // namespace

MemoryOutcome run_plain(const config::Machine& machine, const std::vector<MemoryWish>& wishes) {
  return PlainMemory(machine, wishes).run();
}

MemoryOutcome run_dram(const config::Machine& machine, const std::vector<MemoryWish>& wishes,
                       std::uint64_t end, const std::function<std::uint64_t()>& leap) {
  MemoryOutcome outcome;
  outcome.accepted.resize(wishes.size());
  outcome.completed.resize(wishes.size());
  outcome.changes.resize(machine.dram.channels);
  outcome.end = end;
  const auto dram = memory::make_command_dram(machine);
  Taker taker(*dram, outcome);
  std::size_t next = 0;
  for (std::uint64_t now = 0;;) {
    const bool due = next < wishes.size() && wishes[next].from <= now;
    const bool ready = due && dram->has_room(dram->channel_of(wishes[next].burst.address),
                                             wishes[next].burst.address, wishes[next].burst.write);
    std::uint64_t until = ready ? now : std::min(end, now + leap());
    if (!due && next < wishes.size()) until = std::min(until, wishes[next].from);
    const memory::DramNotice notice = dram->advance(Cycle(until));
    if (notice.news != memory::DramNews::nothing) {
      REQUIRE(notice.cycle.value <= until);
      now = std::max(now, notice.cycle.value);
      taker.take(notice);
    } else if (ready) {
      dram->accept(Cycle(now), wishes[next].burst);
      outcome.accepted[next++] = now;
    } else if (until == end) {
      return outcome;
    } else {
      now = until;
    }
  }
}

}  // namespace tokencycle::test
