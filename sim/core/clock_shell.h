// SPDX-License-Identifier: Apache-2.0
// The one clock of the machine: it delivers the edges that somebody asked for, or all of them.
#pragma once

#include <array>
#include <exception>

#include "core/connection_shell.h"
#include "core/unit.h"

namespace tokencycle::core {

// The lazily advanced side of the machine, brought up to date before the units of a cycle.
class LazyMemory {
 public:
  virtual ~LazyMemory() = default;
  virtual void advance(Cycle now) = 0;
};

// At each delivered edge: memory first, then the units in the order of Turn, each if it asked for this cycle
// (gated) or always. One timed event an edge; everything inside a cycle is a call in a fixed order.
class ClockShell : public sc_core::sc_module, public Connection<ClockControl> {
 public:
  Port<LazyMemory> out_memory{"out_memory"};
  // Bound in the order of Turn.
  sc_core::sc_port<Connection<Clocked>, kTurns> out_units{"out_units"};

  SC_HAS_PROCESS(ClockShell);
  ClockShell(sc_core::sc_module_name name, double period_ns, Clocking clocking,
             std::uint64_t watchdog_cycles);

  // The cycle of the last delivered edge.
  Cycle now() const { return now_; }
  // Lets time run from the next cycle on until stop(), or until nothing is left to happen.
  // Throws what a unit threw; SimulationError when the watchdog bites.
  void run();
  bool stopped() const { return stopped_; }
  std::uint64_t edges() const { return edges_; }

  void wake(Turn turn, Cycle cycle) override {
    Cycle& w = wake_[static_cast<std::size_t>(turn)];
    if (cycle < w) w = cycle;
  }
  void stop() override { stopped_ = true; }
  // Called at each retirement: the program makes progress.
  void progress(Cycle now) { last_progress_ = now; }

 private:
  void tick();
  void schedule();

  sc_core::sc_event ev_edge_{"ev_edge"};
  sc_core::sc_time period_;
  Clocking clocking_;
  std::uint64_t watchdog_cycles_;
  std::array<Cycle, kTurns> wake_;
  Cycle now_, next_, last_progress_;
  std::uint64_t edges_ = 0;
  bool stopped_ = true;
  std::exception_ptr failure_;
};

}  // namespace tokencycle::core
