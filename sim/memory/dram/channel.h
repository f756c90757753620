// SPDX-License-Identifier: Apache-2.0
// One channel of devices in the machine's cycles: its controller, what it answers, and what its data bus
// does.
#pragma once

#include <deque>
#include <limits>

#include "memory/dram/address_map.h"
#include "memory/dram/clock_ratio.h"
#include "memory/dram/controller.h"
#include "observe/event.h"

namespace tokencycle::memory {

// The state of a data bus that carries nothing.
observe::State state_of(DramWait wait);

// Time comes in with every call. A burst accepted in cycle c is seen by the controller from the first clock
// on that begins after that cycle. A read is answered in the first cycle that begins after the end of its
// data. A write is answered as soon as the controller sees it, which has the data from then on (as gem5's
// controller does), and so is a read of data that wait to be written. `answer_cycles` come on top; no answer
// comes before the next cycle.
//
// The bus is busy in every cycle of which it uses a part. In the others its state is what the controller
// waited for `read_first` clocks before: when the command would have had to be given that puts data there.
class DramChannel final : public DramListener {
 public:
  DramChannel(const config::DramSystem& system, const ClockRatio& ratio, std::uint64_t answer_cycles);
  DramChannel(const DramChannel&) = delete;  // the controller knows it
  DramChannel& operator=(const DramChannel&) = delete;

  bool has_room(bool write, std::uint32_t bursts) const { return controller_.room(write) >= bursts; }
  std::uint32_t room(bool write, std::uint32_t bank) const { return controller_.room(write, bank); }
  // Who hears of commands and queues, as Dram::tell() says, under which name.
  void tell(observe::EventHub& hub, observe::UnitId unit) {
    hub_ = &hub;
    unit_ = unit;
  }
  // Tells how many requests wait, if that has changed. Not before the last burst that is accepted in `cycle`.
  void tell_queues(Cycle cycle);
  // One burst of the devices; `slot` is the caller's.
  void accept(Cycle now, std::uint32_t slot, bool write, const DramPlace& place);

  // The next cycle, and what is in it; in this order within a cycle.
  enum class Step : std::uint8_t { commands, bus, answer };
  static constexpr std::uint64_t kSteps = 4;
  static constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t next() const;  // cycle * kSteps + Step; kNothing: nothing comes by itself
  // Gives the commands of all clocks that begin up to the end of the cycle.
  void give_commands(Cycle cycle) {
    reached_ = std::max(reached_, cycle);
    controller_.advance(ratio_.last_clock(cycle));
    tell_queues(cycle);
  }
  // The same for refreshes of an idle channel that nobody waited for, and whose cycles may be over.
  void catch_up(Cycle cycle);
  // Applies the changes of a cycle; returns whether the state is another one.
  bool change_bus(Cycle cycle);
  // The slot of the burst whose answer is there.
  std::uint32_t take_answer();

  observe::State state() const { return state_; }
  DramController& controller() { return controller_; }
  const DramController& controller() const { return controller_; }
  const ClockRatio& ratio() const { return ratio_; }
  template <class Archive>
  void serialize(Archive& state) {
    state(controller_, reached_, told_, reads_, early_, busy_, carrying_, waits_, wait_, state_);
  }

  // DramListener
  void completed(std::uint64_t id, Clock clock) override;
  void transferring(Clock begin, Clock end, bool write) override;
  void waiting(Clock from, DramWait wait) override;
  void commanded(const DramCommandRecord& record) override;
  bool wants_commands() const override { return tells(observe::EventKind::dram_command); }

 private:
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
  // When the data bus changes next; kNever: not by itself. What a bus waits for does not matter while it
  // carries.
  Cycle next_change() const;
  bool tells(observe::EventKind kind) const { return hub_ != nullptr && hub_->wants(kind); }

  ClockRatio ratio_;
  DramController controller_;
  std::uint64_t answer_cycles_;
  std::uint32_t read_first_;
  Cycle reached_;  // nothing changes before it any more
  bool accepting_ = false;
  observe::EventHub* hub_ = nullptr;
  observe::UnitId unit_ = observe::channel_id(0);
  bool catching_up_ = false;
  DramController::Depths told_;       // of the queues
  std::deque<Answer> reads_, early_;  // each in order of time
  std::deque<Interval> busy_;  // in order of time, apart from each other; the front one may be under way
  bool carrying_ = false;      // it is
  std::deque<Wait> waits_;     // in order of time
  DramWait wait_ = DramWait::nothing;
  observe::State state_ = observe::State::idle;
};

}  // namespace tokencycle::memory
