// SPDX-License-Identifier: Apache-2.0
// The vector unit: one instruction at a time, beat by beat of `lanes` elements through the scratchpad.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "config/machine.h"
#include "machine/local_memory.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// An instruction makes one or more passes over each row (a norm needs the sum before it can scale). In a pass
// a beat is read, goes through a chain of functions (vector.functions: issue interval and latency of each),
// and is written or reduced. isa/vector/table.cpp has the passes of each function.
class Vector : public Clocked, public InstructionQueue {
 public:
  Vector(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local, ResultSink& results,
         HazardBoard& board, ClockLine clock, Values values = Values::computed, std::uint32_t index = 0);

  void start(Cycle now) { state_.set(observe::State::idle, now); }
  void stop(Cycle now) { state_.set(observe::State::halted, now); }
  void push(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;
  // Hears what a top_k finds, or says it where there are no values; may be null.
  void set_choices(Choices* choices) { choices_ = choices; }
  observe::State state() const { return state_.now(); }
  std::size_t queued() const { return queue_.size() + (running_ != nullptr ? 1 : 0); }
  std::uint64_t elements() const { return elements_; }
  // Between two programs.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_, nominal_, finish_, elements_);
  }

 private:
  struct Timeline {
    Cycle issue;   // when the next beat can be read
    Cycle result;  // when the last result is there
    Cycle end;     // the last write (or result) is done
    std::uint64_t delayed = 0;
  };
  void begin(Cycle now, InFlight& entry);
  void compute(const InFlight& entry);
  void choose(const isa::Instruction& instruction);
  void finish(Cycle now);
  void write_result(const isa::Instruction& instruction);
  void time_row(Cycle now, const isa::Instruction& instruction, std::uint32_t row, Timeline& timeline);
  void time_beat(Cycle now, const isa::Instruction& instruction, std::uint32_t row, std::uint32_t first,
                 std::uint32_t count, bool reads_b, bool writes, std::uint64_t interval,
                 std::uint64_t latency, Timeline& timeline);
  void time_write(Cycle now, const isa::Instruction& instruction, std::uint32_t row, std::uint32_t first,
                  std::uint32_t count, Cycle ready, Timeline& timeline);

  const config::Vector description_;
  const observe::UnitId unit_;
  const memory::Port port_;
  observe::EventHub& hub_;
  observe::UnitState state_;
  LocalMemory& local_;
  ResultSink& results_;
  HazardBoard& board_;
  ClockLine clock_;
  const Values values_;
  Choices* choices_ = nullptr;

  std::deque<InFlight*> queue_;
  InFlight* running_ = nullptr;
  Cycle nominal_, finish_;  // end of the running instruction, without and with bank conflicts
  std::vector<std::byte> result_;
  std::vector<std::uint32_t> result_rows_;  // rows of dst, one for each row of the result
  std::uint64_t elements_ = 0;
};

}  // namespace tokencycle::machine
