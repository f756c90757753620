// SPDX-License-Identifier: Apache-2.0
// What the load and the store DMA have in common: transfers in order, bursts in flight, sleeping.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <vector>

#include "config/machine.h"
#include "machine/dma/burst_walk.h"
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
  ClockControl& clock;
  Values values = Values::computed;
};

// Transfers are issued in order and overlap: the bursts of the next follow those of the one before without a
// gap, with a bounded number in flight. A transfer keeps its queue entry until its last byte has arrived.
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
    state(port_free_, state_, free_tags_, releases_, ready_at_, data_state_);
  }

  void push(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;

  Cycle next_issue() const override;
  const memory::Burst& head() const override { return head_; }
  void issued(Cycle now) override;
  void completed(Cycle now, const memory::Burst& burst) override;
  void data_state_changed(Cycle now, observe::State state) override;

 protected:
  struct Transfer {
    InFlight* entry = nullptr;
    BurstWalk walk;
    Cycle seen;  // the cycle after its dispatch: nothing of it happens earlier
    std::uint32_t outstanding = 0;
    Cycle done_at;  // when what has arrived so far is in place
    bool started = false;
  };

  DmaEngine(const DmaContext& context, observe::UnitId unit, Turn turn, memory::Requester requester,
            std::uint32_t bursts_in_flight);

  // Makes the block of an instruction walkable.
  virtual BurstWalk walk_of(const isa::Instruction& instruction) const = 0;
  // Called when a piece becomes the next to issue: may fetch operands and set a row's address. Returns the
  // cycle from which the piece can be issued, not before `earliest`.
  virtual Cycle prepare(Cycle now, Cycle earliest, Transfer& transfer, std::uint32_t tag) = 0;
  // A burst is complete at `now`. Returns the cycle from which its bytes are in place and its slot is free.
  virtual Cycle land(Cycle now, const InFlight& entry, std::uint64_t offset, const memory::Burst& burst) = 0;

  const DmaContext context_;
  const std::uint32_t burst_bytes_, port_bytes_;
  Cycle port_free_;  // the scratchpad port's next free cycle

 private:
  struct Landing {
    Transfer* transfer = nullptr;
    std::uint64_t offset = 0;  // in the block
  };
  void prepare_head(Cycle now, Cycle earliest);
  std::uint64_t port_bytes_so_far() const;  // through the engine's scratchpad port
  void update_state(Cycle now);

  observe::UnitState state_;
  const observe::UnitId unit_;
  const Turn turn_;
  const memory::Requester requester_;
  const std::uint32_t limit_;

  std::list<Transfer> transfers_;  // in order
  std::list<Transfer>::iterator issuing_ = transfers_.end();
  memory::Burst head_;
  std::vector<Landing> landings_;  // by burst tag; the head has one as well
  std::vector<std::uint32_t> free_tags_;
  std::deque<Cycle> releases_;  // when the slots of arrived bursts become free
  std::uint32_t in_flight_ = 0;
  Cycle ready_at_;
  observe::State data_state_ = observe::State::idle;
};

}  // namespace tokencycle::machine
