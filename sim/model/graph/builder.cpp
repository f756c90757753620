// SPDX-License-Identifier: Apache-2.0
#include "model/graph/builder.h"

#include <fmt/format.h>

namespace tokencycle::model {

std::string GraphBuilder::full_name(std::string_view name) const {
  return layer_ < 0 ? std::string(name) : fmt::format("blk.{}.{}", layer_, name);
}

ValueId GraphBuilder::add_value(ValueKind kind, RowsOf rows, std::uint32_t columns, std::string name) {
  graph_.values.push_back({kind, rows, columns, std::move(name), Format::f32, {}});
  return static_cast<ValueId>(graph_.values.size() - 1);
}

Operator& GraphBuilder::add(OperatorKind kind, std::string_view name, std::vector<ValueId> inputs,
                            std::uint32_t columns) {
  Operator op;
  op.kind = kind;
  op.name = full_name(name);
  op.layer = layer_;
  op.output_columns = columns;
  if (columns != 0) {
    op.output = add_value(ValueKind::activation, graph_.values[inputs.front()].rows, columns, op.name);
  }
  op.inputs = std::move(inputs);
  return graph_.operators.emplace_back(std::move(op));
}

const Weight& GraphBuilder::matrix(std::string_view name, std::uint32_t rows, std::uint32_t columns) {
  return graph_.weights.emplace_back(tensors_.matrix(full_name(name) + ".weight", rows, columns));
}

ValueId GraphBuilder::token_ids() {
  const ValueId id = add_value(ValueKind::input, RowsOf::tokens, 1, "token_ids");
  graph_.values[id].format = Format::u32;
  return id;
}

ValueId GraphBuilder::rotary_table(const RotaryTable& table) {
  const auto columns = static_cast<std::uint32_t>(2 * table.rates.size());
  const ValueId id = add_value(ValueKind::constant, RowsOf::positions, columns, "rotary_table");
  graph_.rotary_tables[id] = table;
  return id;
}

ValueId GraphBuilder::state(std::string_view name, std::string region, std::uint32_t columns) {
  const ValueId id = add_value(ValueKind::state, RowsOf::positions, columns, full_name(name));
  graph_.values[id].region = std::move(region);
  return id;
}

ValueId GraphBuilder::recurrent_state(std::string_view name, std::uint32_t rows, std::uint32_t columns) {
  const ValueId id = add_value(ValueKind::state, RowsOf::own, columns, full_name(name));
  graph_.values[id].region = "recurrent";
  graph_.values[id].count = rows;
  return id;
}

ValueId GraphBuilder::input_rows(std::string_view name, std::uint32_t columns) {
  return add_value(ValueKind::input, RowsOf::tokens, columns, std::string(name));
}

ValueId GraphBuilder::read_rows(std::string_view name, ValueId rows) {
  return add(OperatorKind::read_rows, name, {rows}, cols(rows)).output;
}

ValueId GraphBuilder::gather_rows(std::string_view name, ValueId ids, const Weight& table) {
  Operator& op = add(OperatorKind::gather_rows, name, {ids}, table.cols);
  op.weight = &table;
  return op.output;
}

ValueId GraphBuilder::position_rows(std::string_view name, ValueId ids, const Weight& table) {
  Operator& op = add(OperatorKind::position_rows, name, {ids}, table.cols);
  op.weight = &table;
  return op.output;
}

ValueId GraphBuilder::linear(std::string_view name, ValueId x, const Weight& weight) {
  Operator& op = add(OperatorKind::linear, name, {x}, weight.rows);
  op.weight = &weight;
  return op.output;
}

const Weight* GraphBuilder::bias_of(std::string_view name, std::uint32_t rows, Bias bias) {
  const std::string tensor = full_name(name) + ".bias";
  if (bias == Bias::none || (bias == Bias::where_present && !tensors_.has(tensor))) return nullptr;
  return &graph_.weights.emplace_back(tensors_.vector(tensor, rows));
}

const Weight* GraphBuilder::scale_of(std::string_view tensor) {
  const std::string name = full_name(tensor) + ".scale";
  return tensors_.has(name) ? &graph_.weights.emplace_back(tensors_.kernel(name, 1, 1)) : nullptr;
}

ValueId GraphBuilder::zip_row(std::string_view name, ZipFunction f, ValueId x, const Weight& row) {
  Operator& op = add(OperatorKind::zip_row, name, {x}, cols(x));
  op.zip = f;
  op.weight = &row;
  return op.output;
}

ValueId GraphBuilder::finish_linear(std::string_view name, ValueId y, const Weight* scale,
                                    const Weight* bias) {
  if (scale == nullptr) {
    graph_.operators.back().bias = bias;
    return y;
  }
  y = zip_row(fmt::format("{}_scaled", name), ZipFunction::mul, y, *scale);
  return bias == nullptr ? y : zip_row(fmt::format("{}_biased", name), ZipFunction::add, y, *bias);
}

ValueId GraphBuilder::linear(std::string_view name, ValueId x, std::uint32_t rows, Bias bias) {
  const ValueId y = linear(name, x, matrix(name, rows, cols(x)));
  const Weight* const scale = scale_of(name);
  return finish_linear(name, y, scale, bias_of(name, rows, bias));
}

std::vector<ValueId> GraphBuilder::linears(std::string_view tensor, ValueId x, const std::vector<Part>& parts,
                                           Bias bias) {
  std::uint32_t rows = 0;
  for (const Part& part : parts) rows += part.rows;
  const Weight& whole = matrix(tensor, rows, cols(x));
  const Weight* const scale = scale_of(tensor);
  const Weight* const whole_bias = bias_of(tensor, rows, bias);
  std::vector<ValueId> results;
  std::uint32_t first = 0;
  for (const Part& part : parts) {
    const ValueId y = linear(part.name, x, graph_.weights.emplace_back(whole.slice(first, part.rows)));
    const Weight* const its_bias =
        whole_bias == nullptr ? nullptr : &graph_.weights.emplace_back(whole_bias->columns(first, part.rows));
    results.push_back(finish_linear(part.name, y, scale, its_bias));
    first += part.rows;
  }
  return results;
}

ValueId GraphBuilder::norm(std::string_view name, ValueId x, NormShape shape) {
  if (shape.columns == 0) shape.columns = cols(x);
  Operator& op = add(OperatorKind::norm, name, {x}, cols(x));
  op.weight = &graph_.weights.emplace_back(tensors_.vector(op.name + ".weight", shape.columns));
  if (shape.kind == NormKind::layer) op.bias = bias_of(name, shape.columns, Bias::always);
  op.norm = shape;
  return op.output;
}

ValueId GraphBuilder::plain_norm(std::string_view name, ValueId x, NormShape shape) {
  if (shape.columns == 0) shape.columns = cols(x);
  Operator& op = add(OperatorKind::norm, name, {x}, cols(x));
  op.norm = shape;
  return op.output;
}

ValueId GraphBuilder::map(std::string_view name, MapFunction f, ValueId x, float scalar) {
  Operator& op = add(OperatorKind::map, name, {x}, cols(x));
  op.map = f;
  op.scalar = scalar;
  return op.output;
}

ValueId GraphBuilder::zip(std::string_view name, ZipFunction f, ValueId x, ValueId y) {
  Operator& op = add(OperatorKind::zip, name, {x, y}, cols(x));
  op.zip = f;
  return op.output;
}

ValueId GraphBuilder::zip_row(std::string_view name, ZipFunction f, ValueId x, std::string_view tensor,
                              std::uint32_t values) {
  return zip_row(name, f, x, graph_.weights.emplace_back(tensors_.kernel(full_name(tensor), 1, values)));
}

ValueId GraphBuilder::delta_rule(std::string_view name, const std::vector<ValueId>& inputs,
                                 const DeltaShape& shape) {
  Operator& op = add(OperatorKind::delta_rule, name, inputs, shape.heads * shape.dim);
  op.delta = shape;
  return op.output;
}

ValueId GraphBuilder::columns(std::string_view name, ValueId x, const ColumnsShape& shape) {
  Operator& op = add(OperatorKind::columns, name, {x}, cols(x) / shape.group * shape.count);
  op.columns = shape;
  return op.output;
}

ValueId GraphBuilder::join(std::string_view name, ValueId x, ValueId y, std::uint32_t groups) {
  Operator& op = add(OperatorKind::join, name, {x, y}, cols(x) + cols(y));
  op.columns = {(cols(x) + cols(y)) / groups, cols(x) / groups, cols(y) / groups};
  return op.output;
}

ValueId GraphBuilder::part_linear(std::string_view name, ValueId x, std::uint32_t parts, std::uint32_t rows) {
  const std::uint32_t columns = cols(x) / parts;
  Operator& op = add(OperatorKind::part_linear, name, {x}, parts * rows);
  op.weight = &graph_.weights.emplace_back(tensors_.matrices(op.name + ".weight", parts, rows, columns));
  return op.output;
}

ValueId GraphBuilder::rotary(std::string_view name, ValueId x, ValueId table, const RotaryShape& shape) {
  Operator& op = add(OperatorKind::rotary, name, {x, table}, cols(x));
  op.rotary = shape;
  return op.output;
}

void GraphBuilder::append(std::string_view name, ValueId x, ValueId state) {
  add(OperatorKind::append, name, {x, state}, 0);
}

ValueId GraphBuilder::attention(std::string_view name, ValueId q, ValueId keys, ValueId values,
                                const AttentionShape& shape, std::string_view sinks) {
  Operator& op = add(OperatorKind::attention, name, {q, keys, values}, shape.heads * shape.result_dim());
  op.attention = shape;
  if (!sinks.empty()) {
    op.weight = &graph_.weights.emplace_back(tensors_.kernel(full_name(sinks) + ".weight", 1, shape.heads));
  }
  return op.output;
}

ValueId GraphBuilder::softmax(std::string_view name, ValueId x) {
  return add(OperatorKind::softmax, name, {x}, cols(x)).output;
}

ValueId GraphBuilder::top_k(std::string_view name, ValueId x, std::uint32_t count) {
  return add(OperatorKind::top_k, name, {x}, count).output;
}

ValueId GraphBuilder::keep_groups(std::string_view name, ValueId x, const GroupsShape& shape) {
  Operator& op = add(OperatorKind::keep_groups, name, {x}, cols(x));
  op.groups = shape;
  return op.output;
}

ValueId GraphBuilder::take(std::string_view name, ValueId x, ValueId places) {
  return add(OperatorKind::take, name, {x, places}, cols(places)).output;
}

ValueId GraphBuilder::normalize(std::string_view name, ValueId x) {
  return add(OperatorKind::normalize, name, {x}, cols(x)).output;
}

ValueId GraphBuilder::expert_linear(std::string_view name, ValueId x, ValueId places, std::uint32_t experts,
                                    std::uint32_t rows, bool parts, Bias bias) {
  const std::uint32_t columns = parts ? cols(x) / cols(places) : cols(x);
  const ValueId y = expert_linear(
      name, x, places,
      graph_.weights.emplace_back(tensors_.matrices(full_name(name) + ".weight", experts, rows, columns)));
  if (bias == Bias::none) return y;
  Operator& op = graph_.operators.back();
  op.bias = &graph_.weights.emplace_back(tensors_.kernel(op.name + ".bias", experts, rows));
  return y;
}

ValueId GraphBuilder::expert_linear(std::string_view name, ValueId x, ValueId places, const Weight& weight) {
  Operator& op = add(OperatorKind::expert_linear, name, {x, places}, cols(places) * weight.rows);
  op.weight = &weight;
  return op.output;
}

std::vector<ValueId> GraphBuilder::expert_linears(std::string_view tensor, ValueId x, ValueId places,
                                                  std::uint32_t experts, const std::vector<Part>& parts) {
  std::uint32_t rows = 0;
  for (const Part& part : parts) rows += part.rows;
  const Weight& whole =
      graph_.weights.emplace_back(tensors_.matrices(full_name(tensor) + ".weight", experts, rows, cols(x)));
  std::vector<ValueId> results;
  std::uint32_t first = 0;
  for (const Part& part : parts) {
    results.push_back(
        expert_linear(part.name, x, places, graph_.weights.emplace_back(whole.slice(first, part.rows))));
    first += part.rows;
  }
  return results;
}

ValueId GraphBuilder::expert_scales(std::string_view tensor, ValueId places, std::uint32_t experts) {
  const std::string name = full_name(tensor) + ".scale";
  if (!tensors_.has(name)) return kNoValue;
  Operator& op = add(OperatorKind::take_row, std::string(tensor) + "_scales", {places}, cols(places));
  op.weight = &graph_.weights.emplace_back(tensors_.kernel(name, 1, experts));
  return op.output;
}

ValueId GraphBuilder::scale_parts(std::string_view name, ValueId x, ValueId factors) {
  return add(OperatorKind::scale_parts, name, {x, factors}, cols(x)).output;
}

ValueId GraphBuilder::weighted_sum(std::string_view name, ValueId x, ValueId factors) {
  return add(OperatorKind::weighted_sum, name, {x, factors}, cols(x) / cols(factors)).output;
}

ValueId GraphBuilder::convolution(std::string_view name, ValueId x, ValueId state, std::uint32_t taps) {
  Operator& op = add(OperatorKind::convolution, name, {x, state}, cols(x));
  op.weight = &graph_.weights.emplace_back(tensors_.kernel(op.name + ".weight", cols(x), taps));
  return op.output;
}

ValueId GraphBuilder::cell(std::string_view name, ValueId x, ValueId state, const CellShape& shape) {
  const std::uint32_t rows = shape.gates() * shape.width;
  Operator& op = add(OperatorKind::cell, name, {x, state}, shape.width);
  op.cell = shape;
  op.weight = &matrix(name, rows, shape.width);
  if (shape.kind == CellKind::gru)
    op.bias = &graph_.weights.emplace_back(tensors_.kernel(op.name + ".bias", 1, rows));
  return op.output;
}

}  // namespace tokencycle::model
