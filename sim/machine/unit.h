// SPDX-License-Identifier: Apache-2.0
// What the units of the core say to each other: plain interfaces, bound through SystemC ports by the shells.
#pragma once

#include <cstdint>
#include <span>

#include "base/quantity.h"
#include "isa/encoding.h"
#include "observe/event.h"

namespace tokencycle::machine {

// An instruction between decode and retirement; it lives in its scoreboard entry.
struct InFlight {
  bool used = false;
  isa::Instruction instruction;  // address registers already added
  isa::Footprint footprint;
  observe::InstructionRecord record;
};

// A unit of the machine as the clock sees it. edge(now) does everything the unit does in cycle `now` and
// returns the next cycle in which it has something to do on its own (kNever: only when poked). A call in
// a cycle in which nothing is due changes nothing: every-edge and gated clocking are the same.
class Clocked {
 public:
  virtual ~Clocked() = default;
  virtual Cycle edge(Cycle now) = 0;
};

// Which edges the clock delivers: those that units asked for, or all.
enum class Clocking { gated, every_edge };

// Whether the units compute contents or keep time alone. No unit's time depends on a value, so both give the
// same events; what becomes an address is there in either case: row numbers and words that loads bring from
// the host, and places that a top_k finds.
enum class Values : std::uint8_t { computed, absent };

// What a top_k finds, which programs turn into addresses: with values it is given, without them it provides.
class Choices {
 public:
  virtual ~Choices() = default;
  // Without values: the places that a row of `cols` values finds.
  virtual void choose(std::uint32_t cols, std::span<std::uint32_t> places) = 0;
  // With values: those that a row has found.
  virtual void chose(std::span<const std::uint32_t> places) = 0;
};

// A unit's place in the clock's list, which is the order of evaluation within a cycle: of a core from the end
// of the pipeline to its beginning, so that room made in a cycle can be used in it, and what is handed on is
// seen in the next.
enum class Turn : std::uint16_t {};

class ClockControl {
 public:
  virtual ~ClockControl() = default;
  virtual void wake(Turn turn, Cycle cycle) = 0;  // an edge for that unit at `cycle` (or earlier)
  virtual void stop() = 0;                        // a program has halted
};

// The clock as one unit sees it.
class ClockLine {
 public:
  ClockLine(ClockControl& clock, Turn turn) : clock_(clock), turn_(turn) {}
  void wake(Cycle cycle) const { clock_.wake(turn_, cycle); }
  void stop() const { clock_.stop(); }

 private:
  ClockControl& clock_;
  Turn turn_;
};

// A unit's queue of instructions, as dispatch sees it.
class InstructionQueue {
 public:
  virtual ~InstructionQueue() = default;
  virtual void push(Cycle now, InFlight& entry) = 0;
};

// Writeback as the units see it: an instruction's results are complete.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void finished(Cycle now, InFlight& entry) = 0;
};

// The scoreboard as the other units see it.
class HazardBoard {
 public:
  virtual ~HazardBoard() = default;
  virtual void left_queue(Cycle now, InFlight& entry) = 0;  // its queue entry is free
  virtual void retired(Cycle now, InFlight& entry) = 0;     // its hazards and its entry are free
};

// Fetch as decode sees it.
struct FetchedWord {
  const isa::Word* word = nullptr;  // nullptr: not usable in this cycle
  Cycle arrived;                    // when it is there
  Cycle retry;                      // when not: when to look again; kNever: the source will wake decode
};
class InstructionSource {
 public:
  virtual ~InstructionSource() = default;
  virtual FetchedWord peek(Cycle now, std::uint32_t pc) = 0;
  // Decode continues at `pc`; words from `keep` (<= pc) on stay in the buffer.
  virtual void move_to(Cycle now, std::uint32_t pc, std::uint32_t keep) = 0;
  virtual std::uint32_t capacity() const = 0;  // largest loop body (words) that stays in the buffer
  virtual std::uint32_t words() const = 0;     // of the program
  virtual void stop(Cycle now) = 0;
};

}  // namespace tokencycle::machine
