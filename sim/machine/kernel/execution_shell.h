// SPDX-License-Identifier: Apache-2.0
// The SystemC module around a unit that executes instructions: its ports, and nothing else.
#pragma once

#include <functional>
#include <memory>

#include "machine/kernel/clock_shell.h"
#include "machine/kernel/connection_shell.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// Core is a plain class that is Clocked and an InstructionQueue.
template <class Core>
class ExecutionShell : public sc_core::sc_module,
                       public Connection<Clocked>,
                       public Connection<InstructionQueue> {
 public:
  Port<ResultSink> out_results{"out_results"};
  Port<HazardBoard> out_hazards{"out_hazards"};
  Port<ClockControl> in_clock{"in_clock"};

  // Makes the core once the ports are bound.
  using Make = std::function<std::unique_ptr<Core>(ResultSink&, HazardBoard&, ClockLine)>;
  ExecutionShell(sc_core::sc_module_name name, Turn turn, Make make)
      : sc_module(name), turn_(turn), make_(std::move(make)) {}

  void end_of_elaboration() override {
    core_ = make_(*out_results.operator->(), *out_hazards.operator->(), line_of(in_clock, turn_));
  }
  Cycle edge(Cycle now) override { return core_->edge(now); }
  void push(Cycle now, InFlight& entry) override { core_->push(now, entry); }
  Core& core() { return *core_; }

 private:
  const Turn turn_;
  Make make_;
  std::unique_ptr<Core> core_;
};

}  // namespace tokencycle::machine
