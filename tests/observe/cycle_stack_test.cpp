// SPDX-License-Identifier: Apache-2.0
// Cycle stacks, unit statistics, operators' cycles: does every cycle have exactly one cause?
#include "observe/analysis/cycle_stack.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <set>

#include "observe/analysis/operator_cycles.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/event_digest.h"

using namespace tokencycle;
using namespace tokencycle::observe;

namespace {

Event state_event(std::uint64_t cycle, UnitId unit, State state, std::uint64_t value = 0) {
  return {Cycle(cycle), 0, value, 0, EventKind::unit_state, unit, static_cast<std::uint8_t>(state), 0};
}

std::uint64_t waiting_for(isa::Unit unit) {
  return 1 + static_cast<std::uint64_t>(unit);
}

// The stack of ten cycles with the given states from the beginning.
Stack stack_of(const std::vector<Event>& events) {
  CycleStack stack(Cycle(100));
  for (const UnitId unit : {UnitId::decode, UnitId::matrix, UnitId::vector, UnitId::writeback}) {
    stack.on_event(state_event(100, unit, State::idle));
  }
  for (const Event& e : events) stack.on_event(e);
  return stack.take(Cycle(110));
}

Cause cause_of(const std::vector<Event>& events) {
  const Stack s = stack_of(events);
  for (int c = 0; c < kCauses; ++c) {
    if (s[static_cast<std::size_t>(c)] == 10) return static_cast<Cause>(c);
  }
  FAIL("the ten cycles have more than one cause");
  return Cause::dependency;
}

}  // namespace

TEST_CASE("the first rule that applies names a cycle's cause") {
  const UnitId decode = UnitId::decode, matrix = UnitId::matrix, vector = UnitId::vector;
  // From the last rule to the first: each next event makes an earlier rule apply, the ones before stay.
  std::vector<Event> events;
  const auto add = [&](const Event& e) {
    events.push_back(e);
    return cause_of(events);
  };
  CHECK(cause_of(events) == Cause::dependency);
  CHECK(add(state_event(100, decode, State::read_after_write, waiting_for(isa::Unit::matrix))) ==
        Cause::dependency);
  CHECK(add(state_event(100, UnitId::writeback, State::writeback_wait)) == Cause::writeback);
  CHECK(add(state_event(100, matrix, State::array_drain)) == Cause::drain);
  CHECK(add(state_event(100, decode, State::busy)) == Cause::front_end);
  CHECK(add(state_event(100, decode, State::fetch_wait)) == Cause::front_end);
  CHECK(add(state_event(100, decode, State::fence, waiting_for(isa::Unit::store))) == Cause::dram_latency);
  CHECK(add(state_event(100, channel_id(3), State::busy)) == Cause::dram_bandwidth);
  CHECK(add(state_event(100, channel_id(1), State::busy)) == Cause::dram_bandwidth);
  CHECK(add(state_event(100, channel_id(3), State::idle)) == Cause::dram_bandwidth);  // one is enough
  CHECK(add(state_event(100, channel_id(1), State::idle)) == Cause::dram_latency);
  CHECK(add(state_event(100, matrix, State::scratchpad_conflict)) == Cause::scratchpad);
  CHECK(add(state_event(100, matrix, State::format_decode)) == Cause::format_decode);
  CHECK(add(state_event(100, matrix, State::operand_wait)) == Cause::preload);
  CHECK(add(state_event(100, vector, State::scratchpad_conflict)) == Cause::preload);
  CHECK(add(state_event(100, matrix, State::idle)) == Cause::scratchpad);
  CHECK(add(state_event(100, vector, State::busy)) == Cause::vector);
  CHECK(add(state_event(100, matrix, State::busy)) == Cause::matrix);
}

TEST_CASE("the end of a program is drain, a queue that is full of transfers is the memory") {
  CHECK(cause_of({state_event(100, UnitId::decode, State::halted)}) == Cause::drain);
  for (const State s : {State::queue_full, State::scoreboard_full, State::read_after_write,
                        State::write_after_read, State::write_after_write, State::fence}) {
    CHECK(cause_of({state_event(100, UnitId::decode, s, waiting_for(isa::Unit::load))}) ==
          Cause::dram_latency);
    CHECK(cause_of({state_event(100, UnitId::decode, s, waiting_for(isa::Unit::vector))}) ==
          Cause::dependency);
  }
}

TEST_CASE("while decode waits for a transfer the memory's states name the cause, the most telling first") {
  const Event waits = state_event(100, UnitId::decode, State::read_after_write, waiting_for(isa::Unit::load));
  constexpr std::pair<State, Cause> kCauseOf[] = {{State::busy, Cause::dram_bandwidth},
                                                  {State::refresh, Cause::dram_refresh},
                                                  {State::row_conflict, Cause::dram_row_conflict},
                                                  {State::bus_turnaround, Cause::dram_turnaround},
                                                  {State::bank_busy, Cause::dram_bank_busy},
                                                  {State::burst_spacing, Cause::dram_bandwidth},
                                                  {State::idle, Cause::dram_latency}};
  for (const auto& [first, cause] : kCauseOf) {
    CHECK(cause_of({waits, state_event(100, channel_id(2), first)}) == cause);
    for (const auto& [second, other] : kCauseOf) {  // kDataStates decides between two channels
      const bool first_counts = std::find(kDataStates.begin(), kDataStates.end(), first) <
                                std::find(kDataStates.begin(), kDataStates.end(), second);
      CAPTURE(name_of(first), name_of(second));
      CHECK(cause_of({waits, state_event(100, channel_id(0), first),
                      state_event(100, channel_id(5), second)}) == (first_counts ? cause : other));
    }
    // While the engine's port is what limits, the memory is not the cause; an engine that is not waited for
    // changes nothing.
    CHECK(cause_of({waits, state_event(100, channel_id(2), first),
                    state_event(100, UnitId::load, State::port_wait)}) == Cause::dma_bandwidth);
    CHECK(cause_of({waits, state_event(100, channel_id(2), first),
                    state_event(100, UnitId::store, State::port_wait)}) == cause);
    // Whatever the memory does: nobody waits for it.
    CHECK(cause_of({state_event(100, channel_id(0), first)}) == Cause::dependency);
    CHECK(cause_of({state_event(100, UnitId::decode, State::fetch_wait),
                    state_event(100, channel_id(0), first)}) == Cause::front_end);
  }
}

TEST_CASE("the states that a data bus can be in are all different, and each has a place in the order") {
  const std::set<State> distinct(kDataStates.begin(), kDataStates.end());
  CHECK(distinct.size() == kDataStates.size());
  CHECK(kDataStates.front() == State::busy);
  CHECK(kDataStates.back() == State::idle);
}

TEST_CASE("a stack sums to its cycles, piece by piece, and events of one cycle cost none") {
  std::mt19937 random(4);
  CycleStack stack(Cycle(7));
  std::uint64_t now = 7, taken = 7;
  constexpr UnitId kUnits[] = {UnitId::decode, UnitId::matrix, UnitId::vector, UnitId::writeback,
                               UnitId::load,   channel_id(0),  channel_id(7)};
  for (int n = 0; n < 3000; ++n) {
    if (random() % 3 != 0) now += random() % 20;
    stack.on_event(state_event(now, kUnits[random() % std::size(kUnits)],
                               static_cast<State>(random() % kStates), random() % 6));
    if (random() % 50 != 0) continue;
    const Stack s = stack.take(Cycle(now));
    CHECK(std::accumulate(s.begin(), s.end(), std::uint64_t{0}) == now - taken);
    taken = now;
  }
}

TEST_CASE("the stack so far grows whatever was taken, and asking for it changes nothing") {
  CycleStack stack(Cycle(10));
  stack.on_event(state_event(10, UnitId::decode, State::idle));
  stack.on_event(state_event(12, UnitId::vector, State::busy));
  const auto at = [](const Stack& s, Cause cause) { return s[static_cast<std::size_t>(cause)]; };
  CHECK(at(stack.so_far(Cycle(20)), Cause::vector) == 8);
  CHECK(at(stack.so_far(Cycle(15)), Cause::vector) == 3);
  CHECK(at(stack.take(Cycle(20)), Cause::vector) == 8);
  CHECK(at(stack.so_far(Cycle(20)), Cause::vector) == 8);
  CHECK(at(stack.so_far(Cycle(21)), Cause::vector) == 9);
  CHECK(at(stack.take(Cycle(21)), Cause::vector) == 1);
  CHECK(at(stack.so_far(Cycle(21)), Cause::dependency) == 2);
}

TEST_CASE("the largest cause is the first of those with the most cycles") {
  Stack stack{};
  CHECK_FALSE(largest(stack));
  stack[static_cast<std::size_t>(Cause::drain)] = 5;
  stack[static_cast<std::size_t>(Cause::vector)] = 5;
  stack[static_cast<std::size_t>(Cause::matrix)] = 4;
  CHECK(largest(stack) == Cause::vector);
}

TEST_CASE("unit statistics count each state from its event to the next") {
  UnitStatistics statistics(2, Cycle(10));
  statistics.on_event(state_event(10, UnitId::matrix, State::idle));
  statistics.on_event(state_event(15, UnitId::matrix, State::busy));
  statistics.on_event(state_event(15, UnitId::matrix, State::array_drain));  // nothing between
  statistics.on_event(state_event(18, channel_id(1), State::busy));
  statistics.on_event(state_event(20, UnitId::matrix, State::busy));
  statistics.settle_all(Cycle(26));
  CHECK(statistics.cycles(UnitId::matrix, State::idle) == 5);
  CHECK(statistics.cycles(UnitId::matrix, State::array_drain) == 5);
  CHECK(statistics.cycles(UnitId::matrix, State::busy) == 6);
  CHECK(statistics.cycles(UnitId::vector, State::halted) == 16);
  CHECK(statistics.cycles(channel_id(0), State::idle) == 16);
  CHECK(statistics.cycles(channel_id(1), State::busy) == 8);
  CHECK(statistics.units().size() == kFirstChannel + 2u);
  statistics.settle_all(Cycle(30));
  CHECK(statistics.cycles(UnitId::matrix, State::busy) == 10);
}

TEST_CASE("an operator lasts from the end of those before it to its own last retirement") {
  isa::Program program;
  program.words.resize(12);
  program.operators = {{"a", -1}, {"b", 0}, {"c", 0}, {"d", -1}};
  program.sections = {{0, 3, 0}, {4, 2, 1}, {6, 1, 2}, {8, 2, 1}, {10, 2, 3}};
  OperatorCycles cycles;
  cycles.begin(program, Cycle(100));
  const auto retire = [&](std::uint32_t pc, std::uint64_t cycle) {
    InstructionRecord r;
    r.pc = pc;
    r.written_back = Cycle(cycle);
    cycles.on_retired(r);
  };
  retire(4, 105);  // work of b moved ahead does not begin it
  retire(2, 118);
  retire(0, 120);  // a: 100 .. 120
  retire(3, 121);  // of no operator
  retire(6, 122);  // c ends before b does: nothing is left for it
  retire(8, 130);  // b's second section: 120 .. 130
  retire(11, 140);
  const std::vector<OperatorUse> uses = cycles.take(Cycle(150));
  REQUIRE(uses.size() == 4);
  CHECK(uses[0].cycles == 20);
  CHECK(uses[1].cycles == 10);
  CHECK(uses[2].cycles == 0);
  CHECK(uses[3].cycles == 20);  // up to the end of the step
  CHECK(uses[0].instructions == 2);
  CHECK(uses[1].instructions == 2);
  CHECK(uses[3].instructions == 1);
  cycles.begin(program, Cycle(200));  // a step of its own
  CHECK(cycles.take(Cycle(230))[3].cycles == 30);
}

TEST_CASE("equal event streams have equal digests, and every field and the order count") {
  const auto digest = [](const std::vector<Event>& events) {
    EventDigest d;
    for (const Event& e : events) d.on_event(e);
    CHECK(d.count() == events.size());
    return d.hex();
  };
  std::vector<Event> events;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    events.push_back({Cycle(n), n * 3, n % 7, 5, EventKind::burst_done, UnitId::load, 1, 0});
  }
  std::set<std::string> seen = {digest(events)};
  CHECK(digest(events) == *seen.begin());
  const auto changed = [&](auto change) {
    std::vector<Event> other = events;
    change(other);
    CHECK(seen.insert(digest(other)).second);
  };
  changed([](auto& e) { e[500].cycle += Cycle(1); });
  changed([](auto& e) { e[500].number += 1; });
  changed([](auto& e) { e[500].value += 1; });
  changed([](auto& e) { e[500].pc += 1; });
  changed([](auto& e) { e[500].kind = EventKind::burst_issued; });
  changed([](auto& e) { e[500].unit = UnitId::store; });
  changed([](auto& e) { e[500].detail = 2; });
  changed([](auto& e) { std::swap(e[500], e[501]); });
  changed([](auto& e) { e.pop_back(); });
  // Asking in between changes nothing.
  EventDigest d;
  for (const Event& e : events) {
    d.on_event(e);
    d.hex();
  }
  CHECK(d.hex() == digest(events));
}

TEST_CASE("a unit reports changes of its state alone, to all subscribers in their order") {
  struct Recorder : Observer {
    void on_event(const Event& e) override { events.push_back(e); }
    std::vector<Event> events;
  };
  Recorder a, b;
  EventHub hub;
  hub.subscribe(a);
  hub.subscribe(b);
  UnitState state(hub, UnitId::decode);
  CHECK(state.now() == State::halted);
  state.set(State::halted, Cycle(1));
  state.set(State::fence, Cycle(2), 3);
  state.set(State::fence, Cycle(3), 3);
  state.set(State::fence, Cycle(4), 2);  // another unit is in the way
  state.set(State::busy, Cycle(5));
  REQUIRE(a.events.size() == 3);
  CHECK(b.events.size() == 3);
  CHECK(a.events[0].cycle.value == 2);
  CHECK(a.events[1].value == 2);
  CHECK(a.events[2].detail == static_cast<std::uint8_t>(State::busy));
  CHECK(a.events[2].unit == UnitId::decode);
}

TEST_CASE("an observer gets the kinds of events that it asks for, and every retirement") {
  struct Recorder : Observer {
    std::uint32_t interests() const override {
      return kinds({EventKind::burst_done, EventKind::instruction});
    }
    void on_event(const Event& e) override { seen.push_back(e.kind); }
    void on_retired(const InstructionRecord&) override { ++retired; }
    std::vector<EventKind> seen;
    int retired = 0;
  };
  Recorder recorder;
  EventHub hub;
  hub.subscribe(recorder);
  for (int kind = 0; kind < kEventKinds; ++kind) {
    hub.emit({Cycle(1), 0, 0, 0, static_cast<EventKind>(kind), UnitId::fetch, 0, 0});
  }
  hub.retired({});
  CHECK(recorder.seen == std::vector<EventKind>{EventKind::instruction, EventKind::burst_done});
  CHECK(recorder.retired == 1);
}

TEST_CASE("names are distinct") {
  std::set<std::string> states, causes, units;
  for (int s = 0; s < kStates; ++s) states.emplace(name_of(static_cast<State>(s)));
  for (int c = 0; c < kCauses; ++c) causes.emplace(name_of(static_cast<Cause>(c)));
  for (int u = 0; u < kFirstChannel + 4; ++u) units.insert(name_of(static_cast<UnitId>(u)));
  CHECK(states.size() == kStates);
  CHECK(causes.size() == kCauses);
  CHECK(units.size() == kFirstChannel + 4);
  CHECK(name_of(channel_id(3)) == "dram.channel3");
  CHECK(name_of(unit_id(isa::Unit::load)) == "dma0.read");
  CHECK(states.count("") == 0);
}
