// SPDX-License-Identifier: Apache-2.0
// The scoreboard: what does an instruction have to wait for, and what not?
#include "machine/front_end/scoreboard.h"

#include <catch2/catch.hpp>
#include <random>

using namespace tokencycle;
using namespace tokencycle::machine;
using isa::Range;
using isa::Space;
using isa::Unit;
using observe::State;

namespace {

isa::Footprint touching(std::vector<Range> reads, std::vector<Range> writes) {
  isa::Footprint f;
  for (const Range& r : reads) f.reads[static_cast<std::size_t>(f.read_count++)] = r;
  for (const Range& r : writes) f.writes[static_cast<std::size_t>(f.write_count++)] = r;
  return f;
}

config::Machine machine_of(std::uint32_t entries = 8, std::uint32_t depth = 4) {
  config::Machine m;
  m.scoreboard.entries = entries;
  m.dispatch.queue_depth = depth;
  return m;
}

InFlight& put(Scoreboard& board, Unit unit, const isa::Footprint& footprint, std::uint64_t sequence = 0) {
  InFlight& entry = board.insert(unit);
  entry.footprint = footprint;
  entry.record.unit = unit;
  entry.record.sequence = sequence;
  return entry;
}

const Range kLow{Space::scratchpad, 0, 100}, kHigh{Space::scratchpad, 100, 200};
const Range kMiddle{Space::scratchpad, 99, 101}, kSums{Space::accumulator, 0, 100},
    kDram{Space::dram, 0, 100};

}  // namespace

TEST_CASE("overlapping bytes are a hazard when one of the two writes them") {
  struct Case {
    isa::Footprint older, younger;
    State expected;
  };
  const Case cases[] = {
      {touching({}, {kLow}), touching({kLow}, {}), State::read_after_write},
      {touching({}, {kLow}), touching({}, {kLow}), State::write_after_write},
      {touching({kLow}, {}), touching({}, {kLow}), State::write_after_read},
      {touching({kLow}, {}), touching({kLow}, {}), State::busy},
      {touching({}, {kLow}), touching({kHigh}, {kHigh}), State::busy},           // neighbours do not overlap
      {touching({}, {kLow}), touching({kMiddle}, {}), State::read_after_write},  // one byte is enough
      {touching({}, {kLow}), touching({kSums, kDram}, {kSums, kDram}), State::busy},  // other memories
      {touching({kHigh}, {kLow}), touching({kLow}, {kHigh}),
       State::read_after_write},  // the first of several
      {touching({kHigh, kLow}, {kLow}), touching({}, {kLow}), State::write_after_write},
      {touching({}, {kSums}), touching({kDram, kLow, kSums}, {}), State::read_after_write},
      {touching({}, {kDram}), touching({}, {kLow, kDram}), State::write_after_write},
  };
  for (const Case& c : cases) {
    Scoreboard board(machine_of());
    InFlight& older = put(board, Unit::load, c.older);
    const Obstacle found = board.obstacle(Unit::vector, c.younger);
    CHECK(found.state == c.expected);
    CHECK(found.unit == (c.expected == State::busy ? Unit::front_end : Unit::load));
    board.left_queue(older);
    CHECK(board.obstacle(Unit::vector, c.younger).state == c.expected);  // hazards last until retirement
    board.remove(older);
    CHECK(board.obstacle(Unit::vector, c.younger).state == State::busy);
    CHECK(board.empty());
  }
}

TEST_CASE("read after write comes before write after write before write after read, whoever is older") {
  for (const bool reversed : {false, true}) {
    Scoreboard board(machine_of());
    std::vector<std::pair<Unit, isa::Footprint>> entries = {{Unit::load, touching({kLow}, {})},
                                                            {Unit::store, touching({}, {kLow})},
                                                            {Unit::matrix, touching({}, {kHigh})}};
    if (reversed) std::reverse(entries.begin(), entries.end());
    for (const auto& [unit, footprint] : entries) put(board, unit, footprint);
    CHECK(board.obstacle(Unit::vector, touching({kHigh}, {kLow})).state == State::read_after_write);
    CHECK(board.obstacle(Unit::vector, touching({kHigh}, {kLow})).unit == Unit::matrix);
    CHECK(board.obstacle(Unit::vector, touching({kSums}, {kLow})).state == State::write_after_write);
    CHECK(board.obstacle(Unit::vector, touching({kSums}, {kLow})).unit == Unit::store);
  }
}

TEST_CASE("units that work in order exempt their own instructions, DMA engines do not") {
  const isa::Footprint same = touching({kLow}, {kLow});
  for (const Unit unit : {Unit::load, Unit::store, Unit::matrix, Unit::vector}) {
    Scoreboard board(machine_of());
    put(board, unit, same);
    const bool in_order = unit == Unit::matrix || unit == Unit::vector;
    CHECK(board.obstacle(unit, same).state == (in_order ? State::busy : State::read_after_write));
    for (const Unit other : {Unit::load, Unit::store, Unit::matrix, Unit::vector}) {
      if (other != unit) CHECK(board.obstacle(other, same).state == State::read_after_write);
    }
  }
}

TEST_CASE("a unit's queue has a bounded number of entries, the scoreboard another") {
  const isa::Footprint none;
  Scoreboard board(machine_of(5, 2));
  InFlight& first = put(board, Unit::vector, none, 0);
  put(board, Unit::vector, none, 1);
  CHECK(board.obstacle(Unit::vector, none).state == State::queue_full);
  CHECK(board.obstacle(Unit::vector, none).unit == Unit::vector);
  CHECK(board.obstacle(Unit::load, none).state == State::busy);  // each unit has its own
  board.left_queue(first);
  CHECK(board.obstacle(Unit::vector, none).state == State::busy);
  put(board, Unit::vector, none, 2);
  put(board, Unit::load, none, 3);
  put(board, Unit::store, none, 4);
  // Five are in flight: full, and it waits for the oldest.
  CHECK(board.obstacle(Unit::matrix, none).state == State::scoreboard_full);
  CHECK(board.obstacle(Unit::matrix, none).unit == Unit::vector);
  CHECK(board.obstacle(Unit::vector, none).state == State::scoreboard_full);  // before the queue
  board.remove(first);
  CHECK(board.obstacle(Unit::matrix, none).state == State::busy);
}

TEST_CASE("a fence sees its units' instructions until they retire") {
  Scoreboard board(machine_of());
  const auto bit = [](Unit u) { return static_cast<std::uint8_t>(1u << static_cast<unsigned>(u)); };
  InFlight& load = put(board, Unit::load, {});
  InFlight& vector = put(board, Unit::vector, {});
  board.left_queue(load);
  CHECK(board.fence_obstacle(bit(Unit::load)).state == State::fence);
  CHECK(board.fence_obstacle(bit(Unit::store)).state == State::busy);
  CHECK(board.fence_obstacle(0xff).unit == Unit::load);
  board.remove(load);
  CHECK(board.fence_obstacle(0xff).unit == Unit::vector);
  CHECK(board.fence_obstacle(bit(Unit::load)).state == State::busy);
  board.remove(vector);
  CHECK(board.fence_obstacle(0xff).state == State::busy);
  CHECK(board.empty(Unit::vector));
}

TEST_CASE("entries are reused; a random history is that of a plain list") {
  std::mt19937 random(11);
  Scoreboard board(machine_of(6, 3));
  std::vector<InFlight*> held;
  std::uint64_t sequence = 0;
  for (int step = 0; step < 5000; ++step) {
    const auto begin = static_cast<std::uint64_t>(random() % 20);
    const Range range{Space::scratchpad, begin, begin + 1 + random() % 5};
    const isa::Footprint f = random() % 2 == 0 ? touching({range}, {}) : touching({}, {range});
    const auto unit = static_cast<Unit>(1 + random() % 4);
    State expected = State::busy;
    const auto queued =
        std::count_if(held.begin(), held.end(), [&](InFlight* e) { return e->record.unit == unit; });
    if (held.size() == 6) {
      expected = State::scoreboard_full;
    } else if (queued >= 3) {
      expected = State::queue_full;
    } else {
      int worst = 0;  // 1: write after read, 2: write after write, 3: read after write
      for (const InFlight* e : held) {
        if (e->record.unit == unit && (unit == Unit::matrix || unit == Unit::vector)) continue;
        const bool reads = f.read_count > 0, wrote = e->footprint.write_count > 0;
        const Range other = wrote ? e->footprint.writes[0] : e->footprint.reads[0];
        if (!range.overlaps(other) || (reads && !wrote)) continue;
        worst = std::max(worst, reads ? 3 : wrote ? 2 : 1);
      }
      constexpr State kStates[] = {State::busy, State::write_after_read, State::write_after_write,
                                   State::read_after_write};
      expected = kStates[worst];
    }
    REQUIRE(board.obstacle(unit, f).state == expected);
    if (expected == State::busy) held.push_back(&put(board, unit, f, sequence++));
    if (!held.empty() && random() % 3 != 0) {
      const auto victim = held.begin() + static_cast<std::ptrdiff_t>(random() % held.size());
      board.left_queue(**victim);
      board.remove(**victim);
      held.erase(victim);
    }
  }
}
