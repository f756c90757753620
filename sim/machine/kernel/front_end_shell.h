// SPDX-License-Identifier: Apache-2.0
// The SystemC modules around fetch, decode, dispatch and writeback.
#pragma once

#include <memory>
#include <optional>

#include "machine/front_end/decode.h"
#include "machine/front_end/dispatch.h"
#include "machine/front_end/fetch.h"
#include "machine/front_end/writeback.h"
#include "machine/kernel/connection_shell.h"

namespace tokencycle::machine {

class FetchShell : public sc_core::sc_module, public Connection<InstructionSource> {
 public:
  Port<ClockControl> in_clock{"in_clock"};

  // `decode`: whose edges it asks for; it has none of its own.
  FetchShell(sc_core::sc_module_name name, const config::Machine& machine, const memory::DramStorage& storage,
             observe::EventHub& hub, Turn decode)
      : sc_module(name), machine_(machine), storage_(storage), hub_(hub), turn_(decode) {}
  void end_of_elaboration() override { core_.emplace(machine_, storage_, hub_, line_of(in_clock, turn_)); }
  FetchedWord peek(Cycle now, std::uint32_t pc) override { return core_->peek(now, pc); }
  void move_to(Cycle now, std::uint32_t pc, std::uint32_t keep) override { core_->move_to(now, pc, keep); }
  std::uint32_t capacity() const override { return core_->capacity(); }
  std::uint32_t words() const override { return core_->words(); }
  void stop(Cycle now) override { core_->stop(now); }
  Fetch& core() { return *core_; }

 private:
  const config::Machine& machine_;
  const memory::DramStorage& storage_;
  observe::EventHub& hub_;
  const Turn turn_;
  std::optional<Fetch> core_;
};

class DecodeShell : public sc_core::sc_module, public Connection<Clocked>, public Connection<HazardBoard> {
 public:
  Port<InstructionSource> in_words{"in_words"};
  Port<InstructionQueue> out_dispatch{"out_dispatch"};
  Port<ClockControl> in_clock{"in_clock"};

  DecodeShell(sc_core::sc_module_name name, const config::Machine& machine, observe::EventHub& hub,
              LocalMemory& local, Semaphores& semaphores, Turn turn)
      : sc_module(name), machine_(machine), hub_(hub), local_(local), semaphores_(semaphores), turn_(turn) {}
  void end_of_elaboration() override {
    core_ = std::make_unique<Decode>(machine_, hub_, local_, semaphores_, *in_words.operator->(),
                                     *out_dispatch.operator->(), line_of(in_clock, turn_));
  }
  Cycle edge(Cycle now) override { return core_->edge(now); }
  void left_queue(Cycle now, InFlight& entry) override { core_->left_queue(now, entry); }
  void retired(Cycle now, InFlight& entry) override { core_->retired(now, entry); }
  Decode& core() { return *core_; }

 private:
  const config::Machine& machine_;
  observe::EventHub& hub_;
  LocalMemory& local_;
  Semaphores& semaphores_;
  const Turn turn_;
  std::unique_ptr<Decode> core_;
};

class DispatchShell : public sc_core::sc_module,
                      public Connection<Clocked>,
                      public Connection<InstructionQueue> {
 public:
  // The units of each kind, in the order of their numbers.
  ListPort<InstructionQueue> out_load{"out_load"}, out_store{"out_store"}, out_matrix{"out_matrix"},
      out_vector{"out_vector"};
  Port<ClockControl> in_clock{"in_clock"};

  DispatchShell(sc_core::sc_module_name name, observe::EventHub& hub, Turn turn)
      : sc_module(name), hub_(hub), turn_(turn) {}
  void end_of_elaboration() override {
    core_.emplace(hub_,
                  UnitQueues{std::vector<InstructionQueue*>(), all_of(out_load), all_of(out_store),
                             all_of(out_matrix), all_of(out_vector)},
                  line_of(in_clock, turn_));
  }
  Cycle edge(Cycle now) override { return core_->edge(now); }
  void push(Cycle now, InFlight& entry) override { core_->push(now, entry); }
  Dispatch& core() { return *core_; }

 private:
  static std::vector<InstructionQueue*> all_of(ListPort<InstructionQueue>& port) {
    std::vector<InstructionQueue*> queues;
    for (int i = 0; i < port.size(); ++i) queues.push_back(port[i]);
    return queues;
  }

  observe::EventHub& hub_;
  const Turn turn_;
  std::optional<Dispatch> core_;
};

class WritebackShell : public sc_core::sc_module, public Connection<Clocked>, public Connection<ResultSink> {
 public:
  Port<HazardBoard> out_hazards{"out_hazards"};
  Port<ClockControl> in_clock{"in_clock"};

  WritebackShell(sc_core::sc_module_name name, const config::Machine& machine, observe::EventHub& hub,
                 Turn turn)
      : sc_module(name), machine_(machine), hub_(hub), turn_(turn) {}
  void end_of_elaboration() override {
    core_.emplace(machine_, hub_, *out_hazards.operator->(), line_of(in_clock, turn_));
  }
  Cycle edge(Cycle now) override { return core_->edge(now); }
  void finished(Cycle now, InFlight& entry) override { core_->finished(now, entry); }
  Writeback& core() { return *core_; }

 private:
  const config::Machine& machine_;
  observe::EventHub& hub_;
  const Turn turn_;
  std::optional<Writeback> core_;
};

}  // namespace tokencycle::machine
