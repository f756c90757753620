// SPDX-License-Identifier: Apache-2.0
// Looks ahead from the beginning of a loop's iteration to that of the next: which words come, and what of
// them can make a difference to time. Without time itself.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "config/machine.h"
#include "machine/front_end/control_flow.h"
#include "machine/front_end/fetch.h"

namespace tokencycle::machine {

// A word of the walk, its registers added.
struct WalkStep {
  std::uint32_t pc = 0;
  Cycle fetched;
  isa::LocalAddress dst, a, b;
};

class Walk {
 public:
  explicit Walk(const config::Machine& machine);

  // Another program: nothing that is known about words by their number holds any more.
  void start(std::uint32_t words);

  // From `flow` on to the beginning of another iteration. False if the way leads through anything but matrix
  // instructions, loops and registers, out of fetch's buffer, to a trap, or is too long.
  bool look_ahead(const ControlFlow& flow, const Fetch& fetch);
  std::span<const WalkStep> steps() const { return steps_; }
  // What the cycles of these words depend on: instructions but for their addresses, the places that these
  // lead to, and how far sums are from those of the multiply before.
  std::span<const std::uint64_t> signature() const { return signature_; }
  const ControlFlow& end() const { return end_; }

  // The number of an instruction with all its addresses zero; equal numbers are equal instructions.
  std::uint32_t number_of(std::uint32_t pc, const isa::Instruction& instruction);
  std::uint32_t place_of(isa::LocalAddress address) const { return address.byte() & around_mask_; }
  // Where the sums of the last multiply go.
  std::uint32_t last_sums() const { return last_sums_; }
  void set_last_sums(std::uint32_t byte) { last_sums_ = byte; }

  // Before its registers are added.
  const isa::Instruction& instruction(const WalkStep& step) const { return bodies_[step.pc].instruction; }
  // The instruction of a step, and what it touches.
  void fill(const WalkStep& step, InFlight& entry) const;

  static constexpr std::size_t kMostSteps = 512;

 private:
  struct Body {  // a word of a loop
    bool known = false, walkable = false, sums = false;
    std::uint32_t number = 0;
    isa::Instruction instruction;
    isa::Footprint footprint;
  };
  bool learn(std::uint32_t pc, const isa::Word& word);
  bool in_bounds(const isa::Footprint& footprint,
                 const std::array<std::int64_t, isa::kOperands>& added) const;
  bool step(const ControlFlow& flow, const Body& body, WalkStep& step);

  std::array<std::uint64_t, 3> capacity_;  // bytes, by isa::Space
  std::uint32_t around_mask_;
  std::vector<Body> bodies_;            // by pc
  std::vector<std::uint32_t> numbers_;  // by pc; 0: not known
  struct WordHash {
    std::size_t operator()(const isa::Word& word) const;
  };
  std::unordered_map<isa::Word, std::uint32_t, WordHash> number_of_word_;
  std::uint32_t last_sums_ = 0;

  std::vector<WalkStep> steps_;
  std::vector<std::uint64_t> signature_;
  ControlFlow end_;
};

}  // namespace tokencycle::machine
