// SPDX-License-Identifier: Apache-2.0
// One core: its units as listed by topology.h, and every connection between them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/dma/load.h"
#include "machine/dma/store.h"
#include "machine/kernel/clock_shell.h"
#include "machine/kernel/execution_shell.h"
#include "machine/kernel/front_end_shell.h"
#include "machine/machine_state.h"
#include "machine/matrix/matrix.h"
#include "machine/topology/topology.h"
#include "machine/vector/vector.h"
#include "memory/interconnect.h"

namespace tokencycle::machine {

// What is around a core.
struct CoreContext {
  const config::Machine& machine;
  observe::EventHub& hub;  // of the machine
  memory::DramStorage& storage;
  Semaphores& semaphores;  // of all cores
  Values values = Values::computed;
  std::uint8_t number = 0;
};

class Core : public sc_core::sc_module, public Connection<ClockControl> {
 public:
  // Its units have the next places in the clock's list: bind the cores in the order in which they are made.
  Core(sc_core::sc_module_name name, const CoreContext& context, std::uint32_t first_turn);

  // Binds everything inside, and the clock's edges.
  void bind(ClockShell& clock);
  // Its units at the interconnect that are of this kind; once elaborated.
  void attach(memory::Requester kind, std::vector<memory::Attachment>& sources);

  // After elaboration: iterations that are known are taken without the units.
  void set_fast_forward();
  std::uint64_t skipped_cycles() const { return fast_forward_ ? fast_forward_->skipped_cycles() : 0; }
  void set_choices(Choices* choices);
  void start(Cycle now, DramAddress base, std::uint32_t words);
  CoreParts parts();  // for messages
  Cycle halted_at() const { return halted_at_; }

  std::uint8_t number() const { return context_.number; }
  LocalMemory& local() { return local_; }
  memory::Scratchpad& scratchpad() { return scratchpad_; }
  Decode& decode() { return decode_.core(); }
  std::uint64_t multiplications() const;
  std::uint64_t decoded() const;
  std::uint64_t vector_elements() const;
  // Between two programs.
  template <class Archive>
  void serialize(Archive& state);

  // The clock as decode sees it: its halt ends the program of this core alone.
  void wake(Turn turn, Cycle cycle) override { clock_->wake(turn, cycle); }
  void stop() override;

 private:
  template <class Unit>
  using Shells = std::vector<std::unique_ptr<ExecutionShell<Unit>>>;
  Turn turn_of(UnitKind kind, std::uint32_t index = 0) const;
  template <class Unit>
  void make(Shells<Unit>& shells, UnitKind kind, const char* name);
  template <class Unit>
  std::unique_ptr<Unit> make_unit(std::uint32_t index, ResultSink& results, HazardBoard& board,
                                  ClockLine clock);
  Connection<Clocked>& clocked(const UnitPlace& unit);
  template <class Call>
  void for_each_unit(const Call& call);  // that executes instructions, in the order of the list

  const CoreContext context_;
  const std::vector<UnitPlace> units_;
  const std::uint32_t first_turn_;
  observe::EventHub of_core_;
  observe::EventHub& hub_;
  memory::Scratchpad scratchpad_;
  LocalMemory local_;
  ClockShell* clock_ = nullptr;
  Cycle halted_at_;
  std::optional<FastForward> fast_forward_;

  FetchShell fetch_;
  DecodeShell decode_;
  DispatchShell dispatch_;
  Shells<LoadDma> loads_;
  Shells<StoreDma> stores_;
  Shells<Matrix> matrices_;
  Shells<Vector> vectors_;
  WritebackShell writeback_;
};

}  // namespace tokencycle::machine
