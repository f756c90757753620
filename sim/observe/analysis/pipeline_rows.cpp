// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/pipeline_rows.h"

#include <algorithm>

namespace tokencycle::observe {

void PipelineRows::begin_step(const TraceStep& step) {
  recording_ = most_rows_ != 0 && step.token <= wanted_;
  if (!recording_) return;
  if (step.token != token_ || end_ <= start_) {
    token_ = step.token;
    start_ = end_ = step.start;
    first_sequence_ = decoded_;
    instructions_ = 0;
    rows_.clear();
  }
  operators_ = step.program->operators;
  operator_of_.assign(step.program->words.size(), -1);
  for (const isa::Section& s : step.program->sections) {
    std::fill_n(operator_of_.begin() + s.first, s.count, static_cast<int>(s.operator_id));
  }
}

void PipelineRows::on_retired(const InstructionRecord& record) {
  ++decoded_;  // all that a step decodes has retired when it ends
  if (!recording_) return;
  ++instructions_;
  if (record.sequence - first_sequence_ >= most_rows_) return;
  rows_.push_back({record, record.pc < operator_of_.size() ? operator_of_[record.pc] : -1});
}

void PipelineRows::end_step(Cycle end) {
  if (recording_) end_ = end;
  recording_ = false;
}

std::vector<PipelineRows::Row> PipelineRows::rows() const {
  std::vector<Row> sorted = rows_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Row& a, const Row& b) { return a.record.sequence < b.record.sequence; });
  return sorted;
}

}  // namespace tokencycle::observe
