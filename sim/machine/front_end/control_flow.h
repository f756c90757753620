// SPDX-License-Identifier: Apache-2.0
// Where a program is: the next word, the hardware loops around it and the address registers. No time.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "isa/encoding.h"
#include "isa/instruction.h"

namespace tokencycle::machine {

// What decode holds between two words. Cheap to copy: who wants to know where a program goes from here walks
// ahead with a copy of it.
class ControlFlow {
 public:
  std::uint32_t pc() const { return pc_; }
  std::int64_t reg(std::uint8_t number) const { return registers_[number]; }
  bool in_loop() const { return depth_ > 0; }

  void start() { *this = ControlFlow(); }

  // Adds the address registers to an instruction's operands. Returns what was added, by isa::Operand; throws
  // SimulationError when an address leaves its range.
  std::array<std::int64_t, isa::kOperands> resolve(isa::Instruction& instruction) const;
  // True for a byte that a local address can name.
  static bool is_local(std::int64_t byte) { return byte >= 0 && byte <= 0x7fff'ffff; }
  // True if execute() will not throw at this loop.
  bool can_enter(const isa::Instruction& loop) const;
  // The word at pc() is this instruction: enters a loop, or sets a register; nothing for all others.
  void execute(const isa::Instruction& instruction);
  // To the next word: behind this one, behind the body of a loop of no iteration, through the ends of loops.
  // Returns true when another iteration of a loop begins; out of a loop the registers are as at its entry.
  bool next();
  // An instruction has set a register (read_address).
  void set(std::uint8_t number, std::int64_t value) { registers_[number] = value; }
  // The first word that an iteration may come back to, if its loop is no longer than `capacity` words; the
  // outermost such loop.
  std::uint32_t keep_from(std::uint32_t capacity) const;

  bool operator==(const ControlFlow& other) const;
  [[noreturn]] void trap(const isa::Instruction& instruction, const std::string& what) const;

 private:
  struct Loop {
    std::uint32_t start = 0, end = 0, remaining = 0;
    std::array<isa::LoopStep, 4> steps;
    std::array<std::int64_t, 4> saved{};  // register values at entry
    bool operator==(const Loop&) const = default;
  };
  void enter(const isa::Instruction& loop);
  std::uint32_t iterations(const isa::Instruction& loop) const;

  std::array<std::int64_t, isa::kAddressRegisters> registers_{};
  std::array<Loop, isa::kLoopDepth> loops_;  // the first depth_ of them, from the outermost on
  std::uint32_t depth_ = 0;
  std::uint32_t pc_ = 0;
  std::uint32_t skipped_ = 0;  // words of the body of a loop of no iteration
};

}  // namespace tokencycle::machine
