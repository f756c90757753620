// SPDX-License-Identifier: Apache-2.0
// What the load and the store DMA have in common: transfers in order, bursts in flight, sleeping.
#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "base/ring.h"
#include "config/machine.h"
#include "machine/dma/burst_walk.h"
#include "machine/dma/port.h"
#include "machine/local_memory.h"
#include "machine/unit.h"
#include "memory/dram/storage.h"
#include "memory/interconnect.h"

namespace tokencycle::machine {

// The parts of the machine that an engine works with.
struct DmaContext {
  const config::Machine& machine;
  observe::EventHub& hub;
  LocalMemory& local;
  memory::DramStorage& storage;
  ResultSink& results;
  HazardBoard& board;
  ClockLine clock;
  Values values = Values::computed;
};

// Transfers are issued in order and overlap: the bursts of the next follow those of the one before without a
// gap, with a bounded number in flight. A transfer keeps its queue entry until its last byte has arrived.
// Bursts are cut, and what they need from the scratchpad is read, one ahead of the issue; with several bursts
// a cycle as many as the port reads during its latency.
class DmaEngine : public Clocked, public InstructionQueue, public memory::BurstSource {
 public:
  void start(Cycle now) { state_.set(observe::State::idle, now); }
  void stop(Cycle now) { state_.set(observe::State::halted, now); }
  observe::State state() const { return state_.now(); }
  std::size_t transfers() const { return transfers_.size(); }
  std::uint32_t bursts_in_flight() const { return in_flight_; }
  // Between two programs: no transfer is under way.
  template <class Archive>
  void serialize(Archive& state) {
    state(port_, state_, free_tags_, releases_, waiting_, data_state_);
  }

  void push(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;

  Cycle next_issue() const override;
  const memory::Burst& head() const override { return heads_.front().burst; }
  void issued(Cycle now) override;
  void completed(Cycle now, const memory::Burst& burst) override;
  void data_state_changed(Cycle now, observe::State state) override;

 protected:
  struct Transfer {
    InFlight* entry = nullptr;
    BurstWalk walk;
    Cycle seen;                     // the cycle after its dispatch: nothing of it happens earlier
    std::uint32_t outstanding = 0;  // bursts that are cut and not complete
    Cycle done_at;                  // when what has arrived so far is in place
    bool started = false;
  };

  DmaEngine(const DmaContext& context, observe::UnitId unit, memory::Requester requester,
            memory::Port local_port, std::uint32_t bursts_in_flight);
  // Bursts that an engine can know of at the same time; their tags count from 0.
  static std::uint32_t tags(const config::Machine& machine, std::uint32_t bursts_in_flight);

  // Makes the block of an instruction walkable.
  virtual BurstWalk walk_of(const isa::Instruction& instruction) const = 0;
  // Called when a piece is cut: may fetch operands and set a row's address. Returns the
  // cycle from which the piece can be issued, not before `earliest`.
  virtual Cycle prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t tag) = 0;
  // A burst is complete at `now`. Returns the cycle from which its bytes are in place and its slot is free.
  virtual Cycle land(Cycle now, const InFlight& entry, std::uint64_t offset, const memory::Burst& burst) = 0;

  const DmaContext context_;
  // A burst asked for the port at `asked` and gets it at `begins`. Call it in the order of the port.
  void wait_for_port(Cycle asked, Cycle begins) {
    if (begins > asked) waiting_.push_back(begins);
  }

  const std::uint32_t burst_bytes_, port_bytes_;
  DmaPort port_;
  const memory::Port local_port_;  // the scratchpad's name for it

 private:
  struct Landing {
    Transfer* transfer = nullptr;
    std::uint64_t offset = 0;  // in the block
  };
  struct Head {  // the next to be issued, or one behind it
    memory::Burst burst;
    Cycle ready;  // when it can be issued
  };
  void read_ahead(Cycle now);
  void cut(Cycle now);
  bool port_limits(Cycle now);
  std::uint64_t port_bytes_so_far() const;  // through the engine's scratchpad port
  void update_state(Cycle now);

  observe::UnitState state_;
  const observe::UnitId unit_;
  const memory::Requester requester_;
  const std::uint32_t limit_, ahead_;

  std::list<Transfer> transfers_;  // in order
  std::list<Transfer>::iterator cutting_ = transfers_.end();
  Ring<Head> heads_;               // in order, at most ahead_
  std::vector<Landing> landings_;  // by burst tag; the heads have one as well
  std::vector<std::uint32_t> free_tags_;
  Ring<Cycle> releases_;  // when the slots of arrived bursts become free
  Ring<Cycle> waiting_;   // when the bursts that wait for the port get it
  std::uint32_t in_flight_ = 0;
  observe::State data_state_ = observe::State::idle;
};

}  // namespace tokencycle::machine
