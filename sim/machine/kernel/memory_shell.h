// SPDX-License-Identifier: Apache-2.0
// The SystemC module around DRAM and the interconnect in front of it.
#pragma once

#include "machine/kernel/clock_shell.h"
#include "machine/kernel/connection_shell.h"
#include "memory/dram/storage.h"
#include "memory/interconnect.h"

namespace tokencycle::machine {

class MemoryShell : public sc_core::sc_module, public Connection<LazyMemory> {
 public:
  MemoryShell(sc_core::sc_module_name name, const config::Machine& machine, observe::EventHub& hub)
      : sc_module(name),
        storage_(machine.dram.capacity_bytes),
        interconnect_(memory::make_dram(machine), machine, hub) {}
  void advance(const Cycle& until) override { interconnect_.advance(until); }
  Cycle quiet_until() const override { return interconnect_.quiet_until(); }
  memory::DramStorage& storage() { return storage_; }
  memory::Interconnect& interconnect() { return interconnect_; }

 private:
  memory::DramStorage storage_;
  memory::Interconnect interconnect_;
};

}  // namespace tokencycle::machine
