// SPDX-License-Identifier: Apache-2.0
#include "machine/fast_forward/fast_forward.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tokencycle::machine {

using Kind = Happening::Kind;

namespace {

// Stages that an instruction has yet to reach have the cycle in which it left decode.
bool has_started(const observe::InstructionRecord& record) {
  return record.started > record.written_back;
}

bool has_sums(const InFlight& entry) {
  return entry.instruction.op != isa::Opcode::preload;
}

}  // namespace

FastForward::FastForward(const config::Machine& machine, const Parts& parts, std::vector<std::size_t> turns)
    : parts_(parts),
      turns_(std::move(turns)),
      walk_(machine),
      known_(std::bit_ceil(machine.scoreboard.entries + Walk::kMostSteps)) {}

bool FastForward::serves(const config::Machine& machine) {
  return machine.cores == 1 && machine.matrix.units == 1;
}

void FastForward::start(std::uint32_t words) {
  stop_recording();
  if (!walk_.start(words)) memo_.clear();
}

void FastForward::after_edge(Cycle now) {
  if (recording_ && recorder_.foreign()) stop_recording();
  if (!parts_.decode.take_looped()) return;
  if (pause_ > 0) {
    --pause_;
    return stop_recording();
  }
  if (!at_rest(now)) return stop_recording();
  const std::uint32_t state = save(now);
  if (recording_) finish(now, state);
  take_known(now, state);
}

// Nothing is in flight but matrix instructions, nothing is on its way from or to DRAM, and no other unit has
// anything to do on its own.
bool FastForward::at_rest(Cycle now) {
  const Scoreboard& board = parts_.decode.scoreboard();
  if (!parts_.fetch.at_rest() || parts_.clock.quiet_until() <= now + 1 || !parts_.clock.alone()) return false;
  for (const isa::Unit unit : {isa::Unit::load, isa::Unit::store, isa::Unit::vector}) {
    if (!board.empty(unit)) return false;
  }
  const std::span<Cycle> wakes = parts_.clock.wakes();
  for (std::size_t turn = 0; turn < wakes.size(); ++turn) {
    if (wakes[turn] != kNever && std::ranges::find(turns_, turn) == turns_.end()) return false;
  }
  return true;
}

void FastForward::order_in_flight() {
  order_.clear();
  for (const InFlight& entry : parts_.decode.scoreboard().entries()) {
    if (entry.used) order_.push_back(const_cast<InFlight*>(&entry));
  }
  std::ranges::sort(order_, {}, [](const InFlight* e) { return e->record.sequence; });
}

// What is in flight. Saved cycles count from now, so that an instruction's stages do too.
template <class Archive>
void FastForward::serialize(Archive& state, Cycle now) {
  for (InFlight* entry : order_) {
    observe::InstructionRecord& r = entry->record;
    state(r.decoded, r.dispatched, r.started, r.finished, r.written_back, r.work, r.cell_cycles,
          r.scratchpad_bytes, r.sums, r.type);
  }
  parts_.matrix.serialize_in_flight(state, now);
  parts_.dispatch.serialize_in_flight(state);
  parts_.writeback.serialize_in_flight(state);
  parts_.decode.serialize_in_flight(state);
  parts_.scratchpad.serialize_calendar(state, now);
  const std::span<Cycle> wakes = parts_.clock.wakes();
  for (const std::size_t turn : turns_) state(wakes[turn]);
}

std::uint32_t FastForward::save(Cycle now) {
  order_in_flight();
  sequence_ = parts_.decode.instructions();
  words_.clear();
  StateSaver saver(now, order_, words_);
  serialize(saver, now);
  name_in_flight();
  return memo_.number_of(words_);
}

// Which instructions are in flight, as far as it makes a difference: their numbers, also in the order of
// decoding (counted back from the next), and what the rest of their way depends on. At the end of the state's
// words, because load() finds it in at().
void FastForward::name_in_flight() {
  std::uint32_t sums_before = 0;
  bool first_sums = true;
  for (InFlight* entry : order_) {
    const observe::InstructionRecord& r = entry->record;
    const isa::Instruction& i = entry->instruction;
    at(r.sequence) = {{r.pc, r.fetched, i.dst, i.a, i.b}, entry, true};
    words_.insert(words_.end(), {walk_.number_of(r.pc, i), sequence_ - r.sequence});
    const bool reads = !has_started(r);
    words_.insert(words_.end(), {reads ? walk_.place_of(i.a) : 0, reads ? walk_.place_of(i.b) : 0});
    if (!has_sums(*entry)) continue;
    words_.push_back(std::exchange(first_sums, false) ? 0 : i.dst.byte() - sums_before);
    sums_before = i.dst.byte();
    walk_.set_last_sums(sums_before);
  }
  words_.push_back(order_.size());
}

void FastForward::load(Cycle now, const StateWords& words) {
  order_in_flight();
  for (InFlight* entry : order_) {
    Known& known = at(entry->record.sequence);
    fill(known);
    entry->record.fetched = known.step.fetched;
  }
  StateLoader loader(now, order_, words);
  serialize(loader, now);
}

// Iteration after iteration, as long as they are known and memory stays at rest. What is not known is
// recorded.
void FastForward::take_known(Cycle now, std::uint32_t state) {
  const Cycle before = now;
  ControlFlow flow = parts_.decode.flow();
  bool is_new = false;
  for (;;) {
    const std::uint32_t sums = walk_.last_sums();
    const bool walked = walk_.look_ahead(flow, parts_.fetch);
    const Iteration* known = walked ? memo_.find(state, walk_.signature()) : nullptr;
    is_new = walked && known == nullptr;
    if (known == nullptr || parts_.clock.quiet_until() <= now + known->cycles || !parts_.clock.alone()) {
      walk_.set_last_sums(sums);
      break;
    }
    take(now, *known);
    now = now + known->cycles;
    sequence_ += walk_.steps().size();
    flow = walk_.end();
    state = known->end_state;
    parts_.clock.skipped(now, known->edges);
  }
  if (now > before) {
    load(now, memo_.state(state));
    parts_.decode.continue_at(flow, sequence_);
    parts_.fetch.move_to(now, flow.pc(), flow.keep_from(parts_.fetch.capacity()));
    skipped_ += now.value - before.value;
    missed_ = 0;
  }
  if (!is_new) return;
  if (++missed_ > kPatience) pause_ = std::min(missed_, kLongestPause);
  record(now, state);
}

// The entry gets its instruction, if it does not have it yet.
void FastForward::fill(Known& known) const {
  if (!std::exchange(known.filled, true)) walk_.fill(known.step, *known.entry);
}

void FastForward::take(Cycle now, const Iteration& iteration) {
  const std::span<const WalkStep> steps = walk_.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) at(sequence_ + i) = {steps[i], nullptr, false};
  Scoreboard& board = parts_.decode.scoreboard();
  const bool values = parts_.matrix.has_values();
  for (const Happening& h : iteration.happenings) {
    observe::Event event = h.event;
    event.cycle = event.cycle + now.value;
    if (h.kind == Kind::state) {
      parts_.hub.emit(event);
      continue;
    }
    event.number += sequence_;
    Known& known = at(event.number);
    event.pc = known.step.pc;
    switch (h.kind) {
      case Kind::decoded:
        event.value = known.step.fetched.value;
        parts_.hub.emit(event);
        break;
      case Kind::started:
        parts_.hub.emit(event);
        board.left_queue(*known.entry);
        if (values) parts_.matrix.start_values(*known.entry);
        break;
      case Kind::finished:
        if (values && has_sums(*known.entry)) parts_.matrix.finish_values();
        parts_.hub.emit(event);
        break;
      case Kind::left_decode: {
        InFlight& entry = board.insert(isa::Unit::matrix);
        entry.record = {};
        entry.record.sequence = event.number;
        entry.record.pc = event.pc;
        entry.record.op = walk_.instruction(known.step).op;
        entry.record.unit = isa::Unit::matrix;
        entry.instruction.op = entry.record.op;
        known.entry = &entry;
        if (values) fill(known);
        break;
      }
      case Kind::retired: {
        observe::InstructionRecord record = iteration.records[h.event.value];
        record.sequence = event.number;
        record.pc = event.pc;
        record.fetched = known.step.fetched;
        record.move(now);
        parts_.hub.retired(record);
        if (known.entry != nullptr) board.remove(*known.entry);
        break;
      }
      default:
        parts_.hub.emit(event);
    }
  }
  parts_.scratchpad.add(memory::Port::stationary, iteration.stationary);
  parts_.scratchpad.add(memory::Port::moving, iteration.moving);
  parts_.matrix.add(iteration.work);
}

// From after the edge of `now` on, which the walk has looked ahead from.
void FastForward::record(Cycle now, std::uint32_t state) {
  if (memo_.full()) {
    StateWords words = memo_.state(state);
    memo_.clear();
    state = memo_.number_of(words);
  }
  from_ = state;
  signature_.assign(walk_.signature().begin(), walk_.signature().end());
  expected_ = walk_.end();
  began_ = now;
  first_ = parts_.decode.instructions();
  steps_ = walk_.steps().size();
  edges_ = parts_.clock.edges();
  stationary_ = parts_.scratchpad.counters(memory::Port::stationary);
  moving_ = parts_.scratchpad.counters(memory::Port::moving);
  work_ = parts_.matrix.work();
  recorder_.start(now, first_);
  parts_.hub.set_tap(&recorder_);
  parts_.decode.set_log(&recorder_);
  recording_ = true;
}

void FastForward::stop_recording() {
  if (!std::exchange(recording_, false)) return;
  parts_.hub.set_tap(nullptr);
  parts_.decode.set_log(nullptr);
}

// The iteration is over, and the machine is in `end_state`.
void FastForward::finish(Cycle now, std::uint32_t end_state) {
  stop_recording();
  if (parts_.decode.flow() != expected_ || parts_.decode.instructions() != first_ + steps_) return;
  Iteration& iteration = recorder_.iteration();
  iteration.cycles = now.value - began_.value;
  iteration.edges = parts_.clock.edges() - edges_;
  iteration.stationary = parts_.scratchpad.counters(memory::Port::stationary).since(stationary_);
  iteration.moving = parts_.scratchpad.counters(memory::Port::moving).since(moving_);
  const Matrix::Work work = parts_.matrix.work();
  iteration.work = {work.multiplications - work_.multiplications, work.decoded - work_.decoded};
  iteration.end_state = end_state;
  memo_.add(from_, signature_, std::move(iteration));
}

}  // namespace tokencycle::machine
