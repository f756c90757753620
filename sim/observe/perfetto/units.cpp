// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tokencycle::observe {

namespace {

constexpr std::size_t kNameBytes = 32;  // no state, unit or opcode has a longer name

bool is_shown(State state) {
  return state != State::idle && state != State::halted;
}

}  // namespace

PerfettoUnits::PerfettoUnits(PerfettoFile& file, PerfettoNames& names, std::uint32_t root, std::uint32_t rank,
                             const UnitList& list)
    : file_(file), names_(names), list_(list), lanes_(list.size()) {
  const std::size_t count = list_.size();
  units_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = name_of(list_[i]);
    units_.push_back({PerfettoTrack(file, {name, root, rank++}),
                      i < list_.of_core() ? State::halted : State::idle, 0, Cycle()});
  }
  states_bound_ = count * PerfettoTrack::slice_bound(1, 2 * kNameBytes);
}

void PerfettoUnits::begin_step(const TraceStep& step) {
  program_ = step.program;
  flows_.begin_step(*program_);
  operator_names_.clear();
  std::size_t longest = 0;
  for (const isa::OperatorName& o : program_->operators) {
    operator_names_.push_back(names_.of(o.name));
    longest = std::max(longest, o.name.size());
  }
  operator_of_.assign(program_->words.size(), 0);
  for (const isa::Section& s : program_->sections) {
    std::fill_n(operator_of_.begin() + s.first, s.count, s.operator_id + 1);
  }
  instruction_bound_ =
      PerfettoTrack::slice_bound(3, kNameBytes + longest, kFlows) + PerfettoTrack::kTrackBound + kNameBytes;
}

void PerfettoUnits::on_event(const Event& event, const WindowGate& gate) {
  if (event.kind == EventKind::unit_state) {
    on_state(event, gate);
  } else {
    on_stage(event);
  }
}

void PerfettoUnits::on_state(const Event& event, const WindowGate& gate) {
  UnitTrack& unit = units_[list_.index(event.unit)];
  write_state(unit, event.cycle, gate);
  unit.state = static_cast<State>(event.detail);
  unit.waits_for = event.value;
  unit.since = event.cycle;
}

void PerfettoUnits::write_state(UnitTrack& unit, Cycle now, const WindowGate& gate) {
  const Cycle begin = std::max(unit.since, gate.begin()), end = std::min(now, gate.end());
  if (begin >= end || !is_shown(unit.state)) return;
  if (unit.waits_for == 0) {
    unit.track.slice(begin, end, perfetto_name(unit.state));
    return;
  }
  const std::array annotations = {PerfettoAnnotation{
      PerfettoKey::waits_for, 0, perfetto_name(static_cast<isa::Unit>(unit.waits_for - 1))}};
  unit.track.slice(begin, end, perfetto_name(unit.state), annotations);
}

void PerfettoUnits::on_stage(const Event& event) {
  switch (static_cast<Stage>(event.detail)) {
    case Stage::dispatched:
      in_flight_.push_back({event.number, event.pc, opcode_at(event.pc), event.unit, {}});
      break;
    case Stage::started:
      if (Running* r = find(event.number); r != nullptr) {
        r->started = event.cycle;
        r->lane = take_lane(event.unit);
      }
      break;
    case Stage::finished:
      if (Running* r = find(event.number); r != nullptr) {
        r->finished = event.cycle;
        lanes_[list_.index(r->unit)][r->lane].used = false;
      }
      break;
    case Stage::decoded:
      flows_.on_decoded(event.number, event.pc);
      break;
    case Stage::written_back:
      if (event.unit == UnitId::decode) flows_.on_word(event.pc, static_cast<std::uint32_t>(event.value));
      break;
  }
}

// Bits 0 to 7 of a word (sim/isa/fields.cpp), which decode has checked.
isa::Opcode PerfettoUnits::opcode_at(std::uint32_t pc) const {
  return pc < program_->words.size() ? isa::opcode_of(program_->words[pc]) : isa::Opcode::nop;
}

PerfettoUnits::Running* PerfettoUnits::find(std::uint64_t sequence) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                  [&](const Running& r) { return r.sequence == sequence; });
  return found == in_flight_.end() ? nullptr : &*found;
}

std::size_t PerfettoUnits::take_lane(UnitId unit) {
  std::vector<Lane>& lanes = lanes_[list_.index(unit)];
  const auto free = std::find_if(lanes.begin(), lanes.end(), [](const Lane& l) { return !l.used; });
  const auto lane = static_cast<std::size_t>(free - lanes.begin());
  if (free == lanes.end()) lanes.emplace_back();
  lanes[lane].used = true;
  return lane;
}

void PerfettoUnits::on_retired(const InstructionRecord& record, const WindowGate& gate) {
  Running* const r = find(record.sequence);
  if (r == nullptr) return;  // the front end's
  write_instruction(*r, record.finished, gate);
  if (r != &in_flight_.back()) *r = in_flight_.back();
  in_flight_.pop_back();
}

// A load retires before those who read it leave decode, so its arrow's beginning is in the file first.
void PerfettoUnits::write_instruction(const Running& running, Cycle now, const WindowGate& gate) {
  const std::vector<std::uint64_t>& flows = flows_.take(running.sequence);
  const Cycle end = std::min(running.finished, now);
  const bool started = running.lane != kNoLane && running.started < end;
  if (!started || running.started >= gate.end() || gate.begin() >= end || !gate.has_word(running.pc)) return;
  const bool is_load = kind_of(running.unit) == UnitId::load;
  if (is_load) flows_.on_written(running.sequence);

  const auto unit = list_.index(running.unit);
  Lane& lane = lanes_[unit][running.lane];
  if (!lane.track) {
    const std::string name = name_of(running.unit) + ".instructions";
    lane.track.emplace(
        file_, PerfettoTrackOptions{name, units_[unit].track.id(), static_cast<std::uint32_t>(running.lane)});
  }
  const std::uint32_t id = running.pc < operator_of_.size() ? operator_of_[running.pc] : 0;
  const std::array annotations = {
      PerfettoAnnotation{PerfettoKey::pc, running.pc, {}},
      PerfettoAnnotation{PerfettoKey::sequence, running.sequence, {}},
      PerfettoAnnotation{PerfettoKey::operator_name, 0, id == 0 ? PerfettoName() : operator_names_[id - 1]},
  };
  lane.track->slice(running.started, end, perfetto_name(running.op),
                    std::span(annotations).first(id == 0 ? 2 : 3),
                    {is_load ? LoadFlows::flow_of(running.sequence) : 0,
                     std::span(flows).first(std::min(flows.size(), kFlows))});
}

void PerfettoUnits::settle(Cycle now, const WindowGate& gate) {
  for (UnitTrack& u : units_) {
    write_state(u, now, gate);
    u.since = now;
  }
}

// Instructions on their way end at `now`. Those of one unit started in the order of their sequence numbers.
void PerfettoUnits::finish(Cycle now, const WindowGate& gate) {
  settle(now, gate);
  std::sort(in_flight_.begin(), in_flight_.end(),
            [](const Running& a, const Running& b) { return a.sequence < b.sequence; });
  for (const Running& r : in_flight_) write_instruction(r, now, gate);
  in_flight_.clear();
}

}  // namespace tokencycle::observe
