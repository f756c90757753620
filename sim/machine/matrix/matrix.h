// SPDX-License-Identifier: Apache-2.0
// The matrix unit: preloads, multiplies and matmuls in order, double-buffered operands, pipelined passes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "config/machine.h"
#include "machine/local_memory.h"
#include "machine/matrix/dataflow.h"
#include "machine/matrix/decode_stage.h"
#include "machine/matrix/multiply.h"
#include "machine/unit.h"

namespace tokencycle::machine {

// Instructions start in order. A preload fills the shadow registers; the next multiply with `swap` makes them
// the active tile. With double buffering a preload runs while passes enter and drain; back to back, a pass
// enters as soon as the one before has entered, otherwise when it has drained. An output-stationary array
// takes matmuls instead, which stream both operands.
class Matrix : public Clocked, public InstructionQueue {
 public:
  Matrix(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local, ResultSink& results,
         HazardBoard& board, ClockLine clock, Values values = Values::computed, std::uint32_t index = 0);
  // The same with formulas of the caller's; tests show with wrong ones that their proofs can fail.
  void use_dataflow(std::unique_ptr<Dataflow> dataflow) {
    dataflow_ = std::move(dataflow);
    holds_tile_ = dataflow_->holds_tile();
  }

  void start(Cycle now) { state_.set(observe::State::idle, now); }
  void stop(Cycle now) { state_.set(observe::State::halted, now); }
  void push(Cycle now, InFlight& entry) override;
  Cycle edge(Cycle now) override;
  observe::State state() const { return state_.now(); }
  std::size_t queued() const { return queue_.size() + passes_.size() + (preload_ != nullptr ? 1 : 0); }
  std::uint64_t multiplications() const { return multiplications_; }
  std::uint64_t decoded() const { return decoded_; }
  // Between two programs: nothing is queued or in the array, but its registers hold what they held.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_, active_, shadow_, shadow_full_, open_format_, group_buffer_, preload_plain_,
          preload_nominal_, preload_finish_, last_entry_start_, last_pass_, last_entered_,
          last_pass_row_cycles_, tile_taken_, tile_taken_step_, entry_plain_, entry_nominal_, entry_end_,
          multiplications_, decoded_);
  }
  // What it is about, without values, after the edge of cycle `now`.
  template <class Archive>
  void serialize_in_flight(Archive& state, Cycle now) {
    if constexpr (!Archive::is_loading::value) forget_past(now);
    active_.serialize_shape(state);
    shadow_.serialize_shape(state);
    const std::vector<Terms*> terms = terms_in_flight();
    state(state_, queue_, passes_, shadow_full_, open_format_, preload_);
    for (std::size_t i = 0; i < passes_.size() && values_; ++i) passes_[i].terms = terms[i];
    if (preload_ != nullptr) state(preload_plain_, preload_nominal_, preload_finish_);
    state(last_entry_start_, last_pass_, last_entered_, last_pass_row_cycles_, tile_taken_, tile_taken_step_,
          entry_plain_, entry_nominal_, entry_end_);
    if constexpr (Archive::is_loading::value) head_ = {};
  }
  // What happens to values when an instruction starts and finishes, without its time. After that, either
  // serialize_in_flight() is loaded or the machine goes no further.
  void start_values(InFlight& entry);
  void finish_values();
  bool has_values() const { return values_; }
  // What a stretch of its work adds to its counters.
  struct Work {
    std::uint64_t multiplications = 0, decoded = 0;
  };
  Work work() const { return {multiplications_, decoded_}; }
  void add(const Work& work) {
    multiplications_ += work.multiplications;
    decoded_ += work.decoded;
  }

 private:
  struct Pass {
    InFlight* entry = nullptr;
    Cycle finish;
    ArrayPass shape;
    Cycle
        entered;  // the cycle after its last operands' step, as a start: a read latency before they are there
    Terms* terms = nullptr;  // of terms_; none without values

    template <class Archive>
    void serialize(Archive& state) {
      state(entry, finish, shape, entered);
    }
  };
  // How the moving rows of a multiply come in.
  struct RowStream {
    RowPart part;
    std::uint64_t reads = 0;  // accesses of a row
    DecodeCost decode;
    // From the start of a pass to the end of the cycle in which its first row enters, less the read latency.
    std::uint64_t first_row_cycles = 0;
  };
  // What the queue's head is found to be, once asked for: it is looked at several times before it starts.
  struct Head {
    std::optional<ArrayPass> pass;
    std::optional<RowStream> rows;  // of a multiply
    std::optional<Cycle> earliest;  // earliest_behind()
  };
  bool start_head(Cycle now);
  bool start_preload(Cycle now, InFlight& entry);
  bool start_multiply(Cycle now, InFlight& entry);
  bool start_matmul(Cycle now, InFlight& entry);
  bool start(Cycle now, InFlight& entry);
  ArrayPass pass_of(const InFlight& entry) const;
  const ArrayPass& head_pass(const InFlight& head);
  const RowStream& head_rows(const InFlight& head);
  void enter(Cycle now, InFlight& entry, const ArrayPass& shape, Cycle entered);
  Terms* take_terms();
  std::vector<Terms*> terms_in_flight() const;
  void load_tile(const InFlight& entry);
  void take_tile();
  void compute_multiply(const InFlight& entry, Terms& terms);
  void compute_matmul(const InFlight& entry, Terms& terms);
  void begin(Cycle now, InFlight& entry);
  void finish_due(Cycle now);
  Cycle earliest_pass(const InFlight& head);
  Cycle earliest_behind(const InFlight& head);
  Cycle totals_ready(const InFlight& entry, const ArrayPass& shape) const;
  DecodeCost tile_cost(const isa::Instruction& preload) const;
  Cycle continued_group(const RowStream& rows, const ArrayPass& pass) const;
  Cycle earliest_preload(const isa::Instruction& preload) const;
  void count_decoded(Format f, std::uint64_t values);
  void check_kind(const InFlight& entry, bool holds_tile) const;
  void check_type(const InFlight& entry, MultiplyType type) const;
  void check_pass(const InFlight& entry) const;
  void update_state(Cycle now);
  void forget_past(Cycle now);
  Cycle next_change(Cycle now);
  [[noreturn]] static void trap(const InFlight& entry, const std::string& what);

  const config::Matrix description_;
  const observe::UnitId unit_;
  const memory::Port stationary_, moving_;
  observe::EventHub& hub_;
  observe::UnitState state_;
  LocalMemory& local_;
  ResultSink& results_;
  HazardBoard& board_;
  ClockLine clock_;
  std::unique_ptr<Dataflow> dataflow_;
  bool holds_tile_;    // as the dataflow says
  const bool values_;  // contents are computed

  Ring<InFlight*> queue_;
  Head head_;  // of the queue
  Tile active_, shadow_;
  Tile streamed_;  // of a matmul: the weights that pass through
  bool shadow_full_ = false;
  std::optional<Format> open_format_;  // of the tile whose pass left group sums unfinished
  GroupBuffer group_buffer_;

  InFlight* preload_ = nullptr;  // under way
  // Without the decode stage's delays, with them, and with bank conflicts too.
  Cycle preload_plain_, preload_nominal_, preload_finish_;
  Ring<Pass> passes_;        // in the array, in order
  std::deque<Terms> terms_;  // where they stay
  std::vector<Terms*> spare_terms_;
  Cycle last_entry_start_;  // start of the last pass
  std::optional<ArrayPass> last_pass_;
  Cycle last_entered_;                      // as Pass::entered
  std::uint64_t last_pass_row_cycles_ = 1;  // that a row of it took in the decode stage
  Cycle tile_taken_;                        // start of the last pass that took a tile
  std::uint64_t tile_taken_step_ = 1;
  Cycle entry_plain_, entry_nominal_, entry_end_;  // the last pass's operands are in, as above
  std::uint64_t multiplications_ = 0;              // multiply-accumulates of valid elements
  std::uint64_t decoded_ = 0;                      // numbers that the decode stages took apart
};

}  // namespace tokencycle::machine
