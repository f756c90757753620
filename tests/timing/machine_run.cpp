// SPDX-License-Identifier: Apache-2.0
#include "timing/machine_run.h"

#include <algorithm>
#include <stdexcept>

namespace tokencycle::timing {

namespace {

class Recorder : public observe::Observer {
 public:
  Recorder(MachineRun& run, bool keep_events) : run_(run), keep_events_(keep_events) {}
  void on_event(const observe::Event& event) override {
    if (keep_events_) run_.events.push_back(event);
  }
  void on_retired(const observe::InstructionRecord& record) override { run_.records.push_back(record); }

 private:
  MachineRun& run_;
  bool keep_events_;
};

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

const observe::InstructionRecord& MachineRun::instruction(std::uint64_t sequence) const {
  const auto found = std::find_if(records.begin(), records.end(), [&](const observe::InstructionRecord& r) {
    return r.sequence == sequence;
  });
  if (found == records.end()) throw std::runtime_error("no such instruction was retired");
  return *found;
}

MachineRun run_on(const config::Machine& machine, const isa::Program& program, const RunOptions& options) {
  MachineRun run;
  machine::Accelerator accelerator(machine, options.clocking);
  Recorder recorder(run, options.keep_events);
  observe::EventDigest digest;
  observe::UnitStatistics statistics(observe::UnitList(machine), Cycle(1));
  observe::CycleStack stack(Cycle(1));
  for (observe::Observer* o :
       {static_cast<observe::Observer*>(&recorder), static_cast<observe::Observer*>(&digest),
        static_cast<observe::Observer*>(&statistics), static_cast<observe::Observer*>(&stack)}) {
    accelerator.events().subscribe(*o);
  }
  for (const isa::DataSegment& d : program.data) accelerator.dram().write(d.address, d.bytes);
  accelerator.dram().write(kWordsAt, std::as_bytes(std::span(program.words)));
  if (options.ignore_hazards) accelerator.ignore_hazards();
  run.execution = accelerator.execute(kWordsAt, static_cast<std::uint32_t>(program.words.size()));

  statistics.settle_all(run.execution.end);
  for (std::size_t u = 0; u < statistics.units().size(); ++u) {
    run.states.emplace_back();
    for (int s = 0; s < observe::kStates; ++s) {
      run.states.back()[static_cast<std::size_t>(s)] =
          statistics.cycles(statistics.units()[u], static_cast<observe::State>(s));
    }
  }
  run.digest = digest.hex();
  run.event_count = digest.count();
  run.stack = stack.take(run.execution.end);
  run.edges = accelerator.edges();
  run.skipped_cycles = accelerator.skipped_cycles();
  run.multiplications = accelerator.multiplications();
  run.vector_elements = accelerator.vector_elements();
  for (int r = 0; r < memory::kRequesters; ++r) {
    const auto requester = static_cast<memory::Requester>(r);
    const std::uint32_t units = requester == memory::Requester::fetch ? 1 : machine.dma.engines;
    for (std::uint32_t n = 0; n < units; ++n) {
      const memory::TrafficCounters& t =
          accelerator.traffic(n == 0 ? requester : nth(requester, n), requester == memory::Requester::store);
      run.traffic[r].bursts += t.bursts;
      run.traffic[r].used_bytes += t.used_bytes;
      run.traffic[r].moved_bytes += t.moved_bytes;
      run.traffic[r].room_wait_cycles += t.room_wait_cycles;
    }
  }
  for (int p = 0; p < memory::kPorts; ++p) run.ports[p] = accelerator.port(static_cast<memory::Port>(p));
  run.scratchpad =
      copy_of(accelerator.local(isa::LocalAddress::scratchpad(0), machine.scratchpad.capacity_bytes));
  run.accumulator =
      copy_of(accelerator.local(isa::LocalAddress::accumulator(0), machine.accumulator.capacity_bytes));
  run.dram.resize(options.dram_bytes);
  accelerator.dram().read(DramAddress(0), run.dram);
  return run;
}

MachineRun run_text(const config::Machine& machine, const std::string& text) {
  return run_on(machine, isa::assemble(text, "test"), {machine::Clocking::gated, 0, true});
}

}  // namespace tokencycle::timing
