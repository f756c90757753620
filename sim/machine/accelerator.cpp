// SPDX-License-Identifier: Apache-2.0
#include "machine/accelerator.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/state_archives.h"
#include "machine/kernel/memory_shell.h"
#include "machine/kernel/sim_context_shell.h"
#include "machine/machine_state.h"
#include "machine/topology/core.h"

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
  observe::EventHub hub;
  SimulationContext context;
  ClockShell clock;
  MemoryShell memory;
  Semaphores semaphores;  // of all cores
  std::vector<std::unique_ptr<Core>> cores;
  ProgressObserver progress{clock};

  Modules(const config::Machine& description, Clocking clocking, Values values)
      : machine(description),
        clock("clock", 1.0 / machine.clock_ghz, clocking, machine.watchdog_cycles),
        memory("memory", machine, hub) {
    clock.out_memory(memory);
    const auto units = static_cast<std::uint32_t>(units_of_core(machine).size());
    for (std::uint32_t c = 0; c < machine.cores; ++c) {
      const std::string name = "core" + std::to_string(c);
      const CoreContext around{machine,    hub,    memory.storage(),
                               semaphores, values, static_cast<std::uint8_t>(c)};
      cores.push_back(std::make_unique<Core>(name.c_str(), around, c * units));
      cores.back()->bind(clock);
    }
    // The kernel would warn, from the second machine of a process on, that there is nothing to run yet.
    sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaborates: the units exist from here on
    attach();
    cores.front()->set_fast_forward();
    hub.subscribe(progress);
  }

  // Who asks for bursts, by kind in the order of their priority.
  void attach() {
    std::vector<memory::Attachment> sources;
    for (const auto kind : {memory::Requester::fetch, memory::Requester::store, memory::Requester::load}) {
      for (const auto& core : cores) core->attach(kind, sources);
    }
    memory.interconnect().attach(std::move(sources));
  }

  std::string state() {
    std::string text;
    for (const auto& core : cores) text += units_text(core->parts());
    text += channels_text(machine, memory.interconnect());
    for (const auto& core : cores) text += in_flight_text(core->parts());
    return text;
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
  const ProgramPlace program{base, words};
  return execute(std::span(&program, 1)).front();
}

std::vector<Execution> Accelerator::execute(std::span<const ProgramPlace> programs) {
  Modules& m = *modules_;
  if (programs.empty() || programs.size() > m.cores.size()) {
    throw SimulationError(
        fmt::format("{} programs for a machine of {} cores (/cores)", programs.size(), m.cores.size()));
  }
  m.context.enter();
  const Cycle start = m.clock.now() + 1;
  m.semaphores.clear();
  for (std::size_t c = 0; c < programs.size(); ++c)
    m.cores[c]->start(start, programs[c].base, programs[c].words);
  try {
    m.clock.run(static_cast<std::uint32_t>(programs.size()));
  } catch (const SimulationError& error) {
    throw SimulationError(error.what() + m.state());
  }
  std::vector<Execution> executions;
  for (std::size_t c = 0; c < programs.size(); ++c)
    executions.push_back({start, m.cores[c]->halted_at() + 1});
  return executions;
}

void Accelerator::set_pulse(Pulse pulse) {
  modules_->clock.set_pulse(std::move(pulse));
}
void Accelerator::set_choices(Choices* choices) {
  for (const auto& core : modules_->cores) core->set_choices(choices);
}
Cycle Accelerator::now() const {
  return modules_->clock.now();
}

std::span<const std::byte> Accelerator::local(isa::LocalAddress address, std::size_t bytes,
                                              std::uint32_t core) const {
  return modules_->cores.at(core)->local().at(address, bytes);
}
std::uint64_t Accelerator::decoded() const {
  std::uint64_t sum = 0;
  for (const auto& core : modules_->cores) sum += core->decoded();
  return sum;
}

std::uint64_t Accelerator::multiplications() const {
  std::uint64_t sum = 0;
  for (const auto& core : modules_->cores) sum += core->multiplications();
  return sum;
}
std::uint64_t Accelerator::vector_elements() const {
  std::uint64_t sum = 0;
  for (const auto& core : modules_->cores) sum += core->vector_elements();
  return sum;
}
std::uint64_t Accelerator::instructions() const {
  std::uint64_t sum = 0;
  for (const auto& core : modules_->cores) sum += core->decode().instructions();
  return sum;
}
std::uint64_t Accelerator::edges() const {
  return modules_->clock.edges();
}
std::uint64_t Accelerator::skipped_cycles() const {
  return modules_->cores.front()->skipped_cycles();
}
const memory::TrafficCounters& Accelerator::traffic(memory::Requester requester, bool write,
                                                    std::uint32_t core) const {
  return modules_->memory.interconnect().counters(requester, write, static_cast<std::uint8_t>(core));
}
const memory::PortCounters& Accelerator::port(memory::Port port, std::uint32_t core) const {
  return modules_->cores.at(core)->scratchpad().counters(port);
}
std::optional<memory::DramUse> Accelerator::dram_use(std::uint32_t channel) const {
  return modules_->memory.interconnect().dram_use(channel, modules_->clock.now());
}

template <class Archive>
void Accelerator::serialize(Archive& state) {
  Modules& m = *modules_;
  m.context.enter();  // for the kernel's time
  state(m.clock, m.memory.storage(), m.memory.interconnect());
  for (const auto& core : m.cores) state(*core);
}
template void Accelerator::serialize(StateWriter&);
template void Accelerator::serialize(StateReader&);

void Accelerator::ignore_hazards() {
  for (const auto& core : modules_->cores) core->decode().scoreboard().ignore_hazards();
}

}  // namespace tokencycle::machine
