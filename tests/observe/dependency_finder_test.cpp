// SPDX-License-Identifier: Apache-2.0
// Dependencies: is the instruction that is named the one that was waited for?
#include "observe/analysis/dependency_finder.h"

#include <catch2/catch.hpp>

#include "observe/event_generator.h"

using namespace tokencycle;
using namespace tokencycle::observe;

namespace {

// Events of one script, and what was found.
class Script {
 public:
  Script& decoded(std::uint64_t cycle, std::uint64_t sequence) {
    return add({Cycle(cycle), sequence, 0, 0, EventKind::instruction, UnitId::decode, 0, 0});
  }
  Script& stage(std::uint64_t cycle, Stage stage, UnitId unit, std::uint64_t sequence) {
    return add(
        {Cycle(cycle), sequence, 0, 0, EventKind::instruction, unit, static_cast<std::uint8_t>(stage), 0});
  }
  Script& decode(std::uint64_t cycle, State state, isa::Unit unit = isa::Unit::front_end) {
    const std::uint64_t value = state == State::busy ? 0 : 1 + static_cast<std::uint64_t>(unit);
    return add({Cycle(cycle), 0, value, 0, EventKind::unit_state, UnitId::decode,
                static_cast<std::uint8_t>(state), 0});
  }
  const std::vector<Dependency>& found() const { return found_; }

 private:
  Script& add(const Event& event) {
    if (const auto dependency = finder_.on_event(event)) found_.push_back(*dependency);
    return *this;
  }
  DependencyFinder finder_;
  std::vector<Dependency> found_;
};

class Finder : public TraceWriter {
 public:
  void begin_step(const TraceStep&) override {}
  void end_step(Cycle) override {}
  void on_event(const Event& event) override {
    if (const auto dependency = finder_.on_event(event)) found.push_back(*dependency);
  }
  void close(Cycle, const std::string&) override {}
  void discard() override {}
  TraceSummary summary() const override { return {}; }
  std::vector<Dependency> found;

 private:
  DependencyFinder finder_;
};

}  // namespace

TEST_CASE("the instruction that retires in the cycle in which a hazard ends is the producer") {
  for (const State hazard :
       {State::read_after_write, State::write_after_read, State::write_after_write, State::fence}) {
    Script s;
    s.decoded(10, 7).decode(10, hazard, isa::Unit::load);
    s.stage(19, Stage::written_back, UnitId::load, 3);    // not the one: decode continues waiting
    s.stage(20, Stage::written_back, UnitId::matrix, 4);  // of another unit
    s.stage(20, Stage::written_back, UnitId::load, 5).decode(20, State::busy);
    REQUIRE(s.found().size() == 1);
    CHECK(s.found()[0].consumer == 7);
    CHECK(s.found()[0].producer == 5);
    CHECK(s.found()[0].reason == hazard);
  }
}

TEST_CASE("an instruction that waits for one unit after another depends on both") {
  Script s;
  s.decoded(10, 7).decode(10, State::read_after_write, isa::Unit::load);
  s.stage(20, Stage::written_back, UnitId::load, 5);
  s.decode(20, State::read_after_write, isa::Unit::vector);
  s.stage(30, Stage::written_back, UnitId::vector, 6).decode(30, State::busy);
  REQUIRE(s.found().size() == 2);
  CHECK(s.found()[0].producer == 5);
  CHECK(s.found()[1].producer == 6);
  CHECK(s.found()[1].consumer == 7);
}

TEST_CASE("a full queue is left at the start by matrix and vector, at the end by transfers") {
  Script s;
  s.decoded(10, 7).decode(10, State::queue_full, isa::Unit::matrix);
  s.stage(12, Stage::written_back, UnitId::matrix, 1);  // no room by that
  s.stage(15, Stage::started, UnitId::matrix, 3).decode(15, State::busy);
  s.decoded(16, 8).decode(16, State::queue_full, isa::Unit::store);
  s.stage(18, Stage::started, UnitId::store, 4);
  s.stage(21, Stage::finished, UnitId::store, 2).decode(21, State::busy);
  REQUIRE(s.found().size() == 2);
  CHECK(s.found()[0].producer == 3);
  CHECK(s.found()[1].producer == 2);
  CHECK(s.found()[1].consumer == 8);
}

TEST_CASE("of two that retire at once a hazard names none and a fence the last") {
  for (const State state : {State::read_after_write, State::fence}) {
    Script s;
    s.decoded(10, 7).decode(10, state, isa::Unit::load);
    s.stage(20, Stage::written_back, UnitId::load, 4).stage(20, Stage::written_back, UnitId::load, 5);
    s.decode(20, State::busy);
    if (state == State::fence) {
      REQUIRE(s.found().size() == 1);
      CHECK(s.found()[0].producer == 5);
    } else {
      CHECK(s.found().empty());
    }
  }
}

TEST_CASE("waiting for words or for a free scoreboard entry is no dependency") {
  Script s;
  s.decode(5, State::fetch_wait);
  s.decoded(10, 7).decode(10, State::scoreboard_full, isa::Unit::load);
  s.stage(20, Stage::written_back, UnitId::load, 4).decode(20, State::busy);
  s.decode(21, State::fetch_wait);
  CHECK(s.found().empty());
}

TEST_CASE("in generated runs exactly the dependencies are found that were made") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Finder finder;
    test::GeneratedTruth truth;
    test::generate({500, 500, seed, false}, test::generated_program(500), finder, &truth);
    REQUIRE(truth.dependencies.size() > 50);
    REQUIRE(finder.found.size() == truth.dependencies.size());
    for (std::size_t i = 0; i < finder.found.size(); ++i) {
      CHECK(finder.found[i].consumer == truth.dependencies[i].consumer);
      CHECK(finder.found[i].producer == truth.dependencies[i].producer);
      CHECK(finder.found[i].reason == truth.dependencies[i].reason);
    }
  }
}
