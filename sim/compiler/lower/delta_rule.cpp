// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "compiler/lower/recurrent.h"
#include "compiler/passes/demands.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;

// Of one segment. Each row of a state meets its own element of v alone, so that rows are done in blocks. The
// first token of all finds no state and makes it. The others' instructions are the same at other addresses: a
// loop.
class DeltaRule {
 public:
  DeltaRule(Builder& builder, const SegmentContext& context, std::uint32_t index, const Room& room)
      : builder_(builder),
        c_(context),
        index_(index),
        op_(context.op(index)),
        shape_(op_.delta),
        products_(scratchpad_rows(room[0], std::uint64_t{shape_.dim} * 4)),
        deltas_(scratchpad_rows(room[1], 4)) {}

  void run() {
    const std::uint32_t most = delta_block(op_);
    for (head_ = 0; head_ < shape_.heads; ++head_) {
      for (first_ = 0; first_ < shape_.dim; first_ += most) block(std::min(most, shape_.dim - first_));
    }
  }

 private:
  static constexpr std::uint8_t kKeys = 1, kValues = 2, kFactors = 3;  // registers: rows of a token

  void block(std::uint32_t rows) {
    rows_ = rows;
    const std::uint64_t row = std::uint64_t{shape_.dim} * 4, bytes = rows * row;
    const DramAddress at = c_.state_of(op_.inputs[5]) + (std::uint64_t{head_} * shape_.dim + first_) * row;
    const Instruction load = load_rows(0, at, row, rows, row);
    const bool fresh = c_.position() == 0;
    state_ = scratchpad_rows(builder_.acquire(bytes, fresh ? nullptr : &load), row);
    if (fresh) token(0, true);
    tokens(fresh ? 1 : 0);
    if (head_ + 1 == shape_.heads && first_ + rows == shape_.dim) show();
    builder_.emit(store_rows(at, row, state_, Format::f32, {rows, shape_.dim}));
    builder_.release();
  }

  // Behind the last sums, which end after all others: the products of each are where those of the next will
  // be. The store of the state waits for none of them.
  void show() {
    const Rows y = c_.place_of(op_.output);
    builder_.tap(index_, y, {0, op_.output_columns, c_.first_row, c_.tokens()});
  }

  void tokens(std::uint32_t begin) {
    const std::uint32_t count = c_.tokens() - begin;
    if (count < kWorthLooping) {
      for (std::uint32_t t = begin; t < c_.tokens(); ++t) token(t, false);
      return;
    }
    const std::uint32_t loop = builder_.begin_loop();
    token(begin, false);
    builder_.end_loop(loop, count, {{kKeys, stride(1)}, {kValues, stride(2)}, {kFactors, stride(3)}});
  }
  std::int32_t stride(std::size_t input) const {
    return static_cast<std::int32_t>(c_.place_of(op_.inputs[input]).stride);
  }

  // Row t of an input, from the column on that is this head's, repeated for each row of the state.
  Rows of_token(model::ValueId value, std::uint32_t t, std::uint32_t column) const {
    const Rows rows = c_.place_of(value);
    return {(rows + (std::uint64_t{t} * rows.stride + std::uint64_t{column} * 4)).at, 0};
  }

  void token(std::uint32_t t, bool makes) {
    const std::uint32_t key = head_ % shape_.key_heads * shape_.dim, value = head_ * shape_.dim + first_;
    const Rows q = of_token(op_.inputs[0], t, key), k = of_token(op_.inputs[1], t, key);
    const Rows v = of_token(op_.inputs[2], t, value);
    const Rows decay = of_token(op_.inputs[3], t, head_), beta = of_token(op_.inputs[4], t, head_);
    const Rows y = of_token(op_.output, t, value);
    const Extent all{rows_, shape_.dim}, line{1, rows_};
    Rows left = v;
    if (!makes) {
      emit(per_row(Opcode::mul, state_, state_, decay, all), 0, 0, kFactors);
      emit(mul_rows(products_, state_, k, all), 0, 0, kKeys);
      emit(sum_rows(deltas_, products_, all), 0, 0, 0);
      emit(sub_rows(deltas_, v, deltas_, line), 0, kValues, 0);
      left = deltas_;
    }
    emit(per_row(Opcode::mul, deltas_, left, beta, line), 0, makes ? kValues : std::uint8_t{0}, kFactors);
    emit(per_row(Opcode::mul, makes ? state_ : products_, k, deltas_, all), 0, kKeys, 0);
    if (!makes) emit(add_rows(state_, state_, products_, all), 0, 0, 0);
    emit(mul_rows(products_, state_, q, all), 0, 0, kKeys);
    emit(sum_rows({y.at, 4}, products_, all), kValues, 0, 0);
  }

  void emit(Instruction i, std::uint8_t dst, std::uint8_t a, std::uint8_t b) {
    i.dst_reg = dst;
    i.a_reg = a;
    i.b_reg = b;
    builder_.emit(i);
  }

  Builder& builder_;
  const SegmentContext& c_;
  std::uint32_t index_;
  const model::Operator& op_;
  const model::DeltaShape& shape_;
  Rows products_, deltas_, state_;
  std::uint32_t head_ = 0, first_ = 0, rows_ = 0;
};

}  // namespace

void emit_delta_rule(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room) {
  for (const SegmentContext& segment : segments_of(context)) DeltaRule(builder, segment, index, room).run();
}

}  // namespace tokencycle::compiler
