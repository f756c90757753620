// SPDX-License-Identifier: Apache-2.0
#include "observe/synthetic_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace tokencycle::test {

namespace {

// The order of a cycle (sim/machine/kernel/README.md).
enum Turn : int { memory, writeback, units, dispatch, decode };

}  // namespace

isa::Program synthetic_program(std::uint32_t words) {
  std::string text;
  for (std::uint32_t i = 0; i < words / 4; ++i) {
    const std::uint32_t a = 0x400 + i * 0x200, b = a + 0x100;
    text += fmt::format(
        "load dst=s:{0} dst_stride=64 dram=0x1000 dram_stride=64 rows=1 cols=64\n"
        "load dst=s:{1} dst_stride=64 dram=0x2000 dram_stride=64 rows=1 cols=64\n"
        "multiply a=s:{0} a_stride=64 a_format=f32 dst=a:0 dst_stride=16 rows=1 cols=4 depth=16 open close\n"
        "copy dst=s:0 dst_stride=64 a=s:{1} a_stride=64 rows=1 cols=16\n",
        a, b);
  }
  isa::Program program = isa::assemble(text + "halt\n", "synthetic");
  program.operators = {{"embedding", -1}, {"blk.0.attn", 0}, {"blk.0.mlp", 0}, {"blk.1.attn", 1}};
  const std::uint32_t part = words / 4;
  for (std::uint32_t i = 0; i < 4; ++i) program.sections.push_back({i * part, part + (i == 3), i});
  return program;
}

void SyntheticRun::add_state(std::uint64_t cycle, int turn, UnitId unit, State state, std::uint64_t value) {
  add(cycle, turn, {{}, 0, value, 0, EventKind::unit_state, unit, static_cast<std::uint8_t>(state), 0});
}

void SyntheticRun::add_stage(int turn, const InstructionRecord& record, UnitId unit, Cycle cycle,
                             Stage stage) {
  const std::uint64_t value = stage == Stage::decoded ? record.fetched.value : 0;
  add(cycle.value, turn,
      {{},
       record.sequence,
       value,
       record.pc,
       EventKind::instruction,
       unit,
       static_cast<std::uint8_t>(stage),
       0});
}

void SyntheticRun::begin_step(std::uint64_t start) {
  items_.clear();
  retirements_.clear();
  std::fill(std::begin(free_), std::end(free_), start);
  loads_retired_ = {start, start};
  last_load_started_ = load_busy_until_ = start;
  for (std::uint8_t u = 0; u < kFirstChannel; ++u) {
    add_state(start, memory, static_cast<UnitId>(u), u == 1 ? State::fetch_wait : State::idle);
  }
}

// Gives it its cycles from `leaves` on; its retirement has a cycle of its own.
std::uint64_t SyntheticRun::execute(InstructionRecord& r, std::uint64_t leaves) {
  const bool is_load = r.unit == isa::Unit::load;
  std::uint64_t& earliest = is_load ? last_load_started_ : free_[static_cast<std::size_t>(r.unit)];
  const std::uint64_t start = std::max(leaves + 2, earliest + (is_load ? 1 : 0));
  const std::uint64_t finish = start + 1 + below(40);
  earliest = is_load ? start : finish;
  std::uint64_t retires = finish + 1;
  auto at = std::lower_bound(retirements_.begin(), retirements_.end(), retires);
  for (; at != retirements_.end() && *at == retires; ++at) ++retires;
  retirements_.insert(at, retires);
  r.dispatched = Cycle(leaves + 1);
  r.started = Cycle(start);
  r.finished = Cycle(finish);
  r.written_back = Cycle(retires);

  const UnitId unit = unit_id(r.unit);
  if (is_load) {
    if (start > load_busy_until_) {
      add_state(load_busy_until_, units, unit, State::idle);
      add_state(start, units, unit, State::busy);
    }
    load_busy_until_ = std::max(load_busy_until_, finish);
  } else {
    add_state(start, units, unit, State::busy);
    add_state(finish, units, unit, State::idle);
  }
  return retires;
}

void SyntheticRun::add_bursts(const InstructionRecord& r) {
  const std::uint64_t done = r.finished.value - 1;
  const UnitId channel = channel_id(static_cast<std::uint32_t>(r.sequence % 2));
  add(done, memory, {{}, r.sequence * 64, 64, 0, EventKind::burst_done, channel, 2, 0});
  add_state(done, memory, channel, r.sequence % 4 < 2 ? State::busy : State::idle);
}

void SyntheticRun::add_halt(const InstructionRecord& halt) {
  add_state(load_busy_until_, units, UnitId::load, State::idle);
  add_stage(decode, halt, UnitId::decode, halt.decoded, Stage::decoded);
  add_stage(decode, halt, UnitId::decode, halt.written_back, Stage::written_back);
  items_.back().retired = true;
  items_.back().record = halt;
  for (std::uint8_t u = 0; u < kFirstChannel; ++u) {
    add_state(halt.written_back.value, decode, static_cast<UnitId>(u), State::halted);
  }
}

Cycle SyntheticRun::step(EventHub& hub, std::uint32_t instructions, Cycle stop_at) {
  begin_step(now_);
  std::uint64_t t = now_ + 3, last = t;
  for (std::uint32_t i = 0; i < instructions; ++i, ++sequence_) {
    const auto pc = static_cast<std::uint32_t>(i % (program_.words.size() - 1));
    const isa::Opcode op = isa::opcode_of(program_.words[pc]);
    InstructionRecord r{sequence_, pc, op, isa::unit_of(op), Cycle(t - 2), Cycle(t), {}, {}, {}, {}};
    add_stage(decode, r, UnitId::decode, r.decoded, Stage::decoded);
    std::uint64_t leaves = t;
    if (r.unit != isa::Unit::load) ++flows_;
    if (r.unit != isa::Unit::load && loads_retired_[pc % 2] > t) {
      leaves = loads_retired_[pc % 2];
      add_state(t, decode, UnitId::decode, State::read_after_write,
                1 + static_cast<std::uint64_t>(isa::Unit::load));
    }
    add_state(leaves, decode, UnitId::decode, State::busy);
    last = std::max(last, execute(r, leaves));
    if (r.unit == isa::Unit::load) {
      loads_retired_[pc % 2] = r.written_back.value;
      add_bursts(r);
    }
    const UnitId unit = unit_id(r.unit);
    add_stage(dispatch, r, unit, r.dispatched, Stage::dispatched);
    add_stage(units, r, unit, r.started, Stage::started);
    add_stage(units, r, unit, r.finished, Stage::finished);
    add_stage(writeback, r, unit, r.written_back, Stage::written_back);
    items_.back().retired = true;
    items_.back().record = r;
    ++executed_;
    t = leaves + 1 + below(12);
  }
  const Cycle decoded(t), halted(std::max(last, t));
  add_halt({sequence_++, static_cast<std::uint32_t>(program_.words.size()) - 1, isa::Opcode::halt,
            isa::Unit::front_end, decoded, decoded, halted, halted, halted, halted});
  std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return std::pair(a.event.cycle, a.turn) < std::pair(b.event.cycle, b.turn);
  });
  for (const Item& item : items_) {
    if (item.event.cycle >= stop_at) break;
    hub.emit(item.event);
    if (item.retired) hub.retired(item.record);
  }
  now_ = halted.value + 1;
  return Cycle(now_);
}

}  // namespace tokencycle::test
