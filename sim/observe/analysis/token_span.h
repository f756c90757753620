// SPDX-License-Identifier: Apache-2.0
// What traces make of steps: the time of a token, and of the operators of a step that was cut.
#pragma once

#include <string>
#include <vector>

#include "observe/analysis/operator_cycles.h"
#include "observe/trace.h"

namespace tokencycle::observe {

// The steps that follow each other for one token, as one.
struct TokenSpan {
  std::uint32_t number = 0;
  std::uint64_t tokens = 0;  // that its steps read
  std::string phase;         // a copy: a run that fails takes its step with it
  Cycle start, end;          // [start, end)

  static TokenSpan of(const TraceStep& step) {
    return {step.token, step.tokens, std::string(step.phase), step.start, step.start};
  }
  // True if `next` works for the same token, as the steps of a long prompt do.
  bool goes_on_with(const TokenSpan& next) const {
    return number == next.number && phase == next.phase && end == next.start;
  }
  void add(const TokenSpan& next) {
    tokens += next.tokens;
    end = next.end;
  }
};

// OperatorCycles gives what follows the last retirement to the step's last operator. In a step that was cut
// in its middle it belongs to the operator that was at work: the last one with a retired instruction.
void give_rest_to_last_worker(std::vector<OperatorUse>& uses);

}  // namespace tokencycle::observe
