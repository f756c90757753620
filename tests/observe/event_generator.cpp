// SPDX-License-Identifier: Apache-2.0
#include "observe/event_generator.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace tokencycle::test {

using observe::Event;
using observe::EventKind;
using observe::InstructionRecord;
using observe::Stage;
using observe::State;
using observe::UnitId;

namespace {

constexpr std::uint64_t kInFlight = 16;

// Within a cycle: memory, writeback, units, dispatch, decode.
enum Turn : int { kMemory = 0, kWriteback, kUnits, kDispatch };

class Generator {
 public:
  Generator(const GeneratedRun& run, observe::TraceWriter& writer, GeneratedTruth* truth,
            const std::function<void()>& after)
      : run_(run), writer_(writer), truth_(truth), after_(after), random_(run.seed) {}

  Cycle run() {
    for (const UnitId unit : {UnitId::fetch, UnitId::decode, UnitId::dispatch, UnitId::load, UnitId::store,
                              UnitId::matrix, UnitId::vector, UnitId::writeback}) {
      emit(state(1, unit, unit == UnitId::decode ? State::fetch_wait : State::idle));
    }
    std::uint64_t free = 3;  // the first cycle in which decode may take a word
    for (std::uint64_t i = 0; i < run_.instructions; ++i) free = instruction(i, free) + 1;
    drain(~std::uint64_t{0});
    return Cycle(std::max(free, last_ + 1));
  }

 private:
  struct Planned {
    Event event;
    bool retires = false;
    InstructionRecord record;
  };
  struct InFlight {
    InstructionRecord record;
    std::size_t unit = 0;
  };

  std::uint64_t pick(std::uint64_t least, std::uint64_t most) {
    return least + random_() % (most - least + 1);
  }
  static Event state(std::uint64_t cycle, UnitId unit, State s, std::uint64_t value = 0) {
    return {Cycle(cycle), 0, value, 0, EventKind::unit_state, unit, static_cast<std::uint8_t>(s), 0};
  }
  static Event stage(const InstructionRecord& r, Cycle cycle, Stage s, UnitId unit, std::uint64_t value = 0) {
    return {cycle, r.sequence, value, r.pc, EventKind::instruction, unit, static_cast<std::uint8_t>(s), 0};
  }
  void plan(Turn turn, const Planned& planned) {
    planned_.emplace(planned.event.cycle.value * 8 + static_cast<std::uint64_t>(turn), planned);
  }
  void emit(const Event& event) {
    last_ = event.cycle.value;
    writer_.on_event(event);
    if (truth_ != nullptr) truth_->events.push_back(event);
    if (after_) after_();
  }
  void retired(const InstructionRecord& record) {
    writer_.on_retired(record);
    if (truth_ != nullptr) truth_->records[record.sequence] = record;
  }
  // Everything before decode's turn in `cycle`.
  void drain(std::uint64_t cycle) {
    while (!planned_.empty() && planned_.begin()->first / 8 <= cycle) {
      const Planned next = planned_.begin()->second;
      planned_.erase(planned_.begin());
      emit(next.event);
      if (next.retires) retired(next.record);
    }
  }

  // Returns the cycle in which it leaves decode.
  std::uint64_t instruction(std::uint64_t sequence, std::uint64_t free) {
    InstructionRecord r;
    r.sequence = sequence;
    r.pc = static_cast<std::uint32_t>(sequence % run_.words);
    r.unit = pick(0, 9) == 0 ? isa::Unit::front_end : static_cast<isa::Unit>(pick(1, 4));
    r.op = r.unit == isa::Unit::front_end ? isa::Opcode::nop : isa::Opcode::copy;
    if (sequence < run_.words) fetched_.push_back(std::max(last_fetch_, free - 1 - pick(0, free - 2) % 40));
    last_fetch_ = fetched_[r.pc];
    r.fetched = Cycle(last_fetch_);
    r.decoded = Cycle(free + (pick(0, 4) == 0 ? pick(0, 30) : 0));
    drain(r.decoded.value);
    emit(stage(r, r.decoded, Stage::decoded, UnitId::decode, r.fetched.value));
    const std::uint64_t leaves = wait(r);
    if (r.unit == isa::Unit::front_end) {
      r.dispatched = r.started = r.finished = r.written_back = Cycle(leaves);
      emit(stage(r, r.written_back, Stage::written_back, UnitId::decode));
      retired(r);
    } else {
      execute(r, leaves);
    }
    if (decode_ != State::busy) emit(state(leaves, UnitId::decode, decode_ = State::busy));
    return leaves;
  }

  // The cycle in which nothing is in the way any more.
  std::uint64_t wait(const InstructionRecord& r) {
    std::erase_if(flight_, [&](const InFlight& f) { return f.record.written_back <= r.decoded; });
    if (flight_.empty() || (flight_.size() < kInFlight && pick(0, 2) != 0)) return r.decoded.value;
    const bool full = flight_.size() >= kInFlight;
    const InFlight& f = full ? *std::min_element(flight_.begin(), flight_.end(),
                                                 [](const InFlight& a, const InFlight& b) {
                                                   return a.record.written_back < b.record.written_back;
                                                 })
                             : flight_[pick(0, flight_.size() - 1)];
    static constexpr std::array kHazards = {State::read_after_write, State::write_after_read,
                                            State::write_after_write};
    const State why = full                             ? State::scoreboard_full
                      : r.unit == isa::Unit::front_end ? State::fence
                                                       : kHazards[pick(0, 2)];
    decode_ = why;
    emit(state(r.decoded.value, UnitId::decode, why, 1 + f.unit));
    const std::uint64_t until = f.record.written_back.value;
    if (!full && truth_ != nullptr) truth_->dependencies.push_back({r.sequence, f.record.sequence, why});
    drain(until);
    return until;
  }

  // One instruction of a unit retires a cycle, and they execute in order.
  void execute(InstructionRecord r, std::uint64_t leaves) {
    const auto unit = static_cast<std::size_t>(r.unit);
    const UnitId id = observe::unit_id(r.unit);
    r.dispatched = Cycle(leaves + 1);
    r.started = std::max(Cycle(leaves + 2), unit_free_[unit]);
    r.finished = r.started + pick(1, 60);
    unit_free_[unit] = r.finished;
    r.written_back = std::max(r.finished + 1, unit_retired_[unit] + 1);
    unit_retired_[unit] = r.written_back;
    plan(kDispatch, {stage(r, r.dispatched, Stage::dispatched, id), false, {}});
    plan(kUnits, {stage(r, r.finished, Stage::finished, id), false, {}});
    plan(kUnits, {stage(r, r.started, Stage::started, id), false, {}});
    if (pick(0, 3) == 0) {
      plan(kUnits, {state(r.started.value, id, State::scratchpad_conflict), false, {}});
      plan(kUnits, {state(r.finished.value, id, State::idle), false, {}});
    }
    plan(kWriteback, {stage(r, r.written_back, Stage::written_back, id), true, r});
    if (run_.bursts && id == UnitId::load) burst(r);
    flight_.push_back({r, unit});
  }

  void burst(const InstructionRecord& r) {
    const UnitId channel = observe::channel_id(static_cast<std::uint32_t>(pick(0, 1)));
    constexpr std::uint8_t kLoad = 2 * 2;  // a read of the load engine
    const auto event = [&](Cycle cycle, EventKind kind) {
      return Planned{{cycle, 64 * r.sequence, 64, 0, kind, channel, kLoad, 0}, false, {}};
    };
    plan(kMemory, event(r.started, EventKind::burst_issued));
    plan(kMemory, event(r.finished, EventKind::burst_done));
  }

  const GeneratedRun run_;
  observe::TraceWriter& writer_;
  GeneratedTruth* truth_;
  const std::function<void()>& after_;
  std::mt19937_64 random_;
  std::multimap<std::uint64_t, Planned> planned_;  // by cycle and turn
  std::vector<InFlight> flight_;
  std::vector<std::uint64_t> fetched_;  // by word
  std::array<Cycle, isa::kUnits> unit_free_{}, unit_retired_{};
  State decode_ = State::fetch_wait;
  std::uint64_t last_ = 1, last_fetch_ = 1;
};

}  // namespace

isa::Program generated_program(std::uint32_t words) {
  isa::Program program;
  isa::Instruction nop;
  program.words.assign(words, isa::encode(nop));
  program.operators = {{"first", 0}, {"second", 1}};
  program.sections = {{0, words / 2, 0}, {words / 2, words - words / 2, 1}};
  return program;
}

config::Machine generated_machine() {
  config::Machine machine;
  machine.dram.channels = 2;
  machine.dram.burst_bytes = 64;
  machine.fetch.buffer_words = 64;
  return machine;
}

Cycle generate(const GeneratedRun& run, const isa::Program& program, observe::TraceWriter& writer,
               GeneratedTruth* truth, const std::function<void()>& after) {
  if (truth != nullptr) truth->records.resize(run.instructions);
  writer.begin_step({&program, Cycle(1), 0, 1, "program"});
  Generator generator(run, writer, truth, after);
  const Cycle end = generator.run();
  writer.end_step(end);
  if (truth != nullptr) truth->end = end;
  return end;
}

}  // namespace tokencycle::test
