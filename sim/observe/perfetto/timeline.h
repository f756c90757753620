// SPDX-License-Identifier: Apache-2.0
// Level 1 of a Perfetto trace: the tracks token, layer and operator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "observe/analysis/operator_cycles.h"
#include "observe/analysis/token_span.h"
#include "observe/perfetto/track.h"

namespace tokencycle::observe {

// Operators' slices are their exclusive cycles (OperatorCycles) one after the other, so those of a step fill
// it. Neighbours of one layer make up the layer's slice, and steps that follow each other for one token the
// token's.
class PerfettoTimeline {
 public:
  // The tracks become children 0 to 2 of `root`.
  PerfettoTimeline(PerfettoFile& file, PerfettoNames& names, std::uint32_t root);

  void begin_step(const TraceStep& step);
  void on_retired(const InstructionRecord& record) { operators_.on_retired(record); }
  enum class Ending { complete, cut, unwanted };
  // cut: in the middle of the step, in the operator that last retired an instruction.
  void end_step(Cycle end, Ending ending);
  // Writes the token that could have gone on.
  void end_token();

  // How many bytes `step` and the token before it need at most.
  static std::uint64_t bound(const TraceStep& step);

 private:
  struct Operator {
    PerfettoName name;
    int layer = -1;
  };
  void write_operators(const std::vector<OperatorUse>& uses);
  void write_layer(int layer, Cycle start, Cycle end);

  PerfettoNames& names_;
  PerfettoTrack tokens_, layers_, slices_;
  OperatorCycles operators_;
  TokenSpan step_;
  std::vector<Operator> step_operators_;  // copies: a run that fails takes its program with it
  std::optional<TokenSpan> token_;
};

}  // namespace tokencycle::observe
