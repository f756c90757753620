// SPDX-License-Identifier: Apache-2.0
// SystemC keeps its kernel in one global variable; this is the only place that touches it.
#pragma once

#include <memory>
#include <systemc>

namespace tokencycle::machine {

// A fresh kernel for one machine: two machines in a process, one after the other, do not know of each other.
// Make it before the machine's modules, destroy it after them; contexts nest like scopes.
class SimulationContext {
 public:
  SimulationContext() : previous_(sc_core::sc_curr_simcontext), own_(new sc_core::sc_simcontext) { enter(); }
  ~SimulationContext() {
    own_.reset();
    sc_core::sc_curr_simcontext = previous_;
  }
  SimulationContext(const SimulationContext&) = delete;
  SimulationContext& operator=(const SimulationContext&) = delete;

  // Makes this kernel the current one (a test may hold two machines and step them in turn).
  void enter() { sc_core::sc_curr_simcontext = own_.get(); }

 private:
  sc_core::sc_simcontext* previous_;
  std::unique_ptr<sc_core::sc_simcontext> own_;
};

}  // namespace tokencycle::machine
