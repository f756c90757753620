// SPDX-License-Identifier: Apache-2.0
// The one clock of the machine: it delivers the edges that units asked for, or all of them.
#pragma once

#include <exception>
#include <utility>
#include <vector>

#include "machine/fast_forward/fast_forward.h"
#include "machine/kernel/connection_shell.h"
#include "machine/pulse.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// The lazily advanced side of the machine. It is up to date before the units of a cycle, and advances by
// itself from there to the next cycle that a unit asked for, also if it is a burst of its own that makes one
// ask.
class LazyMemory {
 public:
  virtual ~LazyMemory() = default;
  // Everything up to and including the arrivals of `until`, which a unit's wake() may lower meanwhile.
  virtual void advance(const Cycle& until) = 0;
  // It does nothing before this cycle unless a unit wants something else.
  virtual Cycle quiet_until() const = 0;
};

// At each delivered edge: memory first, then the units in the order in which they were bound, each if it
// asked for this cycle (gated) or always. Everything inside a cycle is a call in a fixed order.
//
// While nothing else is scheduled in the kernel, nothing in it can notice when its time moves, and one timed
// event stands for up to kPulseEdges edges: the kernel's time is then that of the first of them. With a
// process or an event of another module pending it is one timed event per edge, at its time; one that an
// observer schedules meanwhile is noticed after those edges.
class ClockShell : public sc_core::sc_module, public Connection<ClockControl>, public SkippableClock {
 public:
  Port<LazyMemory> out_memory{"out_memory"};
  // The unit that is bound n-th has Turn n.
  ListPort<Clocked> out_units{"out_units"};

  SC_HAS_PROCESS(ClockShell);
  ClockShell(sc_core::sc_module_name name, double period_ns, Clocking clocking,
             std::uint64_t watchdog_cycles);

  void end_of_elaboration() override;
  // The cycle of the last delivered edge.
  Cycle now() const { return now_; }
  // Lets time run from the next cycle on until stop() has been called for each of `programs`.
  // Throws what a unit threw; SimulationError when the watchdog bites, and before a cycle that the kernel's
  // time (2^64 - 1 units of its resolution, for all machines of the process) cannot hold.
  void run(std::uint32_t programs = 1);
  // Called between two cycles, every kPulseEdges delivered edges; what it throws ends run().
  void set_pulse(Pulse pulse) { pulse_ = std::move(pulse); }
  std::uint64_t edges() const override { return edges_; }
  // Who may take cycles that the clock then need not deliver; the gated clock alone asks it.
  void set_watcher(EdgeWatcher* watcher) { watcher_ = watcher; }
  std::span<Cycle> wakes() override { return wake_; }
  Cycle quiet_until() const override { return memory_->quiet_until(); }
  bool alone() const override { return !sc_core::sc_pending_activity(); }
  void skipped(Cycle now, std::uint64_t edges) override;
  // Between two runs. When read, the kernel's time goes to where it was.
  template <class Archive>
  void serialize(Archive& state) {
    state(now_, edges_);
    if constexpr (Archive::is_loading::value) move_kernel();
  }

  void wake(Turn turn, Cycle cycle) override {
    const auto t = static_cast<std::size_t>(turn);
    if (cycle < wake_[t]) wake_[t] = cycle;
    // A unit whose turn of this cycle is yet to come needs no further edge.
    if (cycle < next_ && (cycle > now_ || t <= turn_)) next_ = cycle;
  }
  void stop() override { stopped_ = --running_ == 0; }
  // Called at each retirement: the program makes progress.
  void progress(Cycle now) { last_progress_ = now; }

 private:
  static constexpr std::size_t kNoTurn = ~std::size_t{0};
  void tick();
  void deliver();
  void watch();
  void schedule();
  void notify_at(Cycle cycle);
  void move_kernel();
  [[noreturn]] void refuse_time() const;

  sc_core::sc_event ev_edge_{"ev_edge"};
  sc_core::sc_time period_;
  Clocking clocking_;
  std::uint64_t watchdog_cycles_;
  LazyMemory* memory_ = nullptr;
  std::vector<Clocked*> units_;  // by Turn
  std::vector<Cycle> wake_;      // by Turn
  Cycle now_, last_progress_;
  Cycle kernel_;  // the cycle of the kernel's time
  Cycle last_;    // the last cycle that the kernel's time can hold
  // The next edge: the first that a unit asked for. Memory goes no further, and may make a unit ask for a
  // sooner one.
  Cycle next_;
  std::size_t turn_ = kNoTurn;  // whose edge is being delivered
  std::uint64_t edges_ = 0;
  bool stopped_ = true;
  std::uint32_t running_ = 0;  // programs
  EdgeWatcher* watcher_ = nullptr;
  Pulse pulse_;
  std::exception_ptr failure_;
};

}  // namespace tokencycle::machine
