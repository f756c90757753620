// SPDX-License-Identifier: Apache-2.0
// A program executed on a machine, with everything that the tests look at.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "isa/program.h"
#include "machine/accelerator.h"
#include "observe/analysis/cycle_stack.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/event_digest.h"
#include "timing/print_cycle.h"

namespace tokencycle::timing {

// Where the words of a test's program lie in DRAM.
inline constexpr DramAddress kWordsAt{0x40000};

struct MachineRun {
  machine::Execution execution;
  std::vector<observe::InstructionRecord> records;  // in order of retirement
  std::vector<observe::Event> events;               // only when asked for
  std::string digest;
  std::uint64_t event_count = 0, edges = 0, skipped_cycles = 0, multiplications = 0, vector_elements = 0;
  observe::Stack stack{};
  std::vector<std::array<std::uint64_t, observe::kStates>>
      states;                                            // [unit in observe::UnitList][state]: cycles
  memory::TrafficCounters traffic[memory::kRequesters];  // reads, or the store's writes
  memory::PortCounters ports[memory::kPorts];
  std::vector<std::byte> scratchpad, accumulator, dram;  // dram: the first `dram_bytes` bytes

  std::uint64_t cycles() const { return execution.end.value - execution.start.value; }
  // The record of the instruction that was decoded as number `sequence`.
  const observe::InstructionRecord& instruction(std::uint64_t sequence) const;
};

struct RunOptions {
  machine::Clocking clocking = machine::Clocking::gated;
  std::uint64_t dram_bytes = 0;  // how much of DRAM is copied out at the end
  bool keep_events = false, ignore_hazards = false;
};

MachineRun run_on(const config::Machine& machine, const isa::Program& program, const RunOptions& options);
// The same from assembly text, gated, with events.
MachineRun run_text(const config::Machine& machine, const std::string& text);

}  // namespace tokencycle::timing
