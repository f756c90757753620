// SPDX-License-Identifier: Apache-2.0
// The instructions of one token with their cycles, kept as rows.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.h"
#include "observe/event.h"
#include "observe/trace.h"

namespace tokencycle::observe {

// Keeps the first instructions, by order of decoding, of the token that is wanted; in a run that has fewer
// tokens, of the last one.
class PipelineRows : public Observer {
 public:
  // token: as TraceStep::token. most_rows: 0 keeps nothing.
  PipelineRows(std::uint32_t token, std::uint32_t most_rows) : wanted_(token), most_rows_(most_rows) {}

  std::uint32_t interests() const override { return kinds({}); }
  void on_event(const Event&) override {}
  void on_retired(const InstructionRecord& record) override;
  void begin_step(const TraceStep& step);
  void end_step(Cycle end);

  struct Row {
    InstructionRecord record;
    int operator_index = -1;  // into operators(), -1: none

    template <class Archive>
    void serialize(Archive& state) {
      state(record, operator_index);
    }
  };
  // Of the token whose steps came last, as far as these have ended.
  bool any() const { return most_rows_ != 0 && end_ > start_; }
  std::uint32_t token() const { return token_; }
  Cycle start() const { return start_; }  // the token took [start, end)
  Cycle end() const { return end_; }
  std::uint64_t instructions() const { return instructions_; }  // retired in it
  const std::vector<isa::OperatorName>& operators() const { return operators_; }
  std::vector<Row> rows() const;  // in order of decoding

  // Between two steps.
  template <class Archive>
  void serialize(Archive& state) {
    state(token_, start_, end_, decoded_, first_sequence_, instructions_, operators_, rows_);
  }

 private:
  const std::uint32_t wanted_, most_rows_;
  bool recording_ = false;
  std::uint32_t token_ = 0;
  Cycle start_, end_;
  std::uint64_t decoded_ = 0;         // instructions of all steps so far
  std::uint64_t first_sequence_ = 0;  // of the token
  std::uint64_t instructions_ = 0;
  std::vector<int> operator_of_;  // by word of the step
  std::vector<isa::OperatorName> operators_;
  std::vector<Row> rows_;  // in order of retirement
};

}  // namespace tokencycle::observe
