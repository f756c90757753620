// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/writeback.h"

#include <algorithm>

namespace tokencycle::machine {

using observe::State;

Writeback::Writeback(const config::Machine& machine, observe::EventHub& hub, HazardBoard& board,
                     ClockLine clock)
    : hub_(hub),
      state_(hub, observe::UnitId::writeback),
      board_(board),
      clock_(clock),
      ports_(machine.writeback.ports) {}

void Writeback::start(Cycle now) {
  last_retirement_ = now;
  state_.set(State::idle, now);
}

void Writeback::finished(Cycle now, InFlight& entry) {
  entry.record.finished = now;
  hub_.emit_stage(now, entry.record, observe::unit_id(entry.record), observe::Stage::finished);
  waiting_.push_back(&entry);
  clock_.wake(now + 1);
}

Cycle Writeback::edge(Cycle now) {
  if (waiting_.empty()) {
    if (state_.now() != State::halted) state_.set(State::idle, now);
    return kNever;
  }
  std::uint32_t retired = 0;
  for (; retired < ports_ && !waiting_.empty(); ++retired) {
    const auto oldest = std::min_element(
        waiting_.begin(), waiting_.end(),
        [](const InFlight* a, const InFlight* b) { return a->record.sequence < b->record.sequence; });
    InFlight& entry = **oldest;
    waiting_.erase(oldest);
    retire(now, entry);
  }
  state_.set(waiting_.empty() ? State::busy : State::writeback_wait, now);
  return now + 1;
}

void Writeback::retire(Cycle now, InFlight& entry) {
  entry.record.written_back = now;
  last_retirement_ = now;
  hub_.emit_stage(now, entry.record, observe::unit_id(entry.record), observe::Stage::written_back);
  hub_.retired(entry.record);
  board_.retired(now, entry);
}

}  // namespace tokencycle::machine
