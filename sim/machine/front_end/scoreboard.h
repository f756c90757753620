// SPDX-License-Identifier: Apache-2.0
// The scoreboard: which instructions are in flight, and what a new one would have to wait for.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// Why an instruction cannot leave decode, and whose instruction it waits for.
struct Obstacle {
  observe::State state = observe::State::busy;  // busy: there is none
  isa::Unit unit = isa::Unit::front_end;
};

// Hazards are overlaps of byte ranges in scratchpad, accumulator memory and DRAM between a new instruction
// and those in flight. The matrix and the vector unit work strictly in order, so instructions of the same one
// of them do not wait for each other here; DMA transfers of one engine overlap in time and do.
class Scoreboard {
 public:
  explicit Scoreboard(const config::Machine& machine);

  // What is in an instruction's way. Checked in this order: a free entry, room in the unit's queue, read
  // after write, write after write, write after read.
  Obstacle obstacle(isa::Unit unit, const isa::Footprint& footprint) const;

  InFlight& insert(isa::Unit unit);
  void left_queue(InFlight& entry);
  void remove(InFlight& entry);

  // What keeps a fence over a set of units (bit = isa::Unit) from passing: DMA before compute units.
  Obstacle fence_obstacle(std::uint8_t units) const;

  bool empty() const { return used_ == 0; }
  bool empty(isa::Unit unit) const { return in_flight_[static_cast<std::size_t>(unit)] == 0; }
  const std::vector<InFlight>& entries() const { return entries_; }

  // Tests only: a machine without hazard checks computes wrong text; used to show that the checks matter.
  void ignore_hazards() { ignore_hazards_ = true; }

 private:
  const InFlight& oldest() const;  // of a full board

  std::vector<InFlight> entries_;
  std::array<std::uint32_t, isa::kUnits> queued_{}, in_flight_{};
  std::uint32_t used_ = 0, queue_depth_;
  bool ignore_hazards_ = false;
};

}  // namespace tokencycle::machine
