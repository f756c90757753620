// SPDX-License-Identifier: Apache-2.0
// Decode: from words to instructions, hardware loops, address registers, and the wait for hazards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "config/machine.h"
#include "machine/front_end/control_flow.h"
#include "machine/front_end/scoreboard.h"
#include "machine/front_end/semaphores.h"
#include "machine/local_memory.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// Who wants to know which instructions leave decode.
class DecodeLog {
 public:
  virtual ~DecodeLog() = default;
  virtual void left_decode(const InFlight& entry) = 0;
};

// Takes one word per cycle. Front-end instructions (loops, registers, fence, halt) are done here; others are
// held until the scoreboard knows no obstacle, then handed to dispatch.
class Decode : public Clocked, public HazardBoard {
 public:
  // The semaphores are those of all cores; who owns them clears them before a program starts.
  Decode(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local, Semaphores& semaphores,
         InstructionSource& source, InstructionQueue& dispatch, ClockLine clock);

  void start(Cycle now);
  Cycle edge(Cycle now) override;

  // HazardBoard
  void left_queue(Cycle now, InFlight& entry) override;
  void retired(Cycle now, InFlight& entry) override;

  bool halted() const { return halted_; }
  Scoreboard& scoreboard() { return scoreboard_; }
  const Scoreboard& scoreboard() const { return scoreboard_; }
  std::uint32_t pc() const { return flow_.pc(); }
  // The instruction that waits to leave, null when there is none; its memory; and what is in its way.
  const isa::Instruction* held() const { return holding_ ? &held_ : nullptr; }
  const isa::Footprint& footprint() const { return footprint_; }
  Obstacle obstacle() const { return choice().obstacle; }
  std::uint64_t instructions() const { return sequence_; }
  const ControlFlow& flow() const { return flow_; }
  // True, once, after an edge that began another iteration of a loop.
  bool take_looped() { return std::exchange(looped_, false); }
  // Between two words: what is decoded next, and its number.
  void continue_at(const ControlFlow& flow, std::uint64_t sequence) {
    flow_ = flow;
    sequence_ = sequence;
  }
  template <class Archive>
  void serialize_in_flight(Archive& state) {
    state(state_);
  }
  // Hears of each instruction that leaves decode, until it is given another one or none.
  void set_log(DecodeLog* log) { log_ = log; }
  observe::State state() const { return state_.now(); }
  // Between two programs: nothing is in flight, and start() sets the rest.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_, sequence_, tiles_);
  }

 private:
  // The matrix units that have the most recent preload, the tile of the multiplies, and the next preload or
  // matmul. A program does not name units: what belongs together goes to the same one, and new work takes
  // them in turn, so that a program knows which products meet.
  struct Tiles {
    std::uint8_t shadow = 0, active = 0, next = 0;

    template <class Archive>
    void serialize(Archive& state) {
      state(shadow, active, next);
    }
  };
  Choice choice() const;
  std::optional<std::uint8_t> bound_unit() const;
  void note_tiles(std::uint8_t unit_index);
  // A word of a loop's body, decoded: its address registers are yet to be added.
  struct Known {
    std::uint32_t pc = ~0u;
    isa::Word word{};
    isa::Instruction instruction;
    isa::Footprint footprint;
  };
  static constexpr std::size_t kKnownWords = 256;  // a power of two
  void take(Cycle now, const FetchedWord& word);
  void decode(const isa::Word& word);
  void check_bounds() const;
  void check_rows_apart() const;
  bool waits_for(const InFlight& entry) const;
  Obstacle try_leave(Cycle now);
  Obstacle try_front_end(Cycle now);
  void begin_read(Cycle now);
  Obstacle read_obstacle() const;
  std::uint32_t read_word();
  void emit(Cycle now, observe::Stage stage, std::uint64_t value);
  [[noreturn]] void trap(const std::string& what) const;     // the held instruction cannot execute
  [[noreturn]] void stop_at(const std::string& what) const;  // the program cannot continue at pc

  observe::EventHub& hub_;
  observe::UnitState state_;
  LocalMemory& local_;
  Semaphores& semaphores_;
  InstructionSource& source_;
  InstructionQueue& dispatch_;
  ClockLine clock_;
  Scoreboard scoreboard_;
  std::array<std::uint64_t, 3> capacity_;  // bytes, by isa::Space

  const std::uint8_t matrix_units_;  // that tiles are spread over
  Tiles tiles_;
  ControlFlow flow_;
  std::vector<Known> known_;  // by the low bits of the pc
  std::uint64_t sequence_ = 0;
  bool holding_ = false, halted_ = true, looped_ = false;
  DecodeLog* log_ = nullptr;
  Obstacle in_the_way_;  // of the held instruction, at the last edge
  isa::Instruction held_;
  isa::Footprint footprint_;
  Cycle fetched_, decoded_, edge_;  // of the held word; the last edge
  std::optional<Cycle> word_at_;    // when the word that a read_address has asked for is there
};

}  // namespace tokencycle::machine
