// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/channel.h"

#include <algorithm>

namespace tokencycle::memory {

using observe::State;

State state_of(DramWait wait) {
  switch (wait) {
    case DramWait::nothing:
      return State::idle;
    case DramWait::bandwidth:
      return State::burst_spacing;
    case DramWait::bank_busy:
      return State::bank_busy;
    case DramWait::row_conflict:
      return State::row_conflict;
    case DramWait::turnaround:
      return State::bus_turnaround;
    case DramWait::refresh:
      return State::refresh;
  }
  return State::idle;
}

DramChannel::DramChannel(const config::DramSystem& system, const ClockRatio& ratio,
                         std::uint64_t answer_cycles, std::vector<std::uint32_t>& open)
    : ratio_(ratio),
      controller_(system, *this),
      answer_cycles_(answer_cycles),
      read_first_(system.device.read_first),
      write_first_(system.device.write_first),
      open_(open) {}

// A read that no write can answer has no effect before its command: the controller is given it late. A write
// that the controller still has may have left by now, so that the read is given early for nothing.
void DramChannel::accept(Cycle now, std::uint32_t slot, bool write, std::span<const DramPlace> bursts) {
  const Clock clock = ratio_.last_clock(now);
  const std::uint64_t id = std::uint64_t{slot} * 2 + (write ? 1 : 0);
  const auto request = [&](const DramPlace& p) { return DramRequest{id, write, p.bank, p.row, p.column}; };
  const auto finds_write = [&](const DramPlace& p) { return controller_.has_write(request(p)); };
  const bool no_write = controller_.waiting_writes() == 0 || std::ranges::none_of(bursts, finds_write);
  if (!write && no_write && !prompt()) {
    if (controller_.streaming()) {  // the requester asks for room next, which takes the same steps
      give_until(now);
      for (const DramPlace& p : bursts) controller_.accept(clock, request(p));
      note_commands();
      return;
    }
    const bool first = arrivals_.empty();
    for (const DramPlace& p : bursts) arrivals_.push_back({clock, request(p)});
    if (first) note_commands();
    return;
  }
  catch_up(now);
  if (write) early_.push_back({ratio_.cycle_from(clock + 1) + answer_cycles_, slot});
  accepting_ = true;
  for (const DramPlace& p : bursts) controller_.accept(clock, request(p));
  accepting_ = false;
  note_commands();
}

// As if each arrival had been given to the controller in its clock.
void DramChannel::advance_arrivals(Clock until) {
  while (!arrivals_.empty() && arrivals_.front().clock <= until) {
    const Clock clock = arrivals_.front().clock;
    controller_.advance(clock);
    std::array<DramRequest, DramController::kLongestTrain> together;
    std::size_t count = 0;
    for (; count < together.size() && !arrivals_.empty() && arrivals_.front().clock == clock; ++count) {
      together[count] = arrivals_.front().request;
      arrivals_.pop_front();
    }
    const std::span<const DramRequest> train(together.data(), count);
    // What comes next is seen in the clock after that in which it comes.
    if (controller_.serve_train(clock, train,
                                arrivals_.empty() ? until : std::min(until, arrivals_.front().clock)))
      continue;
    for (const DramRequest& r : train) controller_.accept(clock, r);
  }
  controller_.advance(until);
}

void DramChannel::transferred(std::span<const DramTransfer> reads, Clock latency, Clock clocks) {
  if (prompt()) return DramListener::transferred(reads, latency, clocks);
  // Bursts that follow each other in clocks do so in cycles.
  Clock begin = reads.front().at + latency - clocks, end = begin;
  for (const DramTransfer& t : reads) {
    if (t.at + latency - clocks > end) {
      transferring(begin, end, false);
      begin = t.at + latency - clocks;
    }
    end = t.at + latency;
    completed(t.request->id, end);
  }
  transferring(begin, end, false);
}

// Reads are reported one by one only while no observer subscribes to commands.
void DramChannel::transferred(const DramTransfer& read, Clock latency, Clock clocks) {
  const Clock end = read.at + latency;
  transferring(end - clocks, end, false);
  completed(read.request->id, end);
}

void DramChannel::catch_up(Cycle cycle) {
  give_until(cycle);
  note_commands();
}

// When commands must be given next. An idle channel catches up on its refreshes when a request comes, or
// gives them in time for an observer.
void DramChannel::note_commands() {
  commands_due_ = kNothing;
  if (controller_.waiting() == 0 && arrivals_.empty() && !wants_commands()) return;
  Clock clock = controller_.next_event();
  if (!arrivals_.empty()) clock = std::min(clock, arrivals_.front().clock + 1);
  if (clock == kNoClock) return;
  Cycle cycle;
  if (in_time()) {
    cycle = ratio_.cycle_of(clock);
  } else {
    const bool reads_alone = controller_.waiting_writes() == 0;
    const std::uint32_t first = reads_alone ? read_first_ : std::min(read_first_, write_first_);
    cycle = ratio_.cycle_of(clock + first);
    if (!ratio_.fill_cycle(first)) cycle = std::max(cycle, ratio_.cycle_of(clock) + 1);
    cycle = Cycle(cycle.value - 1);
  }
  commands_due_ = key_of(cycle, Step::commands);
}

// A request's last burst answers it. Reads that are found in the write queue are answered as soon as writes
// are.
void DramChannel::completed(std::uint64_t id, Clock clock) {
  if (id % 2 != 0) return;  // a write, which was answered when it came
  const auto slot = static_cast<std::uint32_t>(id / 2);
  if (--open_[slot] != 0) return;
  const Cycle cycle = std::max(ratio_.cycle_from(clock), reached_ + 1) + answer_cycles_;
  (accepting_ ? early_ : reads_).push_back({cycle, slot});
}

std::uint32_t DramChannel::take_answer() {
  const bool early = reads_.empty() || (!early_.empty() && early_.front().cycle <= reads_.front().cycle);
  Ring<Answer>& queue = early ? early_ : reads_;
  const std::uint32_t slot = queue.front().slot;
  queue.pop_front();
  return slot;
}

// Bursts that follow each other, or pass at the same time on the buses of two pseudo-channels, are one
// interval.
void DramChannel::transferring(Clock begin, Clock end, bool) {
  Interval burst{ratio_.cycle_of(begin), ratio_.cycle_from(end)};
  if (!busy_.empty() && busy_.back().begin <= burst.begin && burst.begin <= busy_.back().end) {
    busy_.back().end = std::max(busy_.back().end, burst.end);
    return;
  }
  std::size_t after = busy_.size();
  while (after != 0 && busy_[after - 1].begin > burst.end) --after;
  std::size_t first = after;
  while (first != 0 && busy_[first - 1].end >= burst.begin) {
    --first;
    burst = {std::min(burst.begin, busy_[first].begin), std::max(burst.end, busy_[first].end)};
  }
  if (first == after) {
    busy_.insert(after, burst);
  } else {
    busy_[first] = burst;
    if (first + 1 != after) busy_.erase(first + 1, after);
  }
}

void DramChannel::waiting(Clock from, DramWait wait) {
  waits_.push_back({std::max(ratio_.cycle_of(from + read_first_), reached_), wait});
}

// Those of an idle time that is over were not wanted in it.
void DramChannel::tell_command(const DramCommandRecord& r) {
  if (catching_up_) return;
  const Cycle cycle = ratio_.cycle_of(r.clock);
  const DramSpan change = controller_.change_by(r);
  const auto later = [&](Clock clock) { return ratio_.cycle_of(clock).value - cycle.value; };
  hub_->emit({cycle, r.row + (std::uint64_t{r.column} << 32), (later(change.begin) << 32) + later(change.end),
              r.bank, observe::EventKind::dram_command, unit_, static_cast<std::uint8_t>(r.command), 0});
}

void DramChannel::tell_changed_queues(Cycle cycle) {
  const DramController::Depths depths = controller_.depths();
  if (depths == told_) return;
  told_ = depths;
  hub_->emit({cycle, depths.reads + (std::uint64_t{depths.writes} << 32), depths.activated, 0,
              observe::EventKind::dram_queues, unit_, 0, 0});
}

bool DramChannel::change_bus(Cycle cycle) {
  reached_ = std::max(reached_, cycle);
  for (; !waits_.empty() && waits_.front().from <= cycle; waits_.pop_front()) wait_ = waits_.front().wait;
  for (; !busy_.empty() && busy_.front().begin <= cycle; busy_.pop_front()) {
    carrying_ = busy_.front().end > cycle;
    if (carrying_) break;
  }
  const State before = state_;
  state_ = carrying_ ? State::busy : state_of(wait_);
  return state_ != before;
}

}  // namespace tokencycle::memory
