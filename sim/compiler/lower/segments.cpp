// SPDX-License-Identifier: Apache-2.0
// A step's segments, and the operators that need no more of them than their rows' positions.
#include <algorithm>

#include "compiler/lower/step.h"

namespace tokencycle::compiler {

using isa::Instruction;
using model::Operator;

std::vector<SegmentContext> segments_of(const StepContext& context) {
  std::vector<SegmentContext> all;
  std::uint32_t row = 0;
  for (const Segment& s : context.step.segments) {
    all.push_back({context, s, row});
    row += s.tokens;
  }
  return all;
}

// The rows of a sequence's positions lie behind one another in the table.
void Lowering::positions(std::uint32_t stage) {
  const std::uint32_t index = c_.demands.stages[stage].operators[0], tokens = c_.step.tokens();
  const Operator& op = c_.op(index);
  const model::Weight& table = *op.weight;
  const std::uint64_t bytes = row_bytes(table.format, table.cols);
  const bool as_stored = table.format == Format::f32;
  const Rows x = c_.place_of(op.output);
  const Rows rows = as_stored ? x : scratchpad_rows(c_.plan.rooms[stage][1], bytes);
  for (const SegmentContext& s : segments_of(c_)) {
    builder_.emit(load_rows((rows + s.first_row * bytes).at.byte(),
                            c_.layout.weights + (table.offset + s.position() * bytes), bytes, s.tokens(),
                            bytes));
  }
  if (!as_stored) builder_.emit(convert_rows(x, Format::f32, rows, table.format, {tokens, table.cols}));
  tap(index, x, 0, table.cols);
}

// As many rows at a time as the ring holds rows of the table.
void Lowering::rotary(const Stage& stage) {
  const std::uint64_t row = std::uint64_t{c_.op(stage.operators[0]).rotary.rotate} * 4;
  const auto most = static_cast<std::uint32_t>(std::max<std::uint64_t>(c_.plan.chunk_bytes / row, 1));
  builder_.flush();
  for (const SegmentContext& s : segments_of(c_)) {
    for (std::uint32_t m = 0; m < s.tokens(); m += most) {
      rotate(stage, s.first_row + m, s.position() + m, std::min(most, s.tokens() - m));
    }
  }
}

// `count` rows from `first` on, which have neighbouring positions.
void Lowering::rotate(const Stage& stage, std::uint32_t first, std::uint32_t position, std::uint32_t count) {
  const Operator& any = c_.op(stage.operators[0]);
  const std::uint64_t row = std::uint64_t{any.rotary.rotate} * 4;
  const Instruction load = load_rows(0, c_.layout.values[any.inputs[1]] + position * row, row, count, row);
  builder_.set_operator(stage.operators[0]);
  const Rows table = scratchpad_rows(builder_.acquire(count * row, &load), row);
  for (const std::uint32_t index : stage.operators) {
    const Operator& op = c_.op(index);
    const auto pairs =
        op.rotary.pairs == model::RopePairs::adjacent ? isa::RotaryPairs::adjacent : isa::RotaryPairs::split;
    const Rows x = c_.place_of(op.inputs[0]), y = c_.place_of(op.output);
    builder_.set_operator(index);
    builder_.emit(rotary_rows(y + std::uint64_t{first} * y.stride, x + std::uint64_t{first} * x.stride, table,
                              op.rotary.head, op.rotary.rotate, pairs, {count, op.output_columns}));
    if (first + count == c_.step.tokens()) tap(index, y, 0, op.output_columns);
  }
  builder_.release();
}

// Rows of this step behind those that the state has in DRAM.
void Lowering::append(std::uint32_t s) {
  const Operator& op = c_.op(c_.demands.stages[s].operators[0]);
  const std::uint32_t cols = graph_.values[op.inputs[0]].cols, tokens = c_.step.tokens();
  const std::uint64_t row = row_bytes(c_.demands.kv_format, cols);
  const Rows rows = scratchpad_rows(c_.plan.rooms[s][0], row);
  builder_.flush();
  builder_.emit(
      convert_rows(rows, c_.demands.kv_format, c_.place_of(op.inputs[0]), Format::f32, {tokens, cols}));
  for (const SegmentContext& part : segments_of(c_)) {
    builder_.emit(store_rows(part.state_of(op.inputs[1]) + part.position() * row, row,
                             rows + part.first_row * row, c_.demands.kv_format, {part.tokens(), cols}));
  }
}

}  // namespace tokencycle::compiler
