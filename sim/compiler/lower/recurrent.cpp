// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/recurrent.h"

#include <algorithm>

#include "compiler/passes/demands.h"

namespace tokencycle::compiler {
namespace {

// Of one segment and a block of columns. Row t takes rows t + j - back of what it is convolved with, j its
// taps and back one less than they are: rows before the step lie in the state, of which the first tokens of
// all lack some. Lacking rows add nothing.
class Convolution {
 public:
  Convolution(Builder& builder, const SegmentContext& context, std::uint32_t index, const Room& room)
      : builder_(builder),
        c_(context),
        index_(index),
        op_(context.op(index)),
        weights_(room[0]),
        products_(room[1]),
        tokens_(context.tokens()),
        back_(op_.weight->cols - 1),
        kept_(std::min(back_, context.position())),
        row_(std::uint64_t{op_.output_columns} * 4) {}

  // Columns [first, first + cols), whose weights are there.
  void run(std::uint32_t first, std::uint32_t cols) {
    first_ = first;
    cols_ = cols;
    load_state();
    const std::uint64_t at = std::uint64_t{first_} * 4;
    x_ = c_.place_of(op_.inputs[0]) + at;
    y_ = c_.place_of(op_.output) + at;
    for (std::uint32_t tap = 0; tap < back_; ++tap) add_tap(tap);
    const std::uint32_t from = builder_.position();  // each row has the last tap
    add_tap(back_);
    // Before the state is stored, which waits for none of the sums.
    builder_.tap_since(from, index_, y_, {first_, cols_, c_.first_row, tokens_});
    store_state();
    builder_.release();
  }

 private:
  DramAddress state() const { return c_.state_of(op_.inputs[1]) + std::uint64_t{first_} * 4; }

  Rows weight_row(std::uint32_t tap) const {
    return scratchpad_rows(weights_ + tap * cols_ * 4, std::uint64_t{cols_} * 4);
  }

  // The last rows of those that the state has.
  void load_state() {
    const std::uint64_t bytes = std::uint64_t{cols_} * 4;
    const isa::Instruction load = load_rows(0, state() + (back_ - kept_) * row_, row_, kept_, bytes);
    state_ =
        scratchpad_rows(builder_.acquire(std::max(kept_, 1u) * bytes, kept_ == 0 ? nullptr : &load), bytes);
  }

  // The first token that has a row for this tap.
  std::uint32_t first_token(std::uint32_t tap) const { return back_ - tap > kept_ ? back_ - tap - kept_ : 0; }

  // Tokens for which it is the first of their taps start their sums.
  void add_tap(std::uint32_t tap) {
    const std::uint32_t begin = std::min(first_token(tap), tokens_);
    const std::uint32_t sums = tap == 0 ? tokens_ : std::min(first_token(tap - 1), tokens_);
    multiply(tap, begin, sums, y_ + std::uint64_t{begin} * y_.stride);
    if (sums == tokens_) return;
    const Rows products = scratchpad_rows(products_, std::uint64_t{cols_} * 4);
    multiply(tap, sums, tokens_, products);
    const Rows y = y_ + std::uint64_t{sums} * y_.stride;
    builder_.emit(add_rows(y, y, products, {tokens_ - sums, cols_}));
  }

  // Of tokens [begin, end), from the state and from the step's own rows.
  void multiply(std::uint32_t tap, std::uint32_t begin, std::uint32_t end, Rows to) {
    const std::uint32_t lag = back_ - tap, own = std::clamp(lag, begin, end);
    const Rows weight{weight_row(tap).at, 0};
    if (begin < own) {
      const Rows from = state_ + std::uint64_t{begin + kept_ - lag} * state_.stride;
      builder_.emit(mul_rows(to, from, weight, {own - begin, cols_}));
    }
    if (own < end) {
      const Rows from = x_ + std::uint64_t{own - lag} * x_.stride;
      builder_.emit(mul_rows(to + std::uint64_t{own - begin} * to.stride, from, weight, {end - own, cols_}));
    }
  }

  // The last rows of the state and the step together, as many as the state has.
  void store_state() {
    const std::uint32_t fresh = std::min(tokens_, back_), stay = std::min(kept_, back_ - fresh);
    const Rows last = x_ + std::uint64_t{tokens_ - fresh} * x_.stride;
    if (stay != 0) {
      builder_.emit(store_rows(state() + (back_ - fresh - stay) * row_, row_,
                               state_ + std::uint64_t{kept_ - stay} * state_.stride, Format::f32,
                               {stay, cols_}));
    }
    builder_.emit(store_rows(state() + (back_ - fresh) * row_, row_, last, Format::f32, {fresh, cols_}));
  }

  Builder& builder_;
  const SegmentContext& c_;
  std::uint32_t index_;
  const model::Operator& op_;
  std::uint32_t weights_, products_;  // places in the scratchpad
  std::uint32_t tokens_, back_, kept_;
  std::uint64_t row_;  // bytes of a whole row
  std::uint32_t first_ = 0, cols_ = 0;
  Rows x_, y_, state_;  // of the block
};

struct Columns {
  std::uint32_t first = 0, count = 0;
};

// From [columns][taps] in DRAM to [taps][columns] in the room.
void load_weights(Builder& builder, const StepContext& context, const model::Operator& op, const Room& room,
                  Columns columns) {
  const std::uint64_t bytes = std::uint64_t{op.weight->cols} * 4, all = bytes * columns.count;
  const isa::Instruction load =
      load_rows(0, context.layout.weights + (op.weight->offset + columns.first * bytes), all, 1, all);
  const std::uint32_t at = builder.acquire(all, &load);
  builder.emit(transpose_rows(scratchpad_rows(room[0], std::uint64_t{columns.count} * 4),
                              scratchpad_rows(at, bytes), {columns.count, op.weight->cols}));
  builder.release();
}

}  // namespace

void emit_convolution(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room) {
  const model::Operator& op = context.op(index);
  const std::uint32_t all = op.output_columns, most = convolution_block(op);
  for (std::uint32_t first = 0; first < all; first += most) {
    const std::uint32_t cols = std::min(most, all - first);
    load_weights(builder, context, op, room, {first, cols});
    for (const SegmentContext& segment : segments_of(context)) {
      Convolution(builder, segment, index, room).run(first, cols);
    }
  }
}

}  // namespace tokencycle::compiler
