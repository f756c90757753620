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

  // Another program. Returns false when so many kinds of words are known that their numbers began anew: then
  // states and signatures from before mean nothing.
  bool start(std::uint32_t words);

  // From `flow` on to the beginning of another iteration. False if the way leads through anything but matrix
  // instructions, loops and registers, out of fetch's buffer, to a trap, or is too long.
  bool look_ahead(const ControlFlow& flow, const Fetch& fetch);
  std::span<const WalkStep> steps() const { return steps_; }
  // What the cycles of these words depend on: instructions but for their addresses, the places that these
  // lead to, and how far sums are from those of the multiply before.
  std::span<const std::uint64_t> signature() const { return signature_; }
  const ControlFlow& end() const { return end_; }

  // The number of an instruction of the matrix unit with all its addresses zero; equal numbers are equal
  // instructions.
  std::uint32_t number_of(std::uint32_t pc, const isa::Instruction& instruction);
  std::uint32_t place_of(isa::LocalAddress address) const { return address.byte() & around_mask_; }
  // Where the sums of the last multiply go.
  std::uint32_t last_sums() const { return last_sums_; }
  void set_last_sums(std::uint32_t byte) { last_sums_ = byte; }

  // Without its addresses.
  const isa::Instruction& instruction(const WalkStep& step) const {
    return patterns_[words_[step.pc].number].instruction;
  }
  // The instruction of a step, and what it touches.
  void fill(const WalkStep& step, InFlight& entry) const;

  static constexpr std::size_t kMostSteps = 512;
  static constexpr std::size_t kMostPatterns = 4096;  // kept from program to program, some 2 MB

 private:
  // What many words are but for their local addresses, which are zero here.
  struct Pattern {
    isa::Instruction instruction;
    isa::Footprint footprint;
    bool walkable = false, flow = false, sums = false;
  };
  struct Word {                // of the program
    std::uint32_t number = 0;  // of its pattern; 0: not looked at
    isa::LocalAddress dst, a, b;
  };
  const Pattern& learn(std::uint32_t pc, const isa::Word& word);
  std::uint32_t pattern_of(const isa::Instruction& instruction);
  bool in_bounds(const isa::Footprint& footprint, const WalkStep& step) const;
  bool step(const ControlFlow& flow, const Pattern& pattern, WalkStep& step);

  std::array<std::uint64_t, 3> capacity_;  // bytes, by isa::Space
  std::uint32_t around_mask_;
  std::vector<Word> words_;        // by pc
  std::vector<Pattern> patterns_;  // by number; the first is what cannot be walked
  struct WordHash {
    std::size_t operator()(const isa::Word& word) const;
  };
  std::unordered_map<isa::Word, std::uint32_t, WordHash> numbers_;  // of words without addresses
  std::uint32_t last_sums_ = 0;

  std::vector<WalkStep> steps_;
  std::vector<std::uint64_t> signature_;
  ControlFlow end_;
};

}  // namespace tokencycle::machine
