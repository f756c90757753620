// SPDX-License-Identifier: Apache-2.0
#include "compiler/lowering.h"

#include <algorithm>
#include <stdexcept>

#include "compiler/attention.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::LocalAddress;
using isa::Opcode;
using model::OperatorKind;

constexpr std::uint8_t kAllUnits = 0b11110;  // load, store, matrix, vector

Rows fp32_rows(std::uint32_t byte, std::uint32_t cols) {
  return scratchpad_rows(byte, std::uint64_t{cols} * 4);
}

}  // namespace

Lowering::Lowering(const StepContext& context)
    : c_(context), shape_(c_.model.shape()), builder_(c_.plan, c_.machine) {
  const Plan& p = c_.plan;
  x_ = fp32_rows(p.x, shape_.width);
  q_ = fp32_rows(p.q, shape_.query_width());
  k_ = fp32_rows(p.k, shape_.kv_width());
  v_ = fp32_rows(p.v, shape_.kv_width());
  o_ = fp32_rows(p.o, shape_.query_width());
  act_ = fp32_rows(p.act, p.feed_block);
}

Draft Lowering::run() {
  const auto& graph = c_.model.graph();
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    const bool head = graph[i].kind == OperatorKind::output || is_head_norm(i);
    if (head && !c_.step.want_logits) continue;
    builder_.set_operator(i);
    lower(i);
  }
  builder_.flush();
  builder_.set_operator(kNoOperator);
  Instruction fence;
  fence.op = Opcode::fence;
  fence.units = kAllUnits;
  builder_.emit(fence);
  Instruction halt;
  halt.op = Opcode::halt;
  builder_.emit(halt);
  return builder_.take();
}

void Lowering::lower(std::uint32_t index) {
  switch (c_.model.graph()[index].kind) {
    case OperatorKind::embedding:
      return embedding(index);
    case OperatorKind::rms_norm:
      return rms_norm(index);
    case OperatorKind::query:
      return project(index, h_, copy_to(index, q_));
    case OperatorKind::key:
      return project(index, h_, copy_to(index, k_));
    case OperatorKind::value:
      return project(index, h_, copy_to(index, v_));
    case OperatorKind::rotary_query:
      return rotary(index);
    case OperatorKind::rotary_key:  // with the query's: both need the same rows of the table
      return;
    case OperatorKind::attention:
      builder_.flush();
      emit_attention(builder_, c_, {q_, k_, v_, o_}, index);
      attention_result_ = {o_, shape_.query_width(), c_.step.tokens, &c_.plan.attention_result, {}};
      return;
    case OperatorKind::attention_output:
      return project(index, attention_result_, add_to_x(index));
    case OperatorKind::gate:
      return feed_forward(index);
    case OperatorKind::up:  // with the gate, block by block
    case OperatorKind::activation:
      return;
    case OperatorKind::down:
      return project(index, feed_result_, add_to_x(index));
    case OperatorKind::output:
      return output(index);
  }
  throw std::logic_error("an operator of the graph has no lowering: " + c_.model.graph()[index].name);
}

std::uint32_t Lowering::next_of(std::uint32_t index, OperatorKind kind) const {
  const auto& graph = c_.model.graph();
  while (graph.at(index).kind != kind) ++index;
  return index;
}

bool Lowering::is_head_norm(std::uint32_t index) const {
  const model::Operator& op = c_.model.graph()[index];
  return op.kind == OperatorKind::rms_norm && op.layer < 0;
}

void Lowering::embedding(std::uint32_t index) {
  const Plan& p = c_.plan;
  const Demands& d = c_.demands;
  const std::uint32_t tokens = c_.step.tokens;
  builder_.emit(load_rows(p.token_ids, c_.layout.token_ids, 4, tokens, 4));
  const bool as_stored = d.embedding_format == Format::f32;
  const Rows rows = as_stored ? x_ : scratchpad_rows(p.table_rows, d.embedding_row_bytes);
  Instruction gather;
  gather.op = Opcode::gather;
  gather.dst = rows.at;
  gather.dst_stride = rows.stride;
  gather.a = LocalAddress::scratchpad(p.token_ids);
  gather.dram = c_.layout.weights + c_.model.embedding().offset;
  gather.dram_stride = gather.cols = d.embedding_row_bytes;
  gather.rows = tokens;
  gather.table_rows = c_.model.embedding().rows;
  builder_.emit(gather);
  builder_.allow_loads_from_here();
  if (!as_stored)
    builder_.emit(convert_rows(x_, Format::f32, rows, d.embedding_format, {tokens, shape_.width}));
  builder_.tap(index, x_.at, x_.stride, 0, shape_.width, tokens);
}

// The gain as fp32, streamed into the ring; behind its last use the caller releases it.
std::uint32_t Lowering::gain_row(const model::Weight& gain) {
  const std::uint64_t bytes = row_bytes(gain.format, gain.cols);
  const Instruction load = load_rows(0, c_.layout.weights + gain.offset, bytes, 1, bytes);
  const std::uint32_t at = builder_.acquire(bytes, &load);
  if (gain.format == Format::f32) return at;
  builder_.emit(convert_rows(fp32_rows(c_.plan.gain, gain.cols), Format::f32, scratchpad_rows(at, bytes),
                             gain.format, {1, gain.cols}));
  return c_.plan.gain;
}

void Lowering::rms_norm(std::uint32_t index) {
  const model::Operator& op = c_.model.graph()[index];
  const bool head = is_head_norm(index);
  const std::uint32_t tokens = c_.step.tokens;
  const std::uint32_t rows = head && !c_.step.all_logits ? 1 : tokens;
  const bool before_attention =
      !head && op.weight == &c_.model.layer(static_cast<std::uint32_t>(op.layer)).attn_norm;
  builder_.flush();
  const Rows h = fp32_rows(c_.plan.h, shape_.width);
  const std::uint32_t gain = gain_row(*op.weight);
  builder_.emit(rms_norm_rows(h, x_ + std::uint64_t{tokens - rows} * x_.stride, gain, shape_.norm_epsilon,
                              {rows, shape_.width}));
  builder_.release();
  builder_.tap(index, h.at, h.stride, 0, shape_.width, rows);
  const Plan::Encoded* forms =
      head ? &c_.plan.head_input : (before_attention ? &c_.plan.attention_input : &c_.plan.feed_input);
  h_ = {h, shape_.width, rows, forms, {}};
}

// The activation in `format`; converted once, by the first projection that asks.
Rows Lowering::encoded(Activation& input, Format format) {
  if (format == Format::f32) return input.fp32;
  const Rows rows =
      scratchpad_rows((*input.encoded)[static_cast<std::size_t>(format)], row_bytes(format, input.cols));
  if (input.ready.has(format)) return rows;
  builder_.flush();
  builder_.emit(convert_rows(rows, format, input.fp32, Format::f32, {input.rows, input.cols}));
  input.ready.add(format);
  return rows;
}

// Rows [first, first + count) of the operator's weight: as many columns of sums.
void Lowering::multiply(std::uint32_t index, std::uint32_t first, std::uint32_t count, Activation& input,
                        const SumsSink& sink) {
  const model::Weight& w = *c_.model.graph()[index].weight;
  const Rows x = encoded(input, activation_format(w.format));
  const DramAddress at = c_.layout.weights + (w.offset + first * row_bytes(w.format, w.cols));
  emit_matmul(builder_, c_.demands, c_.machine.matrix, c_.plan.chunk_bytes, {at, w.format, count, w.cols}, x,
              input.rows, sink);
}

void Lowering::project(std::uint32_t index, Activation& input, const SumsSink& sink) {
  multiply(index, 0, c_.model.graph()[index].weight->rows, input, sink);
}

SumsSink Lowering::copy_to(std::uint32_t index, Rows buffer) {
  return [this, index, buffer](const Sums& s) {
    const Rows dst = buffer + std::uint64_t{s.first} * 4;
    builder_.emit(copy_rows(dst, s.at, {c_.step.tokens, s.cols}));
    builder_.tap(index, dst.at, dst.stride, s.first, s.cols, c_.step.tokens);
  };
}

SumsSink Lowering::add_to_x(std::uint32_t index) {
  return [this, index](const Sums& s) {
    const Rows dst = x_ + std::uint64_t{s.first} * 4;
    builder_.emit(add_rows(dst, s.at, dst, {c_.step.tokens, s.cols}));
    builder_.tap(index, dst.at, dst.stride, s.first, s.cols, c_.step.tokens);
  };
}

// Gate, up and activation of one block of the feed-forward columns after the other, each block encoded as
// the down projection takes it: only one block is ever there as fp32.
void Lowering::feed_forward(std::uint32_t gate_index) {
  const std::uint32_t up_index = next_of(gate_index, OperatorKind::up);
  const std::uint32_t down_index = next_of(gate_index, OperatorKind::down);
  const Format format = activation_format(c_.model.graph()[down_index].weight->format);
  feed_result_ = {act_, shape_.feed_forward, c_.step.tokens, &c_.plan.feed_result, {}};
  for (std::uint32_t first = 0; first < shape_.feed_forward; first += c_.plan.feed_block) {
    const std::uint32_t cols = std::min(c_.plan.feed_block, shape_.feed_forward - first);
    builder_.set_operator(gate_index);
    multiply(gate_index, first, cols, h_, silu_to_act(gate_index, first));
    builder_.set_operator(up_index);
    multiply(up_index, first, cols, h_, mul_into_act(up_index, first));
    builder_.flush();
    if (format == Format::f32) continue;  // one block alone
    builder_.set_operator(down_index);
    const Rows rows = scratchpad_rows(c_.plan.feed_result[static_cast<std::size_t>(format)],
                                      row_bytes(format, shape_.feed_forward));
    builder_.emit(
        convert_rows(rows + row_bytes(format, first), format, act_, Format::f32, {c_.step.tokens, cols}));
  }
  feed_result_.ready.add(format);
}

// The gate's sums go through SiLU on their way out of the accumulator memory, where the tap sees them.
SumsSink Lowering::silu_to_act(std::uint32_t index, std::uint32_t first) {
  const std::uint32_t activation = next_of(index, OperatorKind::activation);
  return [this, index, activation, first](const Sums& s) {
    builder_.set_operator(activation);
    builder_.emit(silu_rows(act_ + std::uint64_t{s.first} * 4, s.at, {c_.step.tokens, s.cols}));
    builder_.tap(index, s.at.at, s.at.stride, first + s.first, s.cols, c_.step.tokens);
  };
}

SumsSink Lowering::mul_into_act(std::uint32_t index, std::uint32_t first) {
  const std::uint32_t activation = next_of(index, OperatorKind::activation);
  return [this, index, activation, first](const Sums& s) {
    const Rows dst = act_ + std::uint64_t{s.first} * 4;
    builder_.set_operator(activation);
    builder_.emit(mul_rows(dst, s.at, dst, {c_.step.tokens, s.cols}));
    builder_.tap(index, s.at.at, s.at.stride, first + s.first, s.cols, c_.step.tokens);
    builder_.tap(activation, dst.at, dst.stride, first + s.first, s.cols, c_.step.tokens);
  };
}

// Rotates q and k where they are, as many rows at a time as the ring holds rows of the table.
void Lowering::rotary(std::uint32_t query_index) {
  const std::uint32_t key_index = next_of(query_index, OperatorKind::rotary_key);
  const std::uint32_t tokens = c_.step.tokens;
  const std::uint64_t row = std::uint64_t{shape_.rope_dims} * 4;
  const auto most = static_cast<std::uint32_t>(std::max<std::uint64_t>(c_.plan.chunk_bytes / row, 1));
  const auto pairs =
      shape_.rope_pairs == model::RopePairs::adjacent ? isa::RotaryPairs::adjacent : isa::RotaryPairs::split;
  builder_.flush();
  for (std::uint32_t m = 0; m < tokens; m += most) {
    const std::uint32_t rows = std::min(most, tokens - m);
    const Instruction load =
        load_rows(0, c_.layout.rope_table + (c_.step.position + m) * row, row, rows, row);
    const Rows table = scratchpad_rows(builder_.acquire(rows * row, &load), row);
    const auto rotate = [&](std::uint32_t index, Rows buffer, std::uint32_t cols) {
      builder_.set_operator(index);
      const Rows at = buffer + std::uint64_t{m} * buffer.stride;
      builder_.emit(rotary_rows(at, at, table, shape_.head_dim, shape_.rope_dims, pairs, {rows, cols}));
      if (m + rows == tokens) builder_.tap(index, buffer.at, buffer.stride, 0, cols, tokens);
    };
    rotate(query_index, q_, shape_.query_width());
    rotate(key_index, k_, shape_.kv_width());
    builder_.release();
  }
}

// Logits go to DRAM straight from the accumulator memory.
void Lowering::output(std::uint32_t index) {
  const std::uint64_t row = std::uint64_t{shape_.vocabulary} * 4;
  project(index, h_, [this, index, row](const Sums& s) {
    builder_.emit(
        store_rows(c_.layout.logits + std::uint64_t{s.first} * 4, row, s.at, Format::f32, {h_.rows, s.cols}));
    builder_.tap(index, s.at.at, s.at.stride, s.first, s.cols, h_.rows);
  });
}

}  // namespace tokencycle::compiler
