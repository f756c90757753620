// SPDX-License-Identifier: Apache-2.0
// The scoreboard: which instructions are in flight, and what a new one would have to wait for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/machine.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// Why an instruction cannot leave decode, and whose instruction it waits for.
struct Obstacle {
  observe::State state = observe::State::busy;  // busy: there is none
  isa::Unit unit = isa::Unit::front_end;
};

// Which of the units of its kind an instruction goes to, and what is in its way there.
struct Choice {
  std::uint8_t unit_index = 0;
  Obstacle obstacle;
};

// Hazards are overlaps of byte ranges in scratchpad, accumulator memory and DRAM between a new instruction
// and those in flight. The matrix and the vector unit work strictly in order, so instructions of the same one
// of them do not wait for each other here; DMA transfers of one engine overlap in time and do.
class Scoreboard {
 public:
  explicit Scoreboard(const config::Machine& machine);

  // What is in an instruction's way to one of the units of its kind. Checked in this order: a free entry,
  // room in the unit's queue, read after write, write after write, write after read.
  Obstacle obstacle(isa::Unit unit, const isa::Footprint& footprint, std::uint8_t unit_index = 0) const;
  // Of the units of a kind the one with the fewest instructions in flight among those to which nothing is in
  // the way; if there is none, the one with the fewest. Of equals the first. `bound`: only this one.
  Choice choose(isa::Unit unit, const isa::Footprint& footprint,
                std::optional<std::uint8_t> bound = {}) const;

  // What keeps decode itself from reading these bytes: instructions in flight that write them.
  Obstacle read_obstacle(const isa::Footprint& footprint) const;

  InFlight& insert(isa::Unit unit, std::uint8_t unit_index = 0);
  void left_queue(InFlight& entry);
  void remove(InFlight& entry);

  // What keeps a fence over a set of units (bit = isa::Unit) from passing: DMA before compute units.
  Obstacle fence_obstacle(std::uint8_t units) const;

  bool empty() const { return in_use_ == 0; }
  bool empty(isa::Unit unit) const;
  // True if the machine has no two units of the kind.
  bool single(isa::Unit unit) const { return units_[static_cast<std::size_t>(unit)] <= 1; }
  const std::vector<InFlight>& entries() const { return entries_; }

  // Tests only: a machine without hazard checks computes wrong text; used to show that the checks matter.
  void ignore_hazards() { ignore_hazards_ = true; }

 private:
  static constexpr std::size_t kBits = 64;
  // The used entries in their order, until `call` says true; whether it did. Without those of `left_out`.
  template <class Call>
  bool any_used(const std::uint64_t* left_out, const Call& call) const;
  // A bit for each entry of the unit's.
  std::size_t first_of(isa::Unit unit, std::uint8_t unit_index) const {
    return (static_cast<std::size_t>(unit) * config::kMostUnits + unit_index) * used_.size();
  }
  const InFlight& oldest() const;  // of a full board

  using Counts = std::array<std::array<std::uint32_t, config::kMostUnits>, isa::kUnits>;  // kind, number
  static std::uint32_t& of(Counts& counts, const observe::InstructionRecord& record) {
    return counts[static_cast<std::size_t>(record.unit)][record.unit_index];
  }

  std::vector<InFlight> entries_;
  std::vector<std::uint64_t> used_;              // a bit each
  std::vector<std::uint64_t> of_unit_;           // the same for each unit: first_of()
  std::array<std::uint8_t, isa::kUnits> units_;  // of each kind
  Counts queued_{}, in_flight_{};
  std::uint32_t in_use_ = 0, queue_depth_;
  bool ignore_hazards_ = false;
};

}  // namespace tokencycle::machine
