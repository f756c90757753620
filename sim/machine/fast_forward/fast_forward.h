// SPDX-License-Identifier: Apache-2.0
// Takes iterations of hardware loops that are known already: same events, same cycles, without the units.
#pragma once

#include <cstdint>
#include <vector>

#include "machine/fast_forward/memo.h"
#include "machine/fast_forward/recorder.h"
#include "machine/fast_forward/walk.h"
#include "machine/front_end/decode.h"
#include "machine/front_end/dispatch.h"
#include "machine/front_end/fetch.h"
#include "machine/front_end/writeback.h"
#include "machine/matrix/matrix.h"
#include "memory/scratchpad.h"

namespace tokencycle::machine {

// The clock as fast-forwarding sees it.
class SkippableClock {
 public:
  virtual ~SkippableClock() = default;
  // The next cycle of each unit, by Turn.
  virtual std::span<Cycle> wakes() = 0;
  // Memory does nothing before this cycle.
  virtual Cycle quiet_until() const = 0;
  // True while nothing else in the kernel could notice that time moves.
  virtual bool alone() const = 0;
  // The cycles up to this one are over, in so many edges.
  virtual void skipped(Cycle now, std::uint64_t edges) = 0;
  virtual std::uint64_t edges() const = 0;  // so far
};

// Called after each edge of the gated clock.
class EdgeWatcher {
 public:
  virtual ~EdgeWatcher() = default;
  virtual void after_edge(Cycle now) = 0;
};

// While a loop of matrix instructions runs from the scratchpad and memory is at rest, what happens from the
// beginning of one iteration to the next depends on the state of the front end, the matrix unit and the
// scratchpad's calendar (all relative to now), and on the words ahead with the places of their operands in
// the banks. The first time it is simulated and written down, afterwards what was written down happens again.
// (The idea: Schnarr and Larus, "Fast Out-Of-Order Processor Simulation Using Memoization", ASPLOS 1998.)
class FastForward : public EdgeWatcher {
 public:
  struct Parts {
    Fetch& fetch;
    Decode& decode;
    Dispatch& dispatch;
    Matrix& matrix;
    Writeback& writeback;
    memory::Scratchpad& scratchpad;
    observe::EventHub& hub;
    SkippableClock& clock;
  };
  // `turns`: of writeback, matrix, dispatch and decode, by which the clock calls them.
  FastForward(const config::Machine& machine, const Parts& parts, std::vector<std::size_t> turns);

  // A machine of one core with one matrix unit, whose banks repeat within what a signature holds.
  static bool serves(const config::Machine& machine);
  void start(std::uint32_t words);
  void after_edge(Cycle now) override;
  std::uint64_t skipped_cycles() const { return skipped_; }

 private:
  // An instruction that is in flight or ahead.
  struct Known {
    WalkStep step;
    InFlight* entry = nullptr;
    bool filled = false;  // the entry holds the instruction
  };
  Known& at(std::uint64_t sequence) { return known_[sequence & (known_.size() - 1)]; }
  void fill(Known& known) const;
  bool at_rest(Cycle now);
  void order_in_flight();
  std::uint32_t save(Cycle now);
  void name_in_flight();
  void load(Cycle now, const StateWords& words);
  template <class Archive>
  void serialize(Archive& state, Cycle now);
  void take_known(Cycle now, std::uint32_t state);
  void take(Cycle now, const Iteration& iteration);
  void record(Cycle now, std::uint32_t state);
  void stop_recording();
  void finish(Cycle now, std::uint32_t end_state);

  // So many iterations that are new one after the other are a sign that none comes again; from then on as
  // many are passed over as were new.
  static constexpr std::uint64_t kPatience = 1024, kLongestPause = 1 << 16;

  const Parts parts_;
  const std::vector<std::size_t> turns_;
  Walk walk_;
  Memo memo_;
  Recorder recorder_;
  bool recording_ = false;

  // Of the iteration that is recorded: its beginning, and what is expected of it.
  std::uint32_t from_ = 0;
  std::vector<std::uint64_t> signature_;
  ControlFlow expected_;
  Cycle began_;
  std::uint64_t first_ = 0, steps_ = 0, edges_ = 0;
  memory::PortCounters stationary_, moving_;
  Matrix::Work work_;

  std::vector<Known> known_;      // by sequence
  std::vector<InFlight*> order_;  // in flight, in order
  std::uint64_t sequence_ = 0;    // of the next instruction, while iterations are taken
  StateWords words_;
  std::uint64_t skipped_ = 0, missed_ = 0, pause_ = 0;
};

}  // namespace tokencycle::machine
