// SPDX-License-Identifier: Apache-2.0
// Shares of operators and of kinds of instructions: do they sum to the step, and are they those of the
// definition?
#include "observe/analysis/operator_cycles.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>

using namespace tokencycle;
using namespace tokencycle::observe;

namespace {

constexpr std::uint32_t kWordsEach = 3;
constexpr std::uint64_t kStart = 50;

// `operators` operators of kWordsEach words each, and a last word that belongs to none.
isa::Program program_of(std::uint32_t operators) {
  isa::Program program;
  program.words.resize(operators * kWordsEach + 1);
  for (std::uint32_t i = 0; i < operators; ++i) {
    program.operators.push_back({"op", -1});
    program.sections.push_back({i * kWordsEach, kWordsEach, i});
  }
  return program;
}

constexpr std::array kKinds = {isa::Opcode::load, isa::Opcode::multiply, isa::Opcode::add};

InstructionRecord retired(std::uint32_t pc, std::uint64_t started, std::uint64_t cycle) {
  InstructionRecord r;
  r.pc = pc;
  r.op = kKinds[pc % kWordsEach];
  r.unit = isa::unit_of(r.op);
  r.started = Cycle(started);
  r.written_back = Cycle(cycle);
  return r;
}

std::uint64_t sum_of(const Stack& stack) {
  return std::accumulate(stack.begin(), stack.end(), std::uint64_t{0});
}

// A stream of retirements and states, with the cause of every cycle written down.
struct Stream {
  std::vector<InstructionRecord> records;
  std::vector<Event> events;
  std::uint64_t end = 0;
};

Stream random_stream(std::uint32_t operators, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Stream stream;
  std::uint64_t now = kStart;
  constexpr std::array kUnits = {UnitId::matrix, UnitId::vector, UnitId::decode};
  for (std::uint32_t n = 0; n < operators * 12; ++n) {
    now += below(6);
    // Mostly in program order, and some ahead.
    const std::uint32_t at = std::min(operators - 1, n / 12 + (below(4) == 0 ? below(5) : 0));
    const std::uint32_t pc = (below(15) == 0 ? operators : at) * kWordsEach;  // sometimes of no operator
    stream.records.push_back(
        retired(pc + (pc / kWordsEach < operators ? below(kWordsEach) : 0), now - below(9), now));
    stream.events.push_back({Cycle(now), 0, below(6), 0, EventKind::unit_state, kUnits[below(3)],
                             static_cast<std::uint8_t>(below(kStates)), 0});
  }
  stream.end = now + 1 + below(4);
  return stream;
}

// Each cycle's cause, from kStart on.
std::vector<Cause> causes_of(const Stream& stream) {
  std::vector<Cause> causes;
  CycleStack stack{Cycle(kStart)};
  std::size_t next = 0;
  for (std::uint64_t c = kStart; c < stream.end; ++c) {
    for (; next < stream.events.size() && stream.events[next].cycle.value <= c; ++next) {
      stack.on_event(stream.events[next]);
    }
    causes.push_back(*largest(stack.take(Cycle(c + 1))));
  }
  return causes;
}

// By the definition, when all is known: the frontier before an operator is the last retirement of all earlier
// ones; a share lasts from the operator's retirement before it, but not from before the frontier.
std::vector<OperatorUse> uses_by_definition(const Stream& stream, std::uint32_t operators) {
  const std::vector<Cause> causes = causes_of(stream);
  std::vector<OperatorUse> uses(operators);
  std::uint64_t frontier = kStart;
  const auto add = [&](OperatorUse& use, isa::Opcode op, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t c = from; c < to; ++c) {
      const auto cause = static_cast<std::size_t>(causes[c - kStart]);
      ++use.cycles;
      ++use.stack[cause];
      ++use.kind(op).cycles;
      ++use.kind(op).stack[cause];
    }
  };
  for (std::uint32_t id = 0; id < operators; ++id) {
    std::uint64_t before = frontier;
    for (const InstructionRecord& r : stream.records) {
      if (r.pc / kWordsEach != id) continue;
      ++uses[id].instructions;
      ++uses[id].kind(r.op).count;
      add(uses[id], r.op, std::min(before, r.written_back.value), r.written_back.value);
      before = std::max(before, r.written_back.value);
    }
    frontier = before;
  }
  add(uses.back(), isa::Opcode::halt, frontier, stream.end);
  return uses;
}

std::vector<OperatorUse> uses_of(const Stream& stream, const isa::Program& program, CycleStack& stack,
                                 OperatorCycles& cycles) {
  cycles.begin(program, Cycle(kStart));
  for (std::size_t i = 0; i < stream.records.size(); ++i) {
    cycles.on_retired(stream.records[i]);
    stack.on_event(stream.events[i]);
  }
  return cycles.take(Cycle(stream.end));
}

}  // namespace

TEST_CASE("shares of operators and kinds, gathered as instructions retire, are those of the definition") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const std::uint32_t operators = 1 + seed % 9;
    CAPTURE(seed, operators);
    const Stream stream = random_stream(operators, seed);
    CycleStack stack{Cycle(kStart)};
    OperatorCycles cycles(&stack);
    const auto uses = uses_of(stream, program_of(operators), stack, cycles);
    const auto expected = uses_by_definition(stream, operators);
    REQUIRE(uses.size() == expected.size());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      sum += uses[i].cycles;
      CHECK(uses[i].cycles == expected[i].cycles);
      CHECK(uses[i].instructions == expected[i].instructions);
      CHECK(uses[i].stack == expected[i].stack);
      CHECK(sum_of(uses[i].stack) == uses[i].cycles);
      REQUIRE(uses[i].kinds.size() == expected[i].kinds.size());
      for (std::size_t k = 0; k < uses[i].kinds.size(); ++k) {
        CHECK(uses[i].kinds[k].op == expected[i].kinds[k].op);
        CHECK(uses[i].kinds[k].count == expected[i].kinds[k].count);
        CHECK(uses[i].kinds[k].cycles == expected[i].kinds[k].cycles);
        CHECK(uses[i].kinds[k].stack == expected[i].kinds[k].stack);
      }
    }
    CHECK(sum == stream.end - kStart);
  }
}

TEST_CASE("what a later operator had gathered is void when an earlier one retires an instruction") {
  const isa::Program program = program_of(3);
  CycleStack stack{Cycle(100)};
  OperatorCycles cycles(&stack);
  cycles.begin(program, Cycle(100));
  cycles.on_retired(retired(3, 100, 110));  // a load of the second operator, moved ahead
  REQUIRE(cycles.last_share());
  CHECK(cycles.last_share()->operator_id == 1);
  CHECK(cycles.last_share()->cycles == 10);
  cycles.on_retired(retired(1, 105, 125));  // the first one's multiply: all 25 cycles are its own
  CHECK(cycles.last_share()->cycles == 25);
  cycles.on_retired(retired(9, 125, 126));  // of no operator
  CHECK_FALSE(cycles.last_share());
  cycles.on_retired(retired(4, 112, 130));
  CHECK(cycles.last_share()->cycles == 5);
  cycles.on_retired(retired(8, 128, 130));  // in the same cycle nothing is left
  CHECK(cycles.last_share()->cycles == 0);
  const auto uses = cycles.take(Cycle(133));
  CHECK(cycles.rest().cycles == 3);
  CHECK(uses[0].cycles == 25);
  CHECK(uses[1].cycles == 5);
  CHECK(uses[2].cycles == 3);
  REQUIRE(uses[1].kinds.size() == 2);  // the load is counted, without cycles
  CHECK(uses[1].kinds[0].op == isa::Opcode::load);
  CHECK(uses[1].kinds[0].count == 1);
  CHECK(uses[1].kinds[0].cycles == 0);
  CHECK(uses[2].kinds.front().op == isa::Opcode::halt);
  CHECK(uses[2].kinds.front().cycles == 3);
  CHECK(uses[1].span_cycles == 30);  // the load that was moved ahead counts: 100 .. 130
  CHECK(uses[2].span_cycles == 2);
}

TEST_CASE("an operator's work is that of its instructions, unit by unit") {
  const isa::Program program = program_of(2);
  OperatorCycles cycles;
  cycles.begin(program, Cycle(1));
  const auto retire = [&](isa::Unit unit, std::uint64_t work, std::uint64_t cells, std::uint64_t bytes) {
    InstructionRecord r = retired(0, 5, 10);
    r.unit = unit;
    r.work = work;
    r.cell_cycles = cells;
    r.scratchpad_bytes = bytes;
    cycles.on_retired(r);
  };
  retire(isa::Unit::load, 128, 0, 100);
  retire(isa::Unit::load, 64, 0, 10);
  retire(isa::Unit::store, 32, 0, 1);
  retire(isa::Unit::matrix, 1000, 4000, 7);
  retire(isa::Unit::vector, 40, 0, 0);
  retire(isa::Unit::front_end, 0, 0, 0);
  const OperatorWork work = cycles.take(Cycle(11))[0].work;
  CHECK(work.loaded_bytes == 192);
  CHECK(work.stored_bytes == 32);
  CHECK(work.multiply_accumulates == 1000);
  CHECK(work.cell_cycles == 4000);
  CHECK(work.vector_elements == 40);
  CHECK(work.scratchpad_bytes == 118);
}

TEST_CASE("a span lasts until stored bytes can have gone over the data buses") {
  const isa::Program program = program_of(1);
  const auto span_of = [&](double peak, std::uint64_t bytes) {
    OperatorCycles cycles(nullptr, peak);
    cycles.begin(program, Cycle(1));
    InstructionRecord load = retired(0, 10, 20), store = retired(1, 15, 30);
    load.work = 4000;  // its bytes have come when it retires
    store.unit = isa::Unit::store;
    store.work = bytes;
    cycles.on_retired(load);
    cycles.on_retired(store);
    return cycles.take(Cycle(31))[0].span_cycles;
  };
  CHECK(span_of(0, 1'000'000) == 20);
  CHECK(span_of(64, 64) == 20);
  CHECK(span_of(64, 64 * 15) == 20);
  CHECK(span_of(64, 64 * 15 + 1) == 21);
  CHECK(span_of(64, 64 * 100) == 105);
}
