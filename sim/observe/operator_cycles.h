// SPDX-License-Identifier: Apache-2.0
// Cycles of each operator of the model in a step.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.h"
#include "observe/event.h"

namespace tokencycle::observe {

struct OperatorUse {
  std::uint64_t cycles = 0;        // exclusive, see OperatorCycles
  std::uint64_t instructions = 0;  // retired
};

// An operator lasts from the end of those before it (in program order) to its own: the retirement of its last
// instruction. Work that the compiler moved ahead, such as loads of weights, does not begin it. The cycles of
// all operators sum to the step; what follows the last one (the final fence) belongs to it.
class OperatorCycles : public Observer {
 public:
  std::uint32_t interests() const override { return kinds({}); }
  void on_event(const Event&) override {}
  void on_retired(const InstructionRecord& record) override;

  // Begins a step whose words belong to operators as the program says.
  void begin(const isa::Program& program, Cycle start);
  // Ends it at `end` (exclusive): one entry an operator of the program, cycles summing to end - start.
  std::vector<OperatorUse> take(Cycle end);

 private:
  static constexpr std::uint32_t kNone = ~0u;
  std::vector<std::uint32_t> operator_of_;  // by word
  std::vector<Cycle> last_;                 // last retirement of each operator
  std::vector<OperatorUse> uses_;
  Cycle start_;
};

}  // namespace tokencycle::observe
