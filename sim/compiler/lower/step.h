// SPDX-License-Identifier: Apache-2.0
// From stages to instructions: what each operator becomes in one step.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/emit/builder.h"
#include "compiler/passes/demands.h"
#include "compiler/tile/linear.h"

namespace tokencycle::compiler {

// What a step is compiled from; all outlive the lowering.
struct StepContext {
  const config::Machine& machine;
  const Demands& demands;
  const DramLayout& layout;
  const Plan& plan;
  Step step;

  const model::Graph& graph() const { return *demands.graph; }
  const model::Operator& op(std::uint32_t index) const { return graph().operators[index]; }
  // Rows of a value in this step.
  std::uint32_t rows_of(model::ValueId value) const {
    return graph().values[value].rows == model::RowsOf::outputs ? step.outputs : step.tokens();
  }
  // Where the fp32 rows of a value are.
  Rows place_of(model::ValueId value) const {
    return scratchpad_rows(plan.values[value], std::uint64_t{graph().values[value].cols} * 4);
  }
};

// The rows of one segment of a step, for what has a state: tokens and positions are the segment's.
struct SegmentContext {
  const StepContext& whole;
  Segment segment;
  std::uint32_t first_row = 0;  // of the step's rows

  const config::Machine& machine() const { return whole.machine; }
  const model::Operator& op(std::uint32_t index) const { return whole.op(index); }
  std::uint32_t tokens() const { return segment.tokens; }
  std::uint32_t position() const { return segment.position; }
  // Where the segment's fp32 rows of a value are.
  Rows place_of(model::ValueId value) const {
    const Rows rows = whole.place_of(value);
    return rows + std::uint64_t{first_row} * rows.stride;
  }
  // Of the sequence's own.
  DramAddress state_of(model::ValueId state) const {
    return whole.layout.values[state] + segment.sequence * whole.layout.sequence_bytes[state];
  }
};
// Of all segments in the order of the rows.
std::vector<SegmentContext> segments_of(const StepContext& context);

class Lowering {
 public:
  explicit Lowering(const StepContext& context);
  // Emits the whole step: every stage in order, a fence for all units, halt.
  Draft run();

 private:
  void lower(std::uint32_t stage);
  void gather(std::uint32_t stage);
  void positions(std::uint32_t stage);
  void read(std::uint32_t index);
  void norm(std::uint32_t stage);
  void plain_norm(std::uint32_t stage);
  void keep_groups(std::uint32_t stage);
  void linear(std::uint32_t stage);
  void result_functions(std::uint32_t stage);
  void gated(std::uint32_t stage);
  void map(std::uint32_t index);
  void zip(std::uint32_t index);
  void rotary(const Stage& stage);
  void rotate(const Stage& stage, std::uint32_t first, std::uint32_t position, std::uint32_t count);
  void append(std::uint32_t stage);
  void row(std::uint32_t stage);
  void take_row(const model::Operator& op);
  void scale_parts(const model::Operator& op);
  void weighted_sum(const model::Operator& op);
  void zip_row(const model::Operator& op);
  void columns(const model::Operator& op);
  void join(const model::Operator& op);
  void copy_groups(Rows to, Rows from, std::uint32_t rows, std::uint32_t cols);
  void recurrent(std::uint32_t index, const Room& room);
  void experts(std::uint32_t index);
  void parts(std::uint32_t index);
  void read_expert(std::uint8_t reg, isa::LocalAddress word, std::uint64_t offset, std::uint64_t bytes,
                   std::uint32_t count);

  // Input `i` of an operator: those of its rows that the operator's result has.
  Rows input_of(const model::Operator& op, std::size_t i) const;
  Rows encoded(model::ValueId value, Format format) const;
  // Encodes what the linears of the stage read, all forms at once, when this is the first that does.
  void prepare(const Stage& stage);
  // Rows [first, first + count) of the operator's weight: as many columns of sums.
  void multiply(std::uint32_t index, std::uint32_t first, std::uint32_t count, const SumsSink& sink);
  void tap(std::uint32_t index, Rows at, std::uint32_t first_col, std::uint32_t cols);
  // The row of a gain or bias in the ring; behind its last use the caller releases it.
  std::uint32_t load_row(const model::Weight& weight, std::uint32_t first, std::uint32_t cols);

  // A gain or bias as fp32 at a place of its own.
  void load_as_f32(const model::Weight& weight, std::uint32_t to);

  const StepContext& c_;
  const model::Graph& graph_;
  Builder builder_;
  std::vector<bool> prepared_;  // by value
};

}  // namespace tokencycle::compiler
