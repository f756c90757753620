// SPDX-License-Identifier: Apache-2.0
// Dispatch: one register between decode and the units' queues.
#pragma once

#include <array>
#include <vector>

#include "machine/unit.h"

namespace tokencycle::machine {

using UnitQueues = std::array<std::vector<InstructionQueue*>, isa::kUnits>;

// What decode hands over in a cycle is put into its unit's queue in the next. Decode has counted the
// queue's room, so nothing ever waits here.
class Dispatch : public Clocked, public InstructionQueue {
 public:
  // Queues by isa::Unit, then by number; the front end has none.
  Dispatch(observe::EventHub& hub, UnitQueues queues, ClockLine clock);

  void start(Cycle now) { state_.set(observe::State::idle, now); }
  void stop(Cycle now) { state_.set(observe::State::halted, now); }
  observe::State state() const { return state_.now(); }
  // Between two programs.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_);
  }
  template <class Archive>
  void serialize_in_flight(Archive& state) {
    state(state_, held_);
  }
  void push(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;

 private:
  observe::EventHub& hub_;
  observe::UnitState state_;
  UnitQueues queues_;
  ClockLine clock_;
  InFlight* held_ = nullptr;
};

}  // namespace tokencycle::machine
