// SPDX-License-Identifier: Apache-2.0
// One channel of devices in the machine's cycles: its controller, what it answers, and what its data bus
// does.
#pragma once

#include <array>
#include <limits>
#include <span>
#include <vector>

#include "base/ring.h"
#include "memory/dram/address_map.h"
#include "memory/dram/clock_ratio.h"
#include "memory/dram/controller.h"
#include "observe/event.h"

namespace tokencycle::memory {

// The state of a data bus that carries nothing.
observe::State state_of(DramWait wait);

// Time comes in with every call. A request accepted in cycle c is seen by the controller from the first clock
// on that begins after that cycle. A read is answered in the first cycle that begins after the end of its
// last data. A write is answered as soon as the controller sees it, which has the data from then on (as
// gem5's controller does), and so is a read of data that wait to be written. `answer_cycles` come on top; no
// answer comes before the next cycle.
//
// The bus is busy in every cycle of which it uses a part. In the others its state is what the controller
// waited for `read_first` clocks before: when the command would have had to be given that puts data there.
//
// So a command has no effect outside the channel before its data could come, and commands may be given late,
// many at a time: next() asks for them in the last cycle in which none of their effects is overdue. They are
// given in time while a requester waits for room (watch()) or an observer subscribes to them (tell()). Reads
// wait in arrivals_ until then as long as no write could answer them.
class DramChannel final : public DramListener {
 public:
  // `open`: of each slot, the bursts that are not complete, which the channel counts down.
  DramChannel(const config::DramSystem& system, const ClockRatio& ratio, std::uint64_t answer_cycles,
              std::vector<std::uint32_t>& open);
  DramChannel(const DramChannel&) = delete;  // the controller knows it
  DramChannel& operator=(const DramChannel&) = delete;

  // At least so much room is there, whatever was given late; exactly so much behind catch_up().
  std::uint32_t room(bool write) const { return less_arrivals(write, controller_.room(write)); }
  std::uint32_t room(bool write, std::uint32_t bank) const {
    return less_arrivals(write, controller_.room(write, bank));
  }
  // When a full queue of reads has room again if nothing is accepted; kNever: unknown. Behind catch_up().
  Cycle next_room() const {
    const Clock clock = controller_.next_streamed();
    return clock == kNoClock ? kNever : ratio_.cycle_of(clock);
  }
  // Commands are given in time until some are.
  void watch() {
    watched_ = true;
    note_commands();
  }
  bool watched() const { return watched_; }
  bool in_time() const { return watched_ || prompt(); }
  // True if catch_up() changes nothing.
  bool has_given(Cycle cycle) const { return given_until_ >= cycle && arrivals_.empty(); }
  // True if room() is exact without catch_up(): all commands are given, and which bank's queue a read goes to
  // that the controller has not been given makes no difference.
  bool knows_room(Cycle cycle) const {
    return given_until_ >= cycle && (arrivals_.empty() || !controller_.has_queues_of_banks());
  }
  // The observers of commands and queues, as Dram::tell() says, and the channel's name there.
  void tell(observe::EventHub& hub, observe::UnitId unit) {
    hub_ = &hub;
    unit_ = unit;
  }
  // Tells how many requests wait, if that has changed. Not before the last burst that is accepted in `cycle`.
  void tell_queues(Cycle cycle) {
    if (tells(observe::EventKind::dram_queues)) tell_changed_queues(cycle);
  }
  // A request by the bursts of the devices; `slot` is the caller's.
  void accept(Cycle now, std::uint32_t slot, bool write, std::span<const DramPlace> bursts);

  // The next cycle, and what is in it; in this order within a cycle.
  enum class Step : std::uint8_t { commands, bus, answer };
  static constexpr std::uint64_t kSteps = 4;
  static constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();
  // cycle * kSteps + Step; kNothing: no event without another request
  std::uint64_t next() const {
    std::uint64_t next = commands_due_;
    if (const Cycle change = next_change(); change != kNever)
      next = std::min(next, key_of(change, Step::bus));
    if (!reads_.empty()) next = std::min(next, key_of(reads_.front().cycle, Step::answer));
    if (!early_.empty()) next = std::min(next, key_of(early_.front().cycle, Step::answer));
    return next;
  }
  // Gives the commands of all clocks that begin up to the end of the cycle.
  void give_commands(Cycle cycle) {
    watched_ = false;
    reached_ = std::max(reached_, cycle);
    given_until_ = std::max(given_until_, cycle);
    advance(ratio_.last_clock(cycle));
    tell_queues(cycle);
    note_commands();
  }
  // The same for commands that were not needed in time, and whose cycles may be over.
  void catch_up(Cycle cycle);
  // Applies the changes of a cycle; returns whether the state is another one.
  bool change_bus(Cycle cycle);
  // The slot of the request whose answer is there.
  std::uint32_t take_answer();

  observe::State state() const { return state_; }
  DramController& controller() { return controller_; }
  const DramController& controller() const { return controller_; }
  const ClockRatio& ratio() const { return ratio_; }
  template <class Archive>
  void serialize(Archive& state) {
    state(controller_, arrivals_, watched_, reached_, told_, reads_, early_, busy_, carrying_, waits_, wait_,
          state_);
    if constexpr (Archive::is_loading::value) note_commands();
  }

  // DramListener
  void completed(std::uint64_t id, Clock clock) override;
  void transferring(Clock begin, Clock end, bool write) override;
  void transferred(std::span<const DramTransfer> reads, Clock latency, Clock clocks) override;
  void transferred(const DramTransfer& read, Clock latency, Clock clocks) override;
  void waiting(Clock from, DramWait wait) override;
  void commanded(const DramCommandRecord& record) override {
    if (wants_commands()) tell_command(record);
  }
  bool wants_commands() const override { return tells(observe::EventKind::dram_command); }

 private:
  struct Arrival {
    Clock clock = 0;
    DramRequest request;
    template <class Archive>
    void serialize(Archive& state) {
      state(clock, request);
    }
  };
  struct Answer {
    Cycle cycle;
    std::uint32_t slot = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(cycle, slot);
    }
  };
  struct Interval {
    Cycle begin, end;
    template <class Archive>
    void serialize(Archive& state) {
      state(begin, end);
    }
  };
  struct Wait {
    Cycle from;
    DramWait wait = DramWait::nothing;
    template <class Archive>
    void serialize(Archive& state) {
      state(from, wait);
    }
  };
  std::uint32_t less_arrivals(bool write, std::uint32_t room) const {
    const auto arrivals = static_cast<std::uint32_t>(write ? 0 : arrivals_.size());
    return room - std::min(room, arrivals);
  }
  static constexpr std::uint64_t key_of(Cycle cycle, Step step) {
    return cycle.value * kSteps + static_cast<std::uint64_t>(step);
  }
  void note_commands();
  void give_until(Cycle cycle) {
    catching_up_ = true;
    advance(ratio_.last_clock(cycle));
    catching_up_ = false;
    reached_ = std::max(reached_, cycle);
    given_until_ = std::max(given_until_, cycle);
  }
  void tell_changed_queues(Cycle cycle);
  void tell_command(const DramCommandRecord& record);
  void advance(Clock until) {
    if (!arrivals_.empty()) return advance_arrivals(until);
    controller_.advance(until);
  }
  void advance_arrivals(Clock until);
  // True if an observer subscribes to what the controller does, in the cycle in which it does it.
  bool prompt() const {
    return tells(observe::EventKind::dram_command) || tells(observe::EventKind::dram_queues);
  }
  // When the data bus changes next; kNever: not by itself. What a bus waits for does not matter while it
  // carries.
  Cycle next_change() const {
    if (carrying_) return busy_.front().end;
    const Cycle begin = busy_.empty() ? kNever : busy_.front().begin;
    return waits_.empty() ? begin : std::min(begin, waits_.front().from);
  }
  bool tells(observe::EventKind kind) const { return hub_ != nullptr && hub_->wants(kind); }

  ClockRatio ratio_;
  DramController controller_;
  std::uint64_t answer_cycles_;
  const std::uint32_t read_first_, write_first_;
  std::vector<std::uint32_t>& open_;
  Ring<Arrival> arrivals_;  // reads that the controller has not been given, in order of time
  std::uint64_t commands_due_ = kNothing;
  bool watched_ = false;
  Cycle reached_;      // nothing changes before it any more
  Cycle given_until_;  // derived, not part of the state
  bool accepting_ = false;
  observe::EventHub* hub_ = nullptr;
  observe::UnitId unit_ = observe::channel_id(0);
  bool catching_up_ = false;
  DramController::Depths told_;  // of the queues
  Ring<Answer> reads_, early_;   // each in order of time
  Ring<Interval> busy_;          // in order of time, apart from each other; the front one may be under way
  bool carrying_ = false;        // it is
  Ring<Wait> waits_;             // in order of time
  DramWait wait_ = DramWait::nothing;
  observe::State state_ = observe::State::idle;
};

}  // namespace tokencycle::memory
