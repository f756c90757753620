// SPDX-License-Identifier: Apache-2.0
// Cycles of each operator of the model in a step: by cause, by kind of instruction, and what was done in
// them.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.h"
#include "observe/analysis/cycle_stack.h"
#include "observe/event.h"

namespace tokencycle::observe {

// The instructions of one kind in an operator.
struct KindUse {
  isa::Opcode op = isa::Opcode::nop;
  std::uint64_t count = 0;   // retired
  std::uint64_t cycles = 0;  // their shares, see OperatorCycles
  Stack stack{};             // of these

  template <class Archive>
  void serialize(Archive& state) {
    state(op, count, cycles, stack);
  }
};

// What an operator's instructions did: sums of InstructionRecord::work and of the fields beside it.
struct OperatorWork {
  std::uint64_t loaded_bytes = 0, stored_bytes = 0;  // DRAM, whole bursts
  std::uint64_t multiply_accumulates = 0;            // of valid elements
  std::uint64_t cell_cycles = 0;  // of the array's cells: multiply_accumulates x cycles_per_row of their type
  std::uint64_t vector_elements = 0;
  std::uint64_t scratchpad_bytes = 0;                              // through all ports
  std::array<std::uint64_t, kMultiplyTypes> products{};            // multiply_accumulates by type
  std::uint64_t sums = 0;                                          // that leave the array
  std::array<std::uint64_t, isa::kLaneFunctions> lane_elements{};  // by part of a lane, pass by pass

  void add(const InstructionRecord& record);
  void add(const OperatorWork& more);
  template <class Archive>
  void serialize(Archive& state) {
    state(loaded_bytes, stored_bytes, multiply_accumulates, cell_cycles, vector_elements, scratchpad_bytes,
          products, sums, lane_elements);
  }
};

struct OperatorUse {
  std::uint64_t cycles = 0;        // exclusive, see OperatorCycles
  std::uint64_t instructions = 0;  // retired
  Stack stack{};                   // of the cycles
  std::uint64_t span_cycles = 0;   // in which all of its work happened, see OperatorCycles
  OperatorWork work;
  std::vector<KindUse> kinds;  // ascending by opcode; their cycles and stacks sum to those above

  KindUse& kind(isa::Opcode op);
  void add(const OperatorUse& more);  // another step's
  template <class Archive>
  void serialize(Archive& state) {
    state(cycles, instructions, stack, span_cycles, work, kinds);
  }
};

// An operator lasts from the end of those before it (in program order) to its own: the retirement of its last
// instruction. Work that the compiler moved ahead, such as loads of weights, does not begin it. The cycles of
// all operators sum to the step; what follows the last one (the final halt) belongs to it.
//
// An instruction's share of its operator's time is the time from its operator's retirement before it to its
// own, as far as all earlier operators have ended. So when an operator retires an instruction, what later
// ones had gathered before is void. Memory: operators x kinds.
//
// An operator's span goes from the first start of one of its instructions to its last retirement; work moved
// ahead counts, so spans overlap. A store retires when the memory controllers have its bytes, which may be
// before the devices do: the span lasts at least until the operator's stored bytes can have gone over the
// data buses at their peak, from the start of its first store on. So no rate over the span exceeds what the
// machine can do.
class OperatorCycles : public Observer {
 public:
  // `causes` sees the same events, names each cycle's cause, and outlives this; without it stacks stay 0.
  // `peak` of DRAM in bytes a cycle, for spans; 0: as if a store's bytes were gone when it retires.
  explicit OperatorCycles(const CycleStack* causes = nullptr, double peak = 0)
      : causes_(causes), peak_(peak) {}

  std::uint32_t interests() const override { return kinds({}); }
  void on_event(const Event&) override {}
  void on_retired(const InstructionRecord& record) override;

  // Begins a step whose words belong to operators as the program says.
  void begin(const isa::Program& program, Cycle start);
  // Ends it at `end` (exclusive): one entry per operator of the program, cycles summing to end - start. What
  // follows the last retirement is the last operator's, as a share of `halt`.
  std::vector<OperatorUse> take(Cycle end);

  struct Share {
    std::uint32_t operator_id = 0;
    std::uint64_t cycles = 0;
    Stack stack{};
  };
  // Of the instruction that on_retired() saw last; null where its word belongs to no operator.
  const Share* last_share() const { return shared_ ? &share_ : nullptr; }
  // What take() gave to the last operator beside its instructions' shares.
  const Share& rest() const { return rest_; }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  // The last retirement of an operator, with the stack up to it.
  struct Mark {
    std::int64_t operator_id = -1;  // -1: the step's start
    Cycle at;
    Stack stack{};
  };
  Stack stack_at(Cycle cycle) const { return causes_ == nullptr ? Stack{} : causes_->so_far(cycle); }
  Mark& mark(std::uint32_t id, Cycle at);
  static void forget_share(OperatorUse& use);
  std::uint64_t span_of(std::size_t id) const;

  const CycleStack* causes_;
  const double peak_;
  std::vector<std::uint32_t> operator_of_;  // by word
  struct Extent {
    Cycle first_start = kNever, first_store_start = kNever, last_retirement;
  };
  std::vector<Extent> extents_;  // of the operators
  std::vector<OperatorUse> uses_;
  // Operators and cycles ascend: of an operator whose mark is missing, all shares so far are void, or it has
  // retired nothing.
  std::vector<Mark> marks_;
  Share share_;
  bool shared_ = false;  // share_ is the last retired instruction's
  Share rest_;
};

}  // namespace tokencycle::observe
