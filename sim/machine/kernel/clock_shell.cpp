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

void ClockShell::end_of_elaboration() {
  memory_ = out_memory.operator->();
  for (int turn = 0; turn < out_units.size(); ++turn) units_.push_back(out_units[turn]);
  wake_.assign(units_.size(), kNever);
}

void ClockShell::run(std::uint32_t programs) {
  running_ = programs;
  stopped_ = false;
  turn_ = kNoTurn;
  last_progress_ = kernel_ = now_;
  // The kernel's time advances with this machine alone while it runs.
  last_ = now_ + (sc_core::sc_max_time().value() - 1 - sc_core::sc_time_stamp().value()) / period_.value();
  next_ = *std::min_element(wake_.begin(), wake_.end());
  schedule();
  notify_at(next_);
  sc_core::sc_start();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// The next edge that a unit wants, with memory up to date for it.
void ClockShell::schedule() {
  if (clocking_ == Clocking::gated) {
    // At the latest when the watchdog bites, also if no unit wants an edge any more.
    next_ = std::max(std::min(next_, last_progress_ + watchdog_cycles_ + 1), now_ + 1);
  } else {
    next_ = now_ + 1;
  }
  memory_->advance(next_);
  if (next_ > last_) refuse_time();
}

void ClockShell::notify_at(Cycle cycle) {
  ev_edge_.notify(sc_core::sc_time::from_value(period_.value() * (cycle.value - kernel_.value)));
  kernel_ = cycle;
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

// What the kernel calls at its event: the edges from next_ on, as many as nothing else in it can distinguish.
void ClockShell::tick() {
  if (stopped_) return;  // the kernel's time has followed the last edge
  try {
    const bool alone = !sc_core::sc_pending_activity();
    std::uint64_t edges = 0;
    do {
      deliver();
      if (stopped_) break;
      if (edges_ % kPulseEdges == 0 && pulse_) pulse_(now_);
      if (watcher_ != nullptr && clocking_ == Clocking::gated && alone) watch();
      schedule();
    } while (++edges < kPulseEdges && alone);
  } catch (...) {  // the kernel would turn it into a report of its own
    failure_ = std::current_exception();
    stopped_ = true;
  }
  if (!stopped_) {
    notify_at(next_);
  } else if (now_ > kernel_) {
    notify_at(now_);
  }
}

void ClockShell::watch() {
  const Cycle before = now_;
  watcher_->after_edge(now_);
  if (now_ != before) next_ = *std::min_element(wake_.begin(), wake_.end());
}

void ClockShell::skipped(Cycle now, std::uint64_t edges) {
  now_ = now;
  const std::uint64_t before = std::exchange(edges_, edges_ + edges);
  if (pulse_ && before / kPulseEdges != edges_ / kPulseEdges) pulse_(now_);
}

void ClockShell::deliver() {
  now_ = next_;
  next_ = kNever;
  ++edges_;
  const Cycle due = clocking_ == Clocking::gated ? now_ : kNever;
  Cycle* const wake = wake_.data();
  Cycle first = kNever;
  const std::size_t units = units_.size();
  for (std::size_t turn = 0; turn < units; ++turn) {
    Cycle mine = wake[turn];
    if (mine <= due) {
      turn_ = turn;
      wake[turn] = kNever;
      const Cycle next = units_[turn]->edge(now_);
      mine = wake[turn] = std::min(wake[turn], next);
      if (stopped_) break;
    }
    first = std::min(first, mine);
  }
  turn_ = kNoTurn;
  next_ = std::min(next_, first);
  if (stopped_) {
    std::fill(wake_.begin(), wake_.end(), kNever);
  } else if (now_.value - last_progress_.value > watchdog_cycles_) {
    throw SimulationError(
        fmt::format("no instruction was retired for {} cycles (watchdog_cycles), at cycle {}",
                    watchdog_cycles_, now_.value));
  }
}

}  // namespace tokencycle::machine
