// SPDX-License-Identifier: Apache-2.0
// Writeback: commits finished instructions through its ports, frees their hazards, retires them.
#pragma once

#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// An instruction that finished in one cycle can be retired in the next; when there are more than
// `writeback.ports`, the oldest (by order of decoding) go first.
class Writeback : public Clocked, public ResultSink {
 public:
  Writeback(const config::Machine& machine, observe::EventHub& hub, HazardBoard& board, ClockLine clock);

  void start(Cycle now);
  void stop(Cycle now) { state_.set(observe::State::halted, now); }
  void finished(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;
  Cycle last_retirement() const { return last_retirement_; }
  observe::State state() const { return state_.now(); }
  // Between two programs.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_);
  }
  template <class Archive>
  void serialize_in_flight(Archive& state) {
    std::uint64_t waiting = waiting_.size();  // NOLINT(misc-const-correctness): a loader changes it
    state(state_, last_retirement_, waiting);
    waiting_.resize(waiting);
    for (InFlight*& entry : waiting_) state(entry);
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void retire(Cycle now, InFlight& entry);

  observe::EventHub& hub_;
  observe::UnitState state_;
  HazardBoard& board_;
  ClockLine clock_;
  std::uint32_t ports_;
  std::vector<InFlight*> waiting_;
  Cycle last_retirement_;
};

}  // namespace tokencycle::machine
