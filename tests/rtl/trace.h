// SPDX-License-Identifier: Apache-2.0
// A program's run on the model, cycle by cycle: what reached the instruction pipeline from outside, and what
// it did.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/machine.h"
#include "isa/program.h"
#include "memory/dram/dram.h"

namespace tokencycle::rtl {

// What can be seen of the pipeline in one cycle: recorded of the model, read from the RTL, compared as it is.
// Instructions are sequence numbers, in the order of decoding.
struct Signals {
  static constexpr std::int64_t kNone = -1;
  std::uint32_t granted = 0;                 // bursts of instructions that memory accepts in this cycle
  std::uint64_t address = 0;                 // of the first of them
  std::int64_t decoded = kNone, pc = kNone;  // taken from the buffer, and its word
  std::int64_t dispatched = kNone;           // put into the queue of `unit`
  std::uint8_t unit = 0;                     // isa::Unit
  std::vector<std::uint64_t> retired;        // ascending
  // observe::State of each stage; decode: 1 + the unit that it waits for, 0 for none.
  std::uint8_t fetch = 0, decode = 0, waits_for = 0, dispatch = 0, writeback = 0;
  bool operator==(const Signals&) const = default;
};

// What comes from outside in one cycle.
struct Stimuli {
  std::vector<std::uint64_t> arrivals;              // addresses of bursts of instructions
  std::vector<std::uint64_t> left_queue, finished;  // instructions, as their units report them
  std::optional<std::uint32_t> word;                // that decode gets from the scratchpad
  std::uint32_t room = 0;                           // bursts that DRAM would accept, all channels together
  std::vector<memory::Burst> issued;                // that DRAM accepts from all units of the model
};

// An instruction that the machine refused to execute.
struct Trap {
  std::uint64_t cycle = 0;  // index into the trace
  std::uint32_t pc = 0;
};

struct Trace {
  config::Machine machine;
  DramAddress base;
  std::vector<isa::Word> words;
  std::vector<Signals>
      signals;  // by cycle, from the first of the run to its halt; before the trap if there is one
  std::vector<Stimuli> stimuli;  // the same cycles, and that of the trap
  std::optional<Trap> trap;
  std::uint64_t instructions = 0;
};

// Runs the words at `base` (aligned to a burst) with `data` in DRAM. A SimulationError of the machine ends
// the trace with a trap; it has to come from decode.
Trace record(const config::Machine& machine, std::vector<isa::Word> words, DramAddress base,
             std::span<const isa::DataSegment> data);

}  // namespace tokencycle::rtl
