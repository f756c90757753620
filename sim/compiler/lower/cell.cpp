// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/recurrent.h"
#include "compiler/tile/linear.h"
#include "compiler/tile/tiling.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;

// Of one segment. The state's row h is the result's row of the token before; only the first token of a step
// takes it from DRAM.
class Cell {
 public:
  Cell(Builder& builder, const SegmentContext& context, std::uint32_t index, const Room& room)
      : builder_(builder),
        c_(context),
        index_(index),
        op_(context.op(index)),
        width_(op_.cell.width),
        row_(std::uint64_t{width_} * 4),
        gates_(one_row(room[0])),
        state_(one_row(room[1])),
        bias_(state_ + op_.cell.state_rows() * row_),
        format_(activation_format(op_.weight->format)),
        encoded_(scratchpad_rows(room[2], row_bytes(format_, width_))) {}

  void run() {
    load_state();
    if (op_.bias != nullptr) load_bias();
    for (std::uint32_t t = 0; t < c_.tokens(); ++t) token(t);
    const Rows y = c_.place_of(op_.output);
    builder_.tap(index_, y, {0, width_, c_.first_row, c_.tokens()});
    store_state();
  }

 private:
  // What follows takes any number of values of it.
  static Rows one_row(std::uint32_t at) { return scratchpad_rows(at, 0); }
  Rows part(Rows row, std::uint32_t gate) const { return row + gate * row_; }
  Rows row_of(model::ValueId value, std::uint32_t t) const {
    const Rows rows = c_.place_of(value);
    return rows + std::uint64_t{t} * rows.stride;
  }
  DramAddress state() const { return c_.state_of(op_.inputs[1]); }
  bool makes_state(std::uint32_t t) const { return c_.position() + t == 0; }

  void load_state() {
    if (c_.position() == 0) return;
    const std::uint64_t bytes = op_.cell.state_rows() * row_;
    copy_of(load_rows(0, state(), bytes, 1, bytes), state_, bytes);
  }
  void load_bias() {
    const std::uint64_t bytes = op_.cell.gates() * row_;
    copy_of(load_rows(0, c_.whole.layout.weights + op_.bias->offset, bytes, 1, bytes), bias_, bytes);
  }
  // Out of the ring, through which the weight is going to stream.
  void copy_of(const Instruction& load, Rows to, std::uint64_t bytes) {
    const Rows from = one_row(builder_.acquire(bytes, &load));
    emit(copy_rows(to, from, {1, static_cast<std::uint32_t>(bytes / 4)}));
    builder_.release();
  }

  void token(std::uint32_t t) {
    if (!makes_state(t)) multiply(t == 0 ? state_ : row_of(op_.output, t - 1), t);
    if (op_.cell.kind == model::CellKind::lstm) {
      lstm(t);
    } else {
      gru(t);
    }
  }

  // gates = W h, plus what is added to all of it: the input's part of an LSTM, the bias of a GRU.
  void multiply(Rows h, std::uint32_t t) {
    const model::Weight& w = *op_.weight;
    if (format_ != Format::f32) emit(convert_rows(encoded_, format_, h, Format::f32, {1, width_}));
    const Rows addend = op_.bias == nullptr ? row_of(op_.inputs[0], t) : bias_;
    const StoredMatrix matrix{c_.whole.layout.weights + w.offset, w.format, w.rows, w.cols};
    emit_linear(builder_, c_.machine().matrix,
                tile_resident(c_.whole.demands, matrix, 1, c_.whole.plan.chunk_bytes), matrix,
                {format_ == Format::f32 ? h : encoded_, {}}, [this, addend](const Sums& sums) {
                  const std::uint64_t at = std::uint64_t{sums.first} * 4;
                  emit(add_rows(gates_ + at, sums.at, addend + at, {1, sums.cols}));
                });
    builder_.flush();
  }

  void lstm(std::uint32_t t) {
    const Rows x = makes_state(t) ? row_of(op_.inputs[0], t) : gates_;
    const Rows i = gates_, f = part(gates_, 1), o = part(gates_, 2), g = part(gates_, 3);
    const Rows c = part(state_, 1), h = row_of(op_.output, t);
    const Extent one{1, width_};
    emit(sigmoid_rows(gates_, x, {1, 3 * width_}));
    emit(tanh_rows(g, part(x, 3), one));
    if (makes_state(t)) {
      emit(mul_rows(c, i, g, one));
    } else {
      emit(mul_rows(i, i, g, one));
      emit(mul_rows(c, c, f, one));
      emit(add_rows(c, c, i, one));
    }
    emit(tanh_rows(h, c, one));
    emit(mul_rows(h, h, o, one));
  }

  void gru(std::uint32_t t) {
    const Rows x = row_of(op_.inputs[0], t), sums = makes_state(t) ? bias_ : gates_;
    const Rows r = gates_, u = part(gates_, 1), n = part(gates_, 2), h = row_of(op_.output, t);
    const Extent one{1, width_}, two{1, 2 * width_};
    emit(add_rows(gates_, sums, x, two));
    emit(sigmoid_rows(gates_, gates_, two));
    emit(mul_rows(n, part(sums, 2), r, one));
    emit(add_rows(n, n, part(x, 2), one));
    emit(tanh_rows(n, n, one));
    if (makes_state(t)) {
      emit(scale_rows(h, n, -1.0f, one));
    } else {
      emit(sub_rows(h, t == 0 ? state_ : row_of(op_.output, t - 1), n, one));
    }
    emit(mul_rows(h, h, u, one));
    emit(add_rows(h, h, n, one));
  }

  void store_state() {
    emit(store_rows(state(), row_, row_of(op_.output, c_.tokens() - 1), Format::f32, {1, width_}));
    if (op_.cell.kind == model::CellKind::gru) return;
    emit(store_rows(state() + row_, row_, part(state_, 1), Format::f32, {1, width_}));
  }

  void emit(const Instruction& i) { builder_.emit(i); }

  Builder& builder_;
  const SegmentContext& c_;
  std::uint32_t index_;
  const model::Operator& op_;
  std::uint32_t width_;
  std::uint64_t row_;  // bytes of `width` values
  Rows gates_, state_, bias_;
  Format format_;  // that h meets the weight in
  Rows encoded_;
};

}  // namespace

void emit_cell(Builder& builder, const StepContext& context, std::uint32_t index, const Room& room) {
  for (const SegmentContext& segment : segments_of(context)) Cell(builder, segment, index, room).run();
}

}  // namespace tokencycle::compiler
