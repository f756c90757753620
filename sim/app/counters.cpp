// SPDX-License-Identifier: Apache-2.0
#include "app/result.h"

namespace tokencycle::app {

namespace {

void add_traffic(std::vector<Counter>& all, Accelerator& a, const std::string& name,
                 memory::Requester requester, bool write) {
  const memory::TrafficCounters& t = a.traffic(requester, write);
  const std::string what = write ? "written" : "read";
  all.push_back({name + ".bursts", "bursts", "DRAM bursts " + what, t.bursts});
  all.push_back(
      {name + ".used_bytes", "bytes", "bytes " + what + " that the program asked for", t.used_bytes});
  all.push_back({name + ".moved_bytes", "bytes", "bytes moved: whole bursts", t.moved_bytes});
}

void add_port(std::vector<Counter>& all, Accelerator& a, const std::string& name, memory::Port port) {
  const memory::PortCounters& p = a.port(port);
  all.push_back({name + ".accesses", "accesses", "scratchpad accesses", p.accesses});
  all.push_back({name + ".bytes", "bytes", "scratchpad bytes accessed", p.bytes});
  all.push_back(
      {name + ".conflict_cycles", "cycles", "cycles that accesses waited for a bank", p.conflict_cycles});
}

}  // namespace

std::vector<Counter> counters(Inference& inference) {
  Accelerator& a = inference.accelerator();
  std::vector<Counter> all;
  all.push_back({"decode.instructions", "instructions", "instructions decoded", a.instructions()});
  all.push_back({"matrix0.multiply_accumulates", "operations", "multiply-accumulates of valid elements",
                 a.multiplications()});
  all.push_back({"vector0.elements", "elements", "elements of vector instructions", a.vector_elements()});
  add_traffic(all, a, "fetch", memory::Requester::fetch, false);
  add_traffic(all, a, "dma0.read", memory::Requester::load, false);
  add_traffic(all, a, "dma0.write", memory::Requester::store, true);
  add_port(all, a, "scratchpad.dma0.read", memory::Port::load);
  add_port(all, a, "scratchpad.dma0.write", memory::Port::store);
  add_port(all, a, "scratchpad.matrix0.stationary", memory::Port::stationary);
  add_port(all, a, "scratchpad.matrix0.moving", memory::Port::moving);
  add_port(all, a, "scratchpad.vector0", memory::Port::vector);
  all.push_back({"events", "events", "events reported by all units", inference.events()});
  return all;
}

observe::Stack RunReport::total_stack() const {
  observe::Stack total{};
  for (const TokenReport& t : tokens) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += t.stack[i];
  }
  return total;
}

}  // namespace tokencycle::app
