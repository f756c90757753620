// SPDX-License-Identifier: Apache-2.0
// A run without a machine: events that keep the machine's order, from pseudo-random instructions. As long as
// wanted, in the memory of one step.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "isa/program.h"
#include "observe/event.h"
#include "observe/trace.h"

namespace tokencycle::test {

using namespace tokencycle::observe;

// Two loads, a multiply that reads the first, a copy that reads the second, and again; then halt. Three
// operators of layers 0 and 1 and one of none, `words` / 4 words each.
isa::Program synthetic_program(std::uint32_t words);

class SyntheticRun {
 public:
  explicit SyntheticRun(std::uint64_t seed, std::uint32_t words = 64)
      : program_(synthetic_program(words)), random_(seed) {}

  const isa::Program& program() const { return program_; }
  Cycle now() const { return Cycle(now_); }  // the next step's start
  TraceStep step_info(std::uint32_t token) const {
    return {&program_, Cycle(now_), token, 1, token == 0 ? "prefill" : "decode"};
  }
  // `instructions` of the program's words over and over, then a halt. `stop_at`: no event from this cycle on.
  // Returns the step's end.
  Cycle step(EventHub& hub, std::uint32_t instructions, Cycle stop_at = kNever);

  // What must be found in a trace of everything, counted while generating.
  std::uint64_t instructions() const { return executed_; }  // without the front end's
  std::uint64_t flows() const { return flows_; }            // multiplies and copies

 private:
  struct Item {
    Event event;
    int turn = 0;
    bool retired = false;
    InstructionRecord record;
  };
  void add(std::uint64_t cycle, int turn, Event event) {
    event.cycle = Cycle(cycle);
    items_.push_back({event, turn, false, {}});
  }
  void add_state(std::uint64_t cycle, int turn, UnitId unit, State state, std::uint64_t value = 0);
  void add_stage(int turn, const InstructionRecord& record, UnitId unit, Cycle cycle, Stage stage);
  void add_halt(const InstructionRecord& halt);
  std::uint64_t execute(InstructionRecord& record, std::uint64_t leaves);
  void add_bursts(const InstructionRecord& record);
  void begin_step(std::uint64_t start);
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  isa::Program program_;
  std::mt19937_64 random_;
  std::vector<Item> items_;
  std::uint64_t now_ = 1, sequence_ = 0, executed_ = 0, flows_ = 0;
  std::vector<std::uint64_t> retirements_;        // cycles that have one, of this step, ascending
  std::uint64_t free_[isa::kUnits] = {};          // matrix, vector: may start from here on
  std::array<std::uint64_t, 2> loads_retired_{};  // the last two
  std::uint64_t last_load_started_ = 0, load_busy_until_ = 0;
};

}  // namespace tokencycle::test
