// SPDX-License-Identifier: Apache-2.0
#include "machine/fast_forward/recorder.h"

namespace tokencycle::machine {

using observe::EventKind;
using observe::Stage;
using observe::UnitId;
using Kind = Happening::Kind;

void Recorder::add(Kind kind, observe::Event event) {
  event.cycle -= start_;
  iteration_.happenings.push_back({event, kind});
}

void Recorder::on_event(const observe::Event& event) {
  switch (event.unit) {
    case UnitId::decode:
    case UnitId::dispatch:
    case UnitId::matrix:
    case UnitId::writeback:
      break;
    default:
      foreign_ = true;
      return;
  }
  if (event.kind == EventKind::unit_state) return add(Kind::state, event);
  if (event.kind != EventKind::instruction) {
    foreign_ = true;
    return;
  }
  observe::Event counted = event;
  counted.number -= sequence_;
  switch (static_cast<Stage>(event.detail)) {
    case Stage::decoded:
      return add(Kind::decoded, counted);
    case Stage::started:
      return add(Kind::started, counted);
    case Stage::finished:
      return add(Kind::finished, counted);
    default:
      return add(Kind::stage, counted);
  }
}

void Recorder::on_retired(const observe::InstructionRecord& record) {
  observe::InstructionRecord counted = record;
  counted.sequence -= sequence_;
  counted.move(Cycle() - start_);
  observe::Event event;
  event.cycle = record.written_back;
  event.number = counted.sequence;
  event.value = iteration_.records.size();
  add(Kind::retired, event);
  iteration_.records.push_back(counted);
}

void Recorder::left_decode(const InFlight& entry) {
  observe::Event event;
  event.cycle = entry.record.written_back;
  event.number = entry.record.sequence - sequence_;
  add(Kind::left_decode, event);
}

}  // namespace tokencycle::machine
