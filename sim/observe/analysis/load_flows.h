// SPDX-License-Identifier: Apache-2.0
// Which instruction is the first to read what a load has brought.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isa/program.h"

namespace tokencycle::observe {

// Follows the words of a step in the order of decoding, with their loops and address registers as decode
// executes them (sim/isa/reference.cpp). A load counts until its first reader, or until something else is
// written there; blocks are the intervals of isa::footprint, so a load whose rows interleave with another's
// may be forgotten, and an arrow is missing rather than wrong.
class LoadFlows {
 public:
  // A flow's number is its load's sequence number + 1: 0 means none.
  static std::uint64_t flow_of(std::uint64_t load) { return load + 1; }

  // The program stays until the step's last instruction is decoded.
  void begin_step(const isa::Program& program);
  // With each instruction that is decoded, in order.
  void on_decoded(std::uint64_t sequence, std::uint32_t pc);
  // The word that a read_address has brought, before the next instruction is decoded.
  void on_word(std::uint32_t pc, std::uint32_t word);
  // The load is in the trace: an arrow may begin at it.
  void on_written(std::uint64_t load);
  // The flows of the loads that are in the trace and that `reader` was the first to read; they are forgotten.
  // To be asked for each instruction that retires; the next call ends the list.
  const std::vector<std::uint64_t>& take(std::uint64_t reader);

 private:
  static constexpr std::uint64_t kNoReader = ~std::uint64_t{0};
  struct Load {
    std::uint64_t sequence = 0;
    isa::Range range;
    std::uint64_t reader = kNoReader;
    bool written = false;
  };
  struct Loop {
    std::uint32_t start = 0, end = 0;  // words of the body
    std::uint32_t remaining = 0;
    std::array<isa::LoopStep, 4> steps{};
    std::array<std::int64_t, 4> saved{};
  };
  void go_to(std::uint32_t pc);
  void execute(const isa::Instruction& instruction, std::uint32_t pc);
  void add_registers(isa::Instruction& instruction) const;

  const isa::Program* program_ = nullptr;
  std::uint32_t next_ = 0;
  std::array<std::int64_t, isa::kAddressRegisters> registers_{};
  std::vector<Loop> loops_;
  std::vector<Load> loads_;  // those without a reader do not overlap
  std::vector<std::uint64_t> taken_;
};

}  // namespace tokencycle::observe
