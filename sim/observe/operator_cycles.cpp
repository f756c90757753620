// SPDX-License-Identifier: Apache-2.0
#include "observe/operator_cycles.h"

#include <algorithm>

namespace tokencycle::observe {

void OperatorCycles::begin(const isa::Program& program, Cycle start) {
  operator_of_.assign(program.words.size(), kNone);
  for (const isa::Section& s : program.sections) {
    std::fill_n(operator_of_.begin() + s.first, s.count, s.operator_id);
  }
  last_.assign(program.operators.size(), start);
  uses_.assign(program.operators.size(), {});
  start_ = start;
}

void OperatorCycles::on_retired(const InstructionRecord& record) {
  if (record.pc >= operator_of_.size() || operator_of_[record.pc] == kNone) return;
  const std::uint32_t id = operator_of_[record.pc];
  last_[id] = std::max(last_[id], record.written_back);
  ++uses_[id].instructions;
}

std::vector<OperatorUse> OperatorCycles::take(Cycle end) {
  Cycle frontier = start_;
  for (std::size_t id = 0; id < uses_.size(); ++id) {
    const Cycle last = id + 1 == uses_.size() ? end : std::max(frontier, last_[id]);
    uses_[id].cycles = last.value - frontier.value;
    frontier = last;
  }
  return std::move(uses_);
}

}  // namespace tokencycle::observe
