// SPDX-License-Identifier: Apache-2.0
#include "machine/accelerator.h"

#include "base/error.h"
#include "base/state_archives.h"
#include "machine/dma/load.h"
#include "machine/dma/store.h"
#include "machine/kernel/clock_shell.h"
#include "machine/kernel/execution_shell.h"
#include "machine/kernel/front_end_shell.h"
#include "machine/kernel/memory_shell.h"
#include "machine/kernel/sim_context_shell.h"
#include "machine/machine_state.h"
#include "machine/matrix/matrix.h"
#include "machine/vector/vector.h"

namespace tokencycle::machine {

// Retirements are the progress that the watchdog looks for.
class ProgressObserver : public observe::Observer {
 public:
  explicit ProgressObserver(ClockShell& clock) : clock_(clock) {}
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const observe::InstructionRecord& record) override { clock_.progress(record.written_back); }

 private:
  ClockShell& clock_;
};

struct Accelerator::Modules {
  config::Machine machine;
  const Values values;
  observe::EventHub hub;
  SimulationContext context;
  memory::Scratchpad scratchpad;
  LocalMemory local;

  ClockShell clock;
  MemoryShell memory;
  FetchShell fetch;
  DecodeShell decode;
  DispatchShell dispatch;
  ExecutionShell<LoadDma> load;
  ExecutionShell<StoreDma> store;
  ExecutionShell<Matrix> matrix;
  ExecutionShell<Vector> vector;
  WritebackShell writeback;
  ProgressObserver progress{clock};

  Modules(const config::Machine& description, Clocking clocking, Values values_flow)
      : machine(description),
        values(values_flow),
        scratchpad(machine.scratchpad),
        local(scratchpad, machine.accumulator.capacity_bytes),
        clock("clock", 1.0 / machine.clock_ghz, clocking, machine.watchdog_cycles),
        memory("memory", machine, hub),
        fetch("fetch", machine, memory.storage(), hub),
        decode("decode", machine, hub),
        dispatch("dispatch", hub),
        load("load", make_dma<LoadDma>()),
        store("store", make_dma<StoreDma>()),
        matrix("matrix", make_unit<Matrix>()),
        vector("vector", make_unit<Vector>()),
        writeback("writeback", machine, hub) {
    bind();
    hub.subscribe(progress);
  }

  // Every connection of the machine.
  void bind() {
    // The clock's edges, in the order of Turn.
    clock.out_memory(memory);
    clock.out_units(writeback);
    clock.out_units(load);
    clock.out_units(store);
    clock.out_units(matrix);
    clock.out_units(vector);
    clock.out_units(dispatch);
    clock.out_units(decode);

    // Instructions go down: fetch, decode, dispatch, units.
    decode.in_words(fetch);
    decode.out_dispatch(dispatch);
    dispatch.out_load(load);
    dispatch.out_store(store);
    dispatch.out_matrix(matrix);
    dispatch.out_vector(vector);

    // Results come back: units, writeback, scoreboard.
    load.out_results(writeback);
    store.out_results(writeback);
    matrix.out_results(writeback);
    vector.out_results(writeback);
    load.out_hazards(decode);
    store.out_hazards(decode);
    matrix.out_hazards(decode);
    vector.out_hazards(decode);
    writeback.out_hazards(decode);

    // Units ask the clock for their edges.
    fetch.in_clock(clock);
    decode.in_clock(clock);
    dispatch.in_clock(clock);
    load.in_clock(clock);
    store.in_clock(clock);
    matrix.in_clock(clock);
    vector.in_clock(clock);
    writeback.in_clock(clock);

    // The kernel would warn, from the second machine of a process on, that there is nothing to run yet.
    sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaborates: the cores exist from here on
    // Bursts, in the order of memory::Requester.
    memory.interconnect().attach({&fetch.core(), &store.core(), &load.core()});
  }

  template <class Core>
  typename ExecutionShell<Core>::Make make_dma() {
    return [this](ResultSink& results, HazardBoard& board, ClockControl& control) {
      return std::make_unique<Core>(
          DmaContext{machine, hub, local, memory.storage(), results, board, control, values});
    };
  }
  template <class Core>
  typename ExecutionShell<Core>::Make make_unit() {
    return [this](ResultSink& results, HazardBoard& board, ClockControl& control) {
      return std::make_unique<Core>(machine, hub, local, results, board, control, values);
    };
  }

  void start(Cycle now, DramAddress base, std::uint32_t words) {
    writeback.core().start(now);
    load.core().start(now);
    store.core().start(now);
    matrix.core().start(now);
    vector.core().start(now);
    dispatch.core().start(now);
    fetch.core().start(now, base, words);
    decode.core().start(now);
  }
  void stop(Cycle now) {
    writeback.core().stop(now);
    load.core().stop(now);
    store.core().stop(now);
    matrix.core().stop(now);
    vector.core().stop(now);
    dispatch.core().stop(now);
  }
  std::string state() {
    return state_text({machine, fetch.core(), decode.core(), dispatch.core(), load.core(), store.core(),
                       matrix.core(), vector.core(), writeback.core(), memory.interconnect()});
  }
};

Accelerator::Accelerator(const config::Machine& machine, Clocking clocking, Values values)
    : modules_(std::make_unique<Modules>(machine, clocking, values)) {}
Accelerator::~Accelerator() = default;

const config::Machine& Accelerator::machine() const {
  return modules_->machine;
}
observe::EventHub& Accelerator::events() {
  return modules_->hub;
}
memory::DramStorage& Accelerator::dram() {
  return modules_->memory.storage();
}

Execution Accelerator::execute(DramAddress base, std::uint32_t words) {
  Modules& m = *modules_;
  m.context.enter();
  const Cycle start = m.clock.now() + 1;
  m.start(start, base, words);
  try {
    m.clock.run();
  } catch (const SimulationError& error) {
    throw SimulationError(error.what() + m.state());
  }
  m.stop(m.clock.now());
  return {start, m.clock.now() + 1};
}

void Accelerator::set_pulse(Pulse pulse) {
  modules_->clock.set_pulse(std::move(pulse));
}
Cycle Accelerator::now() const {
  return modules_->clock.now();
}

std::span<const std::byte> Accelerator::local(isa::LocalAddress address, std::size_t bytes) const {
  return modules_->local.at(address, bytes);
}
std::uint64_t Accelerator::multiplications() const {
  return modules_->matrix.core().multiplications();
}
std::uint64_t Accelerator::vector_elements() const {
  return modules_->vector.core().elements();
}
std::uint64_t Accelerator::instructions() const {
  return modules_->decode.core().instructions();
}
std::uint64_t Accelerator::edges() const {
  return modules_->clock.edges();
}
const memory::TrafficCounters& Accelerator::traffic(memory::Requester requester, bool write) const {
  return modules_->memory.interconnect().counters(requester, write);
}
const memory::PortCounters& Accelerator::port(memory::Port port) const {
  return modules_->scratchpad.counters(port);
}
std::optional<memory::DramUse> Accelerator::dram_use(std::uint32_t channel) const {
  return modules_->memory.interconnect().dram_use(channel, modules_->clock.now());
}

template <class Archive>
void Accelerator::serialize(Archive& state) {
  Modules& m = *modules_;
  m.context.enter();  // for the kernel's time
  state(m.clock, m.local, m.memory.storage(), m.memory.interconnect());
  state(m.fetch.core(), m.decode.core(), m.dispatch.core(), m.load.core(), m.store.core(), m.matrix.core(),
        m.vector.core(), m.writeback.core());
}
template void Accelerator::serialize(StateWriter&);
template void Accelerator::serialize(StateReader&);

void Accelerator::ignore_hazards() {
  modules_->decode.core().scoreboard().ignore_hazards();
}

}  // namespace tokencycle::machine
