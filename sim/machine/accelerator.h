// SPDX-License-Identifier: Apache-2.0
// The machine put together: a clock, a memory and its cores, whose units are bound in topology/core.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/machine.h"
#include "isa/program.h"
#include "machine/pulse.h"
#include "machine/unit.h"
#include "memory/dram/dram.h"
#include "memory/dram/storage.h"
#include "memory/interconnect.h"
#include "memory/scratchpad.h"
#include "observe/event.h"

namespace tokencycle::machine {

// Cycles [start, end) of one program, from its first fetch to its halt.
struct Execution {
  Cycle start, end;

  template <class Archive>
  void serialize(Archive& state) {
    state(start, end);
  }
};

// A program in DRAM.
struct ProgramPlace {
  DramAddress base;
  std::uint32_t words = 0;
};

// One machine with its memory and its time. Two of them in a process do not know of each other, but only one
// may execute at a time.
class Accelerator {
 public:
  // With Values::absent the machine keeps time alone: what its memories hold afterwards means nothing.
  Accelerator(const config::Machine& machine, Clocking clocking, Values values = Values::computed);
  ~Accelerator();
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

  const config::Machine& machine() const;
  observe::EventHub& events();
  memory::DramStorage& dram();

  // Runs the `words` instruction words at `base` until halt. Throws SimulationError: traps, deadlock and
  // watchdog with the state of every unit.
  Execution execute(DramAddress base, std::uint32_t words);
  // The same with a program for each of the first cores, all from the same cycle on, until the last one
  // halts. Nothing orders one core's accesses to DRAM against another's.
  std::vector<Execution> execute(std::span<const ProgramPlace> programs);
  // Called many times a second while a program runs; what it throws ends execute(), and this machine runs no
  // further program then.
  void set_pulse(Pulse pulse);
  // What hears of every top_k or, without values, answers it; outlives this machine.
  void set_choices(Choices* choices);
  Cycle now() const;  // the last cycle that ran

  // Contents of the core's memories, for checks and dumps.
  std::span<const std::byte> local(isa::LocalAddress address, std::size_t bytes,
                                   std::uint32_t core = 0) const;

  // Counters since the beginning, of all cores where no core is named.
  std::uint64_t multiplications() const;  // multiply-accumulates
  std::uint64_t decoded() const;          // numbers that the matrix units' decode stages took apart
  std::uint64_t vector_elements() const;
  std::uint64_t instructions() const;    // decoded
  std::uint64_t edges() const;           // delivered by the clock, or known to be needed and passed over
  std::uint64_t skipped_cycles() const;  // taken by fast-forwarding (fast_forward/README.md)
  const memory::TrafficCounters& traffic(memory::Requester requester, bool write,
                                         std::uint32_t core = 0) const;
  const memory::PortCounters& port(memory::Port port, std::uint32_t core = 0) const;
  // Of a DRAM channel; nothing where the machine's memory is ideal.
  std::optional<memory::DramUse> dram_use(std::uint32_t channel) const;

  // Everything that the machine holds, between two programs. Read into a new machine of the same description
  // and the same mapped memory, it continues as this one would.
  template <class Archive>
  void serialize(Archive& state);

  // Tests only: decode ignores hazards, so that wrong results show that they matter.
  void ignore_hazards();

 private:
  struct Modules;
  std::unique_ptr<Modules> modules_;
};

}  // namespace tokencycle::machine
