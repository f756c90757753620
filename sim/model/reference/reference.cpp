// SPDX-License-Identifier: Apache-2.0
#include "model/reference/reference.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "model/reference/math.h"
#include "numerics/blocks.h"

namespace tokencycle::model {

namespace {

TokenId token_of(std::span<const std::byte> row) {
  TokenId token = 0;
  std::memcpy(&token, row.data(), sizeof token);
  return token;
}

}  // namespace

Reference::Reference(const LlamaModel& model, Format kv_format)
    : model_(model), graph_(model.graph()), kv_format_(kv_format) {
  if (!kCacheFormats.has(kv_format)) {
    throw ConfigurationError(fmt::format("the KV cache of the reference holds {}, not {}",
                                         kCacheFormats.names(" or "), name_of(kv_format)));
  }
  check_cache(graph_, kv_format);
  for (const Value& value : graph_.values) {
    values_.emplace_back(value.kind == ValueKind::activation ? value.cols : 0);
    state_of_.push_back(states_.size());
    if (value.kind == ValueKind::state) states_.emplace_back();
  }
}

void Reference::reset() {
  position_ = 0;
  for (std::vector<std::byte>& rows : states_) rows.clear();
}

std::span<const float> Reference::step(TokenId token) {
  require_generative(model_);
  const Hyperparameters& shape = model_.shape();
  if (position_ >= shape.run_context) {
    throw SimulationError(
        fmt::format("the context of {} positions is full; generate fewer tokens or shorten the prompt",
                    shape.run_context));
  }
  if (token >= shape.vocabulary) {
    throw SimulationError(fmt::format("token {} is outside the vocabulary of {} tokens (0 to {})", token,
                                      shape.vocabulary, shape.vocabulary - 1));
  }
  for (const Operator& op : graph_.operators) {
    execute(op, std::as_bytes(std::span(&token, 1)));
    show(op);
  }
  model_.file().check_whole();
  ++position_;
  return values_[graph_.result];
}

void Reference::show(const Operator& op) const {
  if (!tap_) return;
  tap_(op, position_, op.output == kNoValue ? std::span<const float>() : std::span(values_[op.output]));
}

std::vector<std::vector<float>> Reference::encode(std::span<const std::byte> rows) {
  const Value& input = graph_.values[graph_.input()];
  const std::uint64_t row = row_bytes(input.format, input.cols), count = rows.size() / row;
  if (count > model_.shape().run_context) {
    throw SimulationError(fmt::format("an input of {} rows; the model was made for {}; give a shorter one",
                                      count, model_.shape().run_context));
  }
  reset();
  std::vector<std::vector<std::vector<float>>> values(count, values_);  // by row
  for (const Operator& op : graph_.operators) {
    for (position_ = 0; position_ < count; ++position_) {
      values_.swap(values[position_]);
      execute(op, rows.subspan(position_ * row, row));
      show(op);
      values_.swap(values[position_]);
    }
  }
  model_.file().check_whole();
  std::vector<std::vector<float>> results;
  for (auto& of_row : values) results.push_back(std::move(of_row[graph_.result]));
  return results;
}

void Reference::execute(const Operator& op, std::span<const std::byte> input) {
  if (op.kind == OperatorKind::append) return append(op);
  std::vector<float>& y = values_[op.output];
  switch (op.kind) {
    case OperatorKind::gather_rows:
      return decode_row(op.weight->format, op.weight->row(token_of(input)), 0, y);
    case OperatorKind::read_rows:
      return decode_row(Format::f32, input, 0, y);
    case OperatorKind::position_rows:
      return decode_row(op.weight->format, op.weight->row(position_), 0, y);
    case OperatorKind::linear:
      multiply(*op.weight, in(op, 0), y);
      if (op.bias != nullptr) add(y, decoded_row(*op.bias), y);
      return;
    case OperatorKind::norm:
      return norm(op);
    case OperatorKind::map:
      return map(op.map, op.scalar, in(op, 0), y);
    case OperatorKind::zip:
      return op.zip == ZipFunction::add ? add(in(op, 0), in(op, 1), y) : mul(in(op, 0), in(op, 1), y);
    case OperatorKind::rotary:
      y.assign(in(op, 0).begin(), in(op, 0).end());
      return rotate(op.rotary, table_row(op.inputs[1]), y);
    case OperatorKind::append:
      break;
    case OperatorKind::attention:
      return attend(op);
    case OperatorKind::softmax:
      y.assign(in(op, 0).begin(), in(op, 0).end());
      return softmax(y, 1.0f);
    case OperatorKind::top_k:
      top_k(in(op, 0), y);
      if (chooser_) chooser_(op, position_, in(op, 0), y);
      return;
    case OperatorKind::keep_groups:
      return keep_groups(op.groups, in(op, 0), y);
    case OperatorKind::cell:
      return cell(op.cell, *op.weight, op.bias, in(op, 0), state(op.inputs[1]), y);
    case OperatorKind::take:
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = in(op, 0)[place_at(in(op, 1), i)];
      return;
    case OperatorKind::take_row: {
      const std::vector<float> row = decoded_row(*op.weight);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = row[place_at(in(op, 0), i)];
      return;
    }
    case OperatorKind::normalize:
      return normalize(in(op, 0), y);
    case OperatorKind::expert_linear:
      return multiply_experts(*op.weight, op.bias, in(op, 0), in(op, 1), y);
    case OperatorKind::scale_parts:
      return scale_parts(in(op, 0), in(op, 1), y);
    case OperatorKind::weighted_sum:
      return weighted_sum(in(op, 0), in(op, 1), y);
    case OperatorKind::convolution:
      return convolve(op);
    case OperatorKind::delta_rule:
      return delta_rule(op.delta, {in(op, 0), in(op, 1), in(op, 2), in(op, 3), in(op, 4)},
                        state(op.inputs[5]), y);
    case OperatorKind::zip_row:
      return zip_row(op.zip, in(op, 0), decoded_row(*op.weight), y);
    case OperatorKind::columns:
      return columns(op.columns, in(op, 0), y);
    case OperatorKind::join:
      return join(op.columns, in(op, 0), in(op, 1), y);
    case OperatorKind::part_linear:
      return multiply_parts(*op.weight, in(op, 0), y);
  }
  throw std::logic_error("an operator has no meaning in the reference: " + op.name);
}

void Reference::norm(const Operator& op) {
  const std::size_t columns = op.norm.columns;
  for (std::size_t at = 0; at < op.output_columns; at += columns) {
    const std::span<const float> x = in(op, 0).subspan(at, columns);
    const std::span<float> y = std::span(values_[op.output]).subspan(at, columns);
    if (op.norm.kind == NormKind::layer) {
      layer_norm(x, *op.weight, *op.bias, op.norm.epsilon, y);
    } else if (op.norm.kind == NormKind::centered) {
      centered_norm(x, *op.weight, op.norm.epsilon, y);
    } else {
      rms_norm(x, op.weight, op.norm.epsilon, y);
    }
  }
}

std::span<const float> Reference::table_row(ValueId table) const {
  const std::size_t length = graph_.values[table].cols;
  return std::span(model_.rotary_table(table)).subspan(position_ * length, length);
}

void Reference::append(const Operator& op) {
  const std::span<const float> row = in(op, 0);
  std::vector<std::byte>& rows = state(op.inputs[1]);
  const std::uint64_t bytes = row_bytes(kv_format_, row.size());
  rows.resize((position_ + std::uint64_t{1}) * bytes);
  encode_row(kv_format_, row, std::span(rows).subspan(position_ * bytes));
}

// The state is the last rows, of which the first tokens have fewer.
void Reference::convolve(const Operator& op) {
  const auto x = std::as_bytes(in(op, 0));
  std::vector<std::byte>& rows = state(op.inputs[1]);
  rows.insert(rows.end(), x.begin(), x.end());
  convolution(*op.weight, rows, values_[op.output]);
  if (rows.size() == op.weight->cols * x.size()) {
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(x.size()));
  }
}

void Reference::attend(const Operator& op) {
  const std::vector<float> sinks = op.weight == nullptr ? std::vector<float>() : decoded_row(*op.weight);
  attention(op.attention, sinks, kv_format_, in(op, 0), state(op.inputs[1]), state(op.inputs[2]),
            values_[op.output]);
}

}  // namespace tokencycle::model
