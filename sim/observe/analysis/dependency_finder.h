// SPDX-License-Identifier: Apache-2.0
// Which instruction another one waited for in decode, read off the event stream.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "observe/event.h"

namespace tokencycle::observe {

struct Dependency {
  std::uint64_t consumer = 0;  // sequence number of the instruction that waited
  std::uint64_t producer = 0;  // and of the one that it waited for
  State reason = State::idle;  // read_after_write, write_after_read, write_after_write, queue_full or fence
};

// An obstacle that decode reports ends when the instruction that is in the way retires (writeback has its
// turn before decode), or, for a full queue, when one leaves it: matrix and vector instructions with their
// start, transfers with their end. No other instruction enters the machine while decode holds one, so the
// obstacle ends for no other reason, and the instruction of the unit waited for that did so in this cycle is
// the producer. If several retired in it, the events do not say which was in the way, and nothing is
// reported; a fence waits for all of them and gets the last. scoreboard_full names no dependency.
//
// Deterministic and of fixed size; the cost is a few comparisons an event.
class DependencyFinder {
 public:
  static constexpr std::uint32_t kInterests = kinds({EventKind::instruction, EventKind::unit_state});

  // With each event, in order. The dependency that ends with this event, if any: consumer is the instruction
  // in decode, which leaves in this cycle or continues waiting for another one.
  std::optional<Dependency> on_event(const Event& event) {
    if (event.kind == EventKind::instruction) follow(event);
    if (event.kind != EventKind::unit_state || event.unit != UnitId::decode) return {};
    return change_obstacle(event);
  }

 private:
  struct Departures {  // of one unit in one cycle
    Cycle cycle = kNever;
    std::uint64_t last = 0;  // sequence number
    std::uint32_t count = 0;
    void add(const Event& event) {
      if (cycle != event.cycle) *this = {event.cycle, 0, 0};
      last = event.number;
      ++count;
    }
  };
  void follow(const Event& event);
  std::optional<Dependency> change_obstacle(const Event& event);

  std::array<Departures, isa::kUnits> retired_, left_queue_;  // by isa::Unit
  std::uint64_t held_ = 0;                                    // the last decoded instruction
  State obstacle_ = State::halted;
  std::uint64_t waits_for_ = 0;  // 1 + isa::Unit, 0: none
};

}  // namespace tokencycle::observe
