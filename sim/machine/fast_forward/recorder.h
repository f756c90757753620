// SPDX-License-Identifier: Apache-2.0
// Writes down what happens during one iteration.
#pragma once

#include "machine/fast_forward/memo.h"
#include "machine/front_end/decode.h"
#include "observe/event.h"

namespace tokencycle::machine {

class Recorder : public observe::Observer, public DecodeLog {
 public:
  // After the edge of `now`; `sequence`: of the next instruction.
  void start(Cycle now, std::uint64_t sequence) {
    iteration_ = {};
    start_ = now;
    sequence_ = sequence;
    foreign_ = false;
  }
  // True if something happened that an iteration of matrix instructions alone does not do.
  bool foreign() const { return foreign_; }
  Iteration& iteration() { return iteration_; }

  void on_event(const observe::Event& event) override;
  void on_retired(const observe::InstructionRecord& record) override;
  void left_decode(const InFlight& entry) override;

 private:
  void add(Happening::Kind kind, observe::Event event);

  Iteration iteration_;
  Cycle start_;
  std::uint64_t sequence_ = 0;
  bool foreign_ = false;
};

}  // namespace tokencycle::machine
