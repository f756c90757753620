// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/dispatch.h"

#include <utility>

namespace tokencycle::machine {

Dispatch::Dispatch(observe::EventHub& hub, UnitQueues queues, ClockLine clock)
    : hub_(hub), state_(hub, observe::UnitId::dispatch), queues_(std::move(queues)), clock_(clock) {}

void Dispatch::push(Cycle now, InFlight& entry) {
  held_ = &entry;
  clock_.wake(now + 1);
}

Cycle Dispatch::edge(Cycle now) {
  if (held_ == nullptr) {
    if (state_.now() == observe::State::busy) state_.set(observe::State::idle, now);
    return kNever;
  }
  InFlight& entry = *held_;
  held_ = nullptr;
  state_.set(observe::State::busy, now);
  entry.record.dispatched = now;
  hub_.emit_stage(now, entry.record, observe::unit_id(entry.record), observe::Stage::dispatched);
  queues_[static_cast<std::size_t>(entry.record.unit)][entry.record.unit_index]->push(now, entry);
  return now + 1;
}

}  // namespace tokencycle::machine
