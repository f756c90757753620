// SPDX-License-Identifier: Apache-2.0
#include "machine/kernel/clock_shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tokencycle::machine {

ClockShell::ClockShell(sc_core::sc_module_name name, double period_ns, Clocking clocking,
                       std::uint64_t watchdog_cycles)
    : sc_module(name),
      period_(period_ns, sc_core::SC_NS),
      clocking_(clocking),
      watchdog_cycles_(watchdog_cycles) {
  SC_METHOD(tick);
  sensitive << ev_edge_;
  dont_initialize();
}

void ClockShell::run(std::uint32_t programs) {
  running_ = programs;
  stopped_ = false;
  last_progress_ = now_;
  // The kernel's time goes on with this machine alone while it runs.
  last_ = now_ + (sc_core::sc_max_time().value() - 1 - sc_core::sc_time_stamp().value()) / period_.value();
  schedule();
  sc_core::sc_start();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// Asks the kernel for the next edge that somebody wants.
void ClockShell::schedule() {
  next_ = now_ + 1;
  if (clocking_ == Clocking::gated) {
    // At the latest when the watchdog bites, also if nobody wants any edge any more.
    next_ = std::clamp(*std::min_element(wake_.begin(), wake_.end()), next_,
                       last_progress_ + watchdog_cycles_ + 1);
  }
  out_memory->advance(next_);
  if (next_ > last_) refuse_time();
  ev_edge_.notify(sc_core::sc_time::from_value(period_.value() * (next_.value - now_.value)));
}

void ClockShell::move_kernel() {
  sc_core::sc_start(sc_core::sc_time::from_value(period_.value() * now_.value), sc_core::SC_RUN_TO_TIME);
}

void ClockShell::refuse_time() const {
  throw SimulationError(fmt::format(
      "after cycle {} nothing happens before cycle {}, and the simulation's time ends with cycle {}; "
      "choose a larger clock_ghz or, if the program waits for nothing, fewer watchdog_cycles",
      now_.value, next_.value, last_.value));
}

void ClockShell::tick() {
  try {
    now_ = next_;
    ++edges_;
    for (int turn = 0; turn < out_units.size() && !stopped_; ++turn) {
      Cycle& wake = wake_[static_cast<std::size_t>(turn)];
      if (wake > now_ && clocking_ == Clocking::gated) continue;
      wake = kNever;
      const Cycle next = out_units[turn]->edge(now_);
      wake = std::min(wake, next);
    }
    if (stopped_) {
      std::fill(wake_.begin(), wake_.end(), kNever);
      return;
    }
    if (now_.value - last_progress_.value > watchdog_cycles_) {
      throw SimulationError(
          fmt::format("no instruction was retired for {} cycles (watchdog_cycles), at cycle {}",
                      watchdog_cycles_, now_.value));
    }
    if (edges_ % kPulseEdges == 0 && pulse_) pulse_(now_);
    schedule();
  } catch (...) {  // the kernel would turn it into a report of its own
    failure_ = std::current_exception();
    stopped_ = true;
  }
}

}  // namespace tokencycle::machine
