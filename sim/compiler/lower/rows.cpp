// SPDX-License-Identifier: Apache-2.0
// Operators that are vector instructions on whole rows: norms, and what has a stage of the kind row.
#include <algorithm>

#include "compiler/lower/step.h"

namespace tokencycle::compiler {

using isa::Instruction;
using isa::Opcode;
using model::Operator;
using model::OperatorKind;

// Groups of columns are rows of their own: they lie one behind the other.
void Lowering::norm(std::uint32_t s) {
  const std::uint32_t index = c_.demands.stages[s].operators[0];
  const Operator& op = c_.op(index);
  const std::uint32_t columns = op.norm.columns, groups = op.output_columns / columns;
  if (op.weight == nullptr) return plain_norm(s);
  const model::Weight& weight = *op.weight;
  builder_.flush();
  const bool layer = op.norm.kind == model::NormKind::layer,
             centered = op.norm.kind == model::NormKind::centered;
  std::uint32_t gain = c_.plan.rooms[s][0];
  if (layer || weight.format != Format::f32) {
    load_as_f32(weight, gain);
  } else {
    gain = load_row(weight, 0, weight.cols);
  }
  if (layer) load_as_f32(*op.bias, gain + weight.cols * 4);
  const Rows x = input_of(op, 0), y = c_.place_of(op.output);
  const std::uint32_t rows = c_.rows_of(op.output) * groups, stride = columns * 4;
  for (std::uint32_t r = 0; r < rows; r += kRowLimit) {
    const std::uint64_t at = std::uint64_t{r} * stride;
    const Rows to = Rows{y.at, stride} + at, from = Rows{x.at, stride} + at;
    const Extent extent{std::min(rows - r, kRowLimit), columns};
    if (centered) {
      const Rows mean = scratchpad_rows(c_.plan.rooms[s][1], 4) + std::uint64_t{r} * 4;
      builder_.emit(mean_rows(mean, from, extent));
      builder_.emit(per_row(Opcode::sub, to, from, mean, extent));
    }
    builder_.emit(layer ? layer_norm_rows(to, from, gain, op.norm.epsilon, extent)
                        : rms_norm_rows(to, centered ? to : from, gain, op.norm.epsilon, extent));
  }
  builder_.release();
  tap(index, y, 0, op.output_columns);
}

// No instruction has a norm without a gain: its squares, their means and so on, one after the other.
void Lowering::plain_norm(std::uint32_t s) {
  const std::uint32_t index = c_.demands.stages[s].operators[0];
  const Operator& op = c_.op(index);
  const Room& room = c_.plan.rooms[s];
  const std::uint32_t columns = op.norm.columns, stride = columns * 4;
  const std::uint32_t rows = c_.rows_of(op.output) * (op.output_columns / columns);
  builder_.flush();
  const Rows x = input_of(op, 0), y = c_.place_of(op.output);
  const Rows values = scratchpad_rows(room[0], 4), squares = scratchpad_rows(room[1], stride);
  for (std::uint32_t r = 0; r < rows; r += kRowLimit) {
    const std::uint64_t at = std::uint64_t{r} * stride;
    const Rows to = Rows{y.at, stride} + at, from = Rows{x.at, stride} + at, square = squares + at;
    const Rows value = values + std::uint64_t{r} * 4;
    const Extent all{std::min(rows - r, kRowLimit), columns}, each{all.rows, 1};
    builder_.emit(square_rows(square, from, all));
    builder_.emit(mean_rows(value, square, all));
    builder_.emit(add_scalar_rows(value, value, op.norm.epsilon, each));
    builder_.emit(rsqrt_rows(value, value, each));
    builder_.emit(per_row(Opcode::mul, to, from, value, all));
  }
  tap(index, y, 0, op.output_columns);
}

void Lowering::row(std::uint32_t s) {
  const std::uint32_t index = c_.demands.stages[s].operators[0];
  const Operator& op = c_.op(index);
  const Rows x = input_of(op, 0), y = c_.place_of(op.output);
  const std::uint32_t rows = c_.rows_of(op.output), cols = graph_.values[op.inputs[0]].cols;
  builder_.flush();
  switch (op.kind) {
    case OperatorKind::softmax:
      builder_.emit(softmax_rows(y, Format::f32, x, 1.0f, cols, false, {rows, cols}));
      break;
    case OperatorKind::top_k:
      builder_.emit(top_k_rows(y, x, op.output_columns, {rows, cols}));
      break;
    case OperatorKind::take:
      builder_.emit(take_rows(y, x, cols, input_of(op, 1), {rows, op.output_columns}));
      break;
    case OperatorKind::normalize: {
      const Rows sums = scratchpad_rows(c_.plan.rooms[s][0], 4);
      builder_.emit(sum_rows(sums, x, {rows, cols}));
      builder_.emit(per_row(isa::Opcode::div, y, x, sums, {rows, cols}));
      break;
    }
    case OperatorKind::keep_groups:
      keep_groups(s);
      break;
    case OperatorKind::take_row:
      take_row(op);
      break;
    case OperatorKind::scale_parts:
      scale_parts(op);
      break;
    case OperatorKind::zip_row:
      zip_row(op);
      break;
    case OperatorKind::columns:
      columns(op);
      break;
    case OperatorKind::join:
      join(op);
      break;
    default:
      weighted_sum(op);
      break;
  }
  tap(index, y, 0, op.output_columns);
}

// Groups are rows: their two largest, the sums of these, which tokens' rows have side by side, the last one
// that is kept, and what is added to each group.
void Lowering::keep_groups(std::uint32_t s) {
  const Operator& op = c_.op(c_.demands.stages[s].operators[0]);
  const Room& room = c_.plan.rooms[s];
  const std::uint32_t count = op.groups.count, kept = op.groups.kept, cols = op.output_columns / count;
  const std::uint32_t tokens = c_.rows_of(op.output), groups = tokens * count;
  const Rows x{input_of(op, 0).at, cols * 4}, y{c_.place_of(op.output).at, cols * 4};
  const Rows places = scratchpad_rows(room[0], 8), values = scratchpad_rows(room[1], 8),
             sums = scratchpad_rows(room[2], 4);
  builder_.emit(top_k_rows(places, x, 2, {groups, cols}));
  builder_.emit(take_rows(values, x, cols, places, {groups, 2}));
  builder_.emit(sum_rows(sums, values, {groups, 2}));
  const Rows by_token = scratchpad_rows(room[2], count * 4), best = scratchpad_rows(room[0], kept * 4),
             least = scratchpad_rows(room[1], 4);
  builder_.emit(top_k_rows(best, by_token, kept, {tokens, count}));
  builder_.emit(take_rows(least, by_token, count, best + std::uint64_t{kept - 1} * 4, {tokens, 1}));
  builder_.emit(per_row(Opcode::sub, by_token, by_token, least, {tokens, count}));
  builder_.emit(min_scalar_rows(by_token, by_token, 0.0f, {tokens, count}));
  builder_.emit(scale_rows(by_token, by_token, model::kGroupPenalty, {tokens, count}));
  builder_.emit(per_row(Opcode::add, y, x, sums, {groups, cols}));
}

void Lowering::take_row(const Operator& op) {
  const std::uint32_t cols = op.weight->cols;
  const Rows row = scratchpad_rows(load_row(*op.weight, 0, cols), 0);
  builder_.emit(take_rows(c_.place_of(op.output), row, cols, input_of(op, 0),
                          {c_.rows_of(op.output), op.output_columns}));
  builder_.release();
}

void Lowering::scale_parts(const Operator& op) {
  const Rows x = input_of(op, 0), factors = input_of(op, 1), y = c_.place_of(op.output);
  const std::uint32_t parts = graph_.values[op.inputs[1]].cols, columns = op.output_columns / parts;
  for (std::uint32_t part = 0; part < parts; ++part) {
    const std::uint64_t at = std::uint64_t{part} * columns * 4;
    builder_.emit(per_row(Opcode::mul, y + at, x + at, factors + std::uint64_t{part} * 4,
                          {c_.rows_of(op.output), columns}));
  }
}

// The parts are multiplied where they lie; the first goes to the result, the others are added to it.
void Lowering::weighted_sum(const Operator& op) {
  const Rows x = input_of(op, 0), factors = input_of(op, 1), y = c_.place_of(op.output);
  const Extent extent{c_.rows_of(op.output), op.output_columns};
  for (std::uint32_t part = 0; part < graph_.values[op.inputs[1]].cols; ++part) {
    const Rows from = x + std::uint64_t{part} * op.output_columns * 4,
               factor = factors + std::uint64_t{part} * 4;
    builder_.emit(per_row(Opcode::mul, part == 0 ? y : from, from, factor, extent));
    if (part > 0) builder_.emit(add_rows(y, y, from, extent));
  }
}

void Lowering::zip_row(const Operator& op) {
  const Rows x = input_of(op, 0), y = c_.place_of(op.output);
  const Rows row = scratchpad_rows(load_row(*op.weight, 0, op.weight->cols), 0);
  const Extent extent{c_.rows_of(op.output), op.output_columns};
  Instruction zip =
      op.zip == model::ZipFunction::add ? add_rows(y, x, row, extent) : mul_rows(y, x, row, extent);
  zip.per_row = op.weight->cols == 1;
  builder_.emit(zip);
  builder_.release();
}

// Groups are rows of their own: they lie one behind the other, here and there.
void Lowering::copy_groups(Rows to, Rows from, std::uint32_t rows, std::uint32_t cols) {
  for (std::uint32_t r = 0; r < rows; r += kRowLimit) {
    builder_.emit(copy_rows(to + std::uint64_t{r} * to.stride, from + std::uint64_t{r} * from.stride,
                            {std::min(rows - r, kRowLimit), cols}));
  }
}

void Lowering::columns(const Operator& op) {
  const model::ColumnsShape& shape = op.columns;
  const Rows from{(input_of(op, 0) + std::uint64_t{shape.first} * 4).at, shape.group * 4};
  copy_groups({c_.place_of(op.output).at, shape.count * 4}, from,
              c_.rows_of(op.output) * (op.output_columns / shape.count), shape.count);
}

void Lowering::join(const Operator& op) {
  const model::ColumnsShape& shape = op.columns;
  const std::uint32_t rows = c_.rows_of(op.output) * (op.output_columns / shape.group);
  const Rows to{c_.place_of(op.output).at, shape.group * 4};
  copy_groups(to, {input_of(op, 0).at, shape.first * 4}, rows, shape.first);
  copy_groups(to + std::uint64_t{shape.first} * 4, {input_of(op, 1).at, shape.count * 4}, rows, shape.count);
}

}  // namespace tokencycle::compiler
