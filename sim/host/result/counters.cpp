// SPDX-License-Identifier: Apache-2.0
#include "config/dram/system.h"
#include "host/result/result.h"

namespace tokencycle::host {

namespace {

void add_traffic(std::vector<Counter>& all, machine::Accelerator& a, const std::string& name,
                 memory::Requester requester, bool write) {
  const memory::TrafficCounters& t = a.traffic(requester, write);
  const std::string what = write ? "written" : "read";
  all.push_back({name + ".bursts", "bursts", "DRAM bursts " + what, t.bursts});
  all.push_back(
      {name + ".used_bytes", "bytes", "bytes " + what + " that the program asked for", t.used_bytes});
  all.push_back({name + ".moved_bytes", "bytes", "bytes moved: whole bursts", t.moved_bytes});
  all.push_back({name + ".room_wait_cycles", "cycles",
                 "cycles that its next burst waited for a place in DRAM", t.room_wait_cycles});
}

void add_port(std::vector<Counter>& all, machine::Accelerator& a, const std::string& name,
              memory::Port port) {
  const memory::PortCounters& p = a.port(port);
  all.push_back({name + ".accesses", "accesses", "scratchpad accesses", p.accesses});
  all.push_back({name + ".bytes", "bytes", "scratchpad bytes accessed", p.bytes});
  all.push_back(
      {name + ".conflict_cycles", "cycles", "cycles that accesses waited for a bank", p.conflict_cycles});
}

void add_channel(std::vector<Counter>& all, const std::string& name, const memory::DramUse& use) {
  using config::DramCommand;
  const auto add = [&](const char* what, const char* unit, const char* meaning, std::uint64_t value) {
    all.push_back({name + "." + what, unit, meaning, value});
  };
  const memory::DramCounters& c = use.counters;
  const auto commands = [&](std::initializer_list<DramCommand> kinds) {
    std::uint64_t sum = 0;
    for (const DramCommand k : kinds) sum += c.commands[static_cast<std::size_t>(k)];
    return sum;
  };
  add("reads", "bursts", "bursts of the devices asked for", c.reads);
  add("writes", "bursts", "bursts of the devices to be written", c.writes);
  add("forwarded", "bursts", "reads answered from a waiting write", c.forwarded);
  add("coalesced", "bursts", "writes that joined a waiting write", c.coalesced);
  add("row_hits", "bursts", "bursts that found their row open", c.hits);
  add("row_misses", "bursts", "bursts that found their bank closed", c.misses);
  add("row_conflicts", "bursts", "bursts that found another row open", c.conflicts);
  add("turnarounds", "transfers", "transfers in the other direction than the one before", c.turnarounds);
  add("activations", "commands", "rows opened", commands({DramCommand::activate}));
  add("precharges", "commands", "explicit precharges",
      commands({DramCommand::precharge, DramCommand::precharge_all}));
  add("refreshes", "commands", "refreshes of a rank or bank",
      commands({DramCommand::refresh_all, DramCommand::refresh_bank}));
  add("clocks", "clocks", "command clocks", use.clocks);
  add("open_bank_clocks", "clocks", "clocks with an open row, summed over banks", use.open_bank_clocks);
  add("refreshing_bank_clocks", "clocks", "clocks in which a refresh blocks a bank, summed over banks",
      use.refreshing_bank_clocks);
}

}  // namespace

std::vector<Counter> counters(Inference& inference) {
  machine::Accelerator& a = inference.accelerator();
  std::vector<Counter> all;
  all.push_back({"decode.instructions", "instructions", "instructions decoded", a.instructions()});
  all.push_back({"matrix0.decoded_values", "values",
                 "numbers that the stages behind the array's ports took apart", a.decoded()});
  all.push_back({"matrix0.multiply_accumulates", "operations", "multiply-accumulates of valid elements",
                 a.multiplications()});
  all.push_back({"vector0.elements", "elements", "elements of vector instructions", a.vector_elements()});
  add_traffic(all, a, "fetch", memory::Requester::fetch, false);
  add_traffic(all, a, "dma0.read", memory::Requester::load, false);
  add_traffic(all, a, "dma0.write", memory::Requester::store, true);
  add_port(all, a, "scratchpad.decode", memory::Port::decode);
  add_port(all, a, "scratchpad.dma0.read", memory::Port::load);
  add_port(all, a, "scratchpad.dma0.write", memory::Port::store);
  add_port(all, a, "scratchpad.matrix0.stationary", memory::Port::stationary);
  add_port(all, a, "scratchpad.matrix0.moving", memory::Port::moving);
  add_port(all, a, "scratchpad.vector0", memory::Port::vector);
  for (std::uint32_t i = 0; i < a.machine().dram.channels; ++i) {
    if (const auto use = a.dram_use(i)) add_channel(all, observe::name_of(observe::channel_id(i)), *use);
  }
  all.push_back({"events", "events", "events reported by all units", inference.events()});
  return all;
}

std::size_t RunReport::prompt_count() const {
  std::size_t sum = 0;
  for (const SequenceReport& s : sequences) sum += s.prompt_tokens.size();
  return sum;
}

std::size_t RunReport::decode_count() const {
  std::size_t sum = 0;
  for (const SequenceReport& s : sequences) sum += s.ids.empty() ? 0 : s.ids.size() - 1;
  return sum;
}

observe::Stack RunReport::total_stack() const {
  observe::Stack total{};
  for (const TokenReport& t : tokens) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += t.stack[i];
  }
  for (std::size_t i = 0; unfinished && i < total.size(); ++i) total[i] += unfinished->stack[i];
  return total;
}

}  // namespace tokencycle::host
