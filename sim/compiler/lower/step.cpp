// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/step.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "compiler/lower/attention.h"
#include "compiler/lower/recurrent.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::LocalAddress;
using isa::Opcode;
using model::Operator;
using model::OperatorKind;
using model::ValueId;

constexpr std::uint8_t kAllUnits = 0b11110;  // load, store, matrix, vector

Instruction map_rows(const Operator& op, Rows dst, Rows a, Extent extent) {
  switch (op.map) {
    case model::MapFunction::silu:
      return silu_rows(dst, a, extent);
    case model::MapFunction::gelu_tanh:
      return gelu_tanh_rows(dst, a, extent);
    case model::MapFunction::tanh:
      return tanh_rows(dst, a, extent);
    case model::MapFunction::scale:
      return scale_rows(dst, a, op.scalar, extent);
    case model::MapFunction::sigmoid:
      return sigmoid_rows(dst, a, extent);
    case model::MapFunction::exp:
      return exp_rows(dst, a, extent);
    case model::MapFunction::softplus:
      return softplus_rows(dst, a, extent);
    case model::MapFunction::add:
      return add_scalar_rows(dst, a, op.scalar, extent);
    case model::MapFunction::minimum:
      return min_scalar_rows(dst, a, op.scalar, extent);
    case model::MapFunction::maximum:
      return max_scalar_rows(dst, a, op.scalar, extent);
  }
  throw std::logic_error("a function has no instruction");
}

Instruction zip_rows(model::ZipFunction f, Rows dst, Rows a, Rows b, Extent extent) {
  return f == model::ZipFunction::add ? add_rows(dst, a, b, extent) : mul_rows(dst, a, b, extent);
}

}  // namespace

Lowering::Lowering(const StepContext& context)
    : c_(context),
      graph_(context.graph()),
      builder_(c_.plan, c_.machine),
      prepared_(graph_.values.size(), false) {}

Draft Lowering::run() {
  const std::vector<Stage>& stages = c_.demands.stages;
  for (std::uint32_t s = 0; s < stages.size(); ++s) {
    const ValueId result = c_.op(stages[s].operators.back()).output;
    const bool head = result != model::kNoValue && graph_.values[result].rows == model::RowsOf::outputs;
    if (head && c_.step.outputs == 0) continue;
    builder_.set_operator(stages[s].operators.front());
    prepare(stages[s]);
    lower(s);
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

void Lowering::lower(std::uint32_t s) {
  const Stage& stage = c_.demands.stages[s];
  switch (stage.kind) {
    case Stage::Kind::gather:
      return gather(s);
    case Stage::Kind::positions:
      return positions(s);
    case Stage::Kind::read:
      return read(stage.operators[0]);
    case Stage::Kind::norm:
      return norm(s);
    case Stage::Kind::linear:
      return linear(s);
    case Stage::Kind::gated:
      return gated(s);
    case Stage::Kind::map:
      return map(stage.operators[0]);
    case Stage::Kind::zip:
      return zip(stage.operators[0]);
    case Stage::Kind::rotary:
      return rotary(stage);
    case Stage::Kind::append:
      return append(s);
    case Stage::Kind::row:
      return row(s);
    case Stage::Kind::experts:
      return experts(stage.operators[0]);
    case Stage::Kind::parts:
      return parts(stage.operators[0]);
    case Stage::Kind::attention:
      builder_.flush();
      return emit_attention(builder_, c_, s);
    case Stage::Kind::recurrent:
      builder_.flush();
      return recurrent(stage.operators[0], c_.plan.rooms[s]);
  }
  throw std::logic_error("a stage has no lowering: " + c_.op(stage.operators[0]).name);
}

void Lowering::recurrent(std::uint32_t index, const Room& room) {
  switch (c_.op(index).kind) {
    case OperatorKind::convolution:
      return emit_convolution(builder_, c_, index, room);
    case OperatorKind::delta_rule:
      return emit_delta_rule(builder_, c_, index, room);
    default:
      return emit_cell(builder_, c_, index, room);
  }
}

Rows Lowering::input_of(const Operator& op, std::size_t i) const {
  const ValueId value = op.inputs[i];
  const Rows rows = c_.place_of(value);
  return rows + std::uint64_t{c_.rows_of(value) - c_.rows_of(op.output)} * rows.stride;
}

Rows Lowering::encoded(ValueId value, Format format) const {
  return scratchpad_rows(c_.plan.encoded[value][static_cast<std::size_t>(format)],
                         row_bytes(format, graph_.values[value].cols));
}

void Lowering::tap(std::uint32_t index, Rows at, std::uint32_t first_col, std::uint32_t cols) {
  const std::uint32_t rows = c_.rows_of(c_.op(index).output);
  builder_.tap(index, at, {first_col, cols, c_.step.tokens() - rows, rows});
}

void Lowering::gather(std::uint32_t s) {
  const std::uint32_t index = c_.demands.stages[s].operators[0], tokens = c_.step.tokens();
  const Operator& op = c_.op(index);
  const model::Weight& table = *op.weight;
  const Room& room = c_.plan.rooms[s];
  const auto bytes = static_cast<std::uint32_t>(row_bytes(table.format, table.cols));
  builder_.emit(load_rows(room[0], c_.layout.token_ids, 4, tokens, 4));
  const bool as_stored = table.format == Format::f32;
  const Rows x = c_.place_of(op.output);
  const Rows rows = as_stored ? x : scratchpad_rows(room[1], bytes);
  Instruction gather;
  gather.op = Opcode::gather;
  gather.dst = rows.at;
  gather.dst_stride = rows.stride;
  gather.a = LocalAddress::scratchpad(room[0]);
  gather.dram = c_.layout.weights + table.offset;
  gather.dram_stride = gather.cols = bytes;
  gather.rows = tokens;
  gather.table_rows = table.rows;
  builder_.emit(gather);
  builder_.hold_loads();  // what runs ahead would keep the gather waiting
  if (!as_stored) builder_.emit(convert_rows(x, Format::f32, rows, table.format, {tokens, table.cols}));
  tap(index, x, 0, table.cols);
}

void Lowering::read(std::uint32_t index) {
  const Operator& op = c_.op(index);
  const Rows x = c_.place_of(op.output);
  builder_.emit(load_rows(x.at.byte(), c_.layout.values[op.inputs[0]], x.stride, c_.step.tokens(), x.stride));
  tap(index, x, 0, op.output_columns);
}

std::uint32_t Lowering::load_row(const model::Weight& weight, std::uint32_t first, std::uint32_t cols) {
  const std::uint64_t bytes = row_bytes(weight.format, cols);
  const DramAddress from = c_.layout.weights + (weight.offset + row_bytes(weight.format, first));
  const Instruction load = load_rows(0, from, bytes, 1, bytes);
  return builder_.acquire(bytes, &load);
}

void Lowering::load_as_f32(const model::Weight& weight, std::uint32_t to) {
  const std::uint32_t row = load_row(weight, 0, weight.cols);
  builder_.emit(convert_rows(scratchpad_rows(to, std::uint64_t{weight.cols} * 4), Format::f32,
                             scratchpad_rows(row, row_bytes(weight.format, weight.cols)), weight.format,
                             {1, weight.cols}));
  builder_.release();
}

// Encoded by the first linear that asks, for all of them; a gated stage that works block by block has encoded
// its result itself.
void Lowering::prepare(const Stage& stage) {
  for (const std::uint32_t i : stage.operators) {
    const Operator& op = c_.op(i);
    if (!multiplies(op) || prepared_[op.inputs[0]]) continue;
    const ValueId value = op.inputs[0];
    if (graph_.values[value].kind == model::ValueKind::input) continue;  // as the host encoded it
    if (activation_format(op.weight->format) == Format::f32) continue;
    prepared_[value] = true;
    builder_.flush();
    for (const Format f : kEncodedActivations) {
      if (!c_.demands.formats[value].has(f)) continue;
      builder_.emit(convert_rows(encoded(value, f), f, c_.place_of(value), Format::f32,
                                 {c_.rows_of(value), graph_.values[value].cols}));
    }
  }
}

void Lowering::multiply(std::uint32_t index, std::uint32_t first, std::uint32_t count, const SumsSink& sink) {
  const Operator& op = c_.op(index);
  const model::Weight& w = *op.weight;
  const model::Value& input = graph_.values[op.inputs[0]];
  const std::uint32_t rows = c_.rows_of(op.output);
  const DramAddress at = c_.layout.weights + (w.offset + first * row_bytes(w.format, w.cols));
  const StoredMatrix weight{at, w.format, count, w.cols};
  LinearRows x;
  if (input.kind == model::ValueKind::input) {
    x.stored = {c_.layout.values[op.inputs[0]], input.format, rows, input.cols};
    const std::optional<Tiling> tiling = tile_streamed(c_.machine, *x.stored, weight, builder_.ring_bytes());
    if (!tiling) throw std::logic_error("a linear within the checked limits has no tiling: " + op.name);
    return emit_linear(builder_, c_.machine.matrix, *tiling, weight, x, sink);
  }
  const Rows all = encoded(op.inputs[0], activation_format(w.format));
  x.resident = all + std::uint64_t{c_.rows_of(op.inputs[0]) - rows} * all.stride;
  emit_linear(builder_, c_.machine.matrix, tile_resident(c_.demands, weight, rows, c_.plan.chunk_bytes),
              weight, x, sink);
}

// The sums go to the result's place, to what they are added to, or to DRAM straight from the accumulator
// memory.
void Lowering::linear(std::uint32_t s) {
  const Stage& stage = c_.demands.stages[s];
  const std::uint32_t index = stage.operators[0];
  const Operator& op = c_.op(index);
  const std::uint32_t last = stage.operators.back();
  if (c_.op(last).kind == OperatorKind::map) return result_functions(s);
  const bool added = stage.operators.size() == 2;
  multiply(index, 0, op.weight->rows, [this, index, last, added](const Sums& sums) {
    const Operator& linear = c_.op(index);
    const Extent extent{sums.rows, sums.cols};
    if (linear.output == graph_.result) {
      const std::uint64_t row = std::uint64_t{linear.output_columns} * 4;
      const Format format = is_integer(linear.weight->format) ? Format::u32 : Format::f32;
      builder_.emit(store_rows(c_.layout.logits + (sums.first_row * row + std::uint64_t{sums.first} * 4), row,
                               sums.at, format, extent));
      if (c_.demands.streamed) return;  // taps are for the reference's values, which has all rows at once
      return tap(index, sums.at, sums.first, sums.cols);
    }
    const Rows dst = c_.place_of(c_.op(last).output) + std::uint64_t{sums.first} * 4;
    if (!added && linear.bias == nullptr) {
      builder_.emit(copy_rows(dst, sums.at, extent));
      return tap(index, dst, sums.first, sums.cols);
    }
    if (linear.bias != nullptr) {
      const std::uint32_t bias = load_row(*linear.bias, sums.first, sums.cols);
      builder_.emit(add_rows(dst, sums.at, scratchpad_rows(bias, 0), extent));
      builder_.release();
      return tap(index, dst, sums.first, sums.cols);
    }
    builder_.set_operator(last);
    builder_.emit(add_rows(dst, sums.at, dst, extent));
    tap(index, sums.at, sums.first, sums.cols);
    tap(last, dst, sums.first, sums.cols);
  });
}

// A chunk of sums goes through the functions in a buffer of its own, one of two in turn, and on to DRAM.
void Lowering::result_functions(std::uint32_t s) {
  const std::vector<std::uint32_t>& operators = c_.demands.stages[s].operators;
  const std::uint32_t rows = c_.rows_of(graph_.result), room = c_.plan.rooms[s][0];
  const std::uint64_t row = std::uint64_t{graph_.values[graph_.result].cols} * 4;
  const auto half = static_cast<std::uint32_t>(
      round_up(std::min<std::uint64_t>(rows * row, c_.demands.accumulator_half * 4), kAlignment));
  auto upper = std::make_shared<bool>(false);
  multiply(operators[0], 0, c_.op(operators[0]).weight->rows, [=, this](const Sums& sums) {
    const Extent extent{rows, sums.cols};
    const Rows dst = scratchpad_rows(*upper ? room + half : room, std::uint64_t{sums.cols} * 4);
    *upper = !*upper;
    for (std::size_t i = 1; i < operators.size(); ++i) {
      builder_.set_operator(operators[i]);
      builder_.emit(map_rows(c_.op(operators[i]), dst, i == 1 ? sums.at : dst, extent));
      if (i == 1) tap(operators[0], sums.at, sums.first, sums.cols);
      tap(operators[i], dst, sums.first, sums.cols);
    }
    builder_.emit(
        store_rows(c_.layout.logits + std::uint64_t{sums.first} * 4, row, dst, Format::f32, extent));
  });
}

// Both products, function and multiplication of one block of columns after the other. Each block is encoded
// as its reader takes it when a block is less than all: then only one is ever there as fp32. The first
// product's sums go through the function on their way out of the accumulator memory, where the taps see them.
void Lowering::gated(std::uint32_t s) {
  const std::vector<std::uint32_t>& operators = c_.demands.stages[s].operators;
  const std::uint32_t zip = operators.back(), map = c_.demands.maker[c_.op(zip).inputs[0]];
  const std::uint32_t gate = c_.demands.maker[c_.op(map).inputs[0]];
  const std::uint32_t up = c_.demands.maker[c_.op(zip).inputs[1]];
  const ValueId result = c_.op(zip).output;
  const std::uint32_t all = c_.op(zip).output_columns, block = std::min(c_.plan.gated_block, all);
  const std::uint32_t rows = c_.rows_of(result);
  const bool in_blocks = block < all;
  const std::uint32_t reader = graph_.readers(result).front();  // a search through the graph
  const Rows act =
      in_blocks ? scratchpad_rows(c_.plan.rooms[s][0], std::uint64_t{block} * 4) : c_.place_of(result);
  for (std::uint32_t first = 0; first < all; first += block) {
    const std::uint32_t cols = std::min(block, all - first);
    builder_.set_operator(gate);
    multiply(gate, first, cols, [=, this](const Sums& sums) {
      const Rows dst = act + std::uint64_t{sums.first} * 4;
      builder_.set_operator(map);
      builder_.emit(map_rows(c_.op(map), dst, sums.at, {rows, sums.cols}));
      tap(gate, sums.at, first + sums.first, sums.cols);
      tap(map, dst, first + sums.first, sums.cols);
    });
    builder_.set_operator(up);
    multiply(up, first, cols, [=, this](const Sums& sums) {
      const Rows dst = act + std::uint64_t{sums.first} * 4;
      builder_.set_operator(zip);
      builder_.emit(mul_rows(dst, sums.at, dst, {rows, sums.cols}));
      tap(up, sums.at, first + sums.first, sums.cols);
      tap(zip, dst, first + sums.first, sums.cols);
    });
    builder_.flush();
    if (!in_blocks) continue;
    builder_.set_operator(reader);
    for (const Format f : kEncodedActivations) {
      if (!c_.demands.formats[result].has(f)) continue;
      builder_.emit(
          convert_rows(encoded(result, f) + row_bytes(f, first), f, act, Format::f32, {rows, cols}));
    }
    prepared_[result] = true;
  }
}

void Lowering::map(std::uint32_t index) {
  const Operator& op = c_.op(index);
  const Rows y = c_.place_of(op.output);
  builder_.flush();
  builder_.emit(map_rows(op, y, input_of(op, 0), {c_.rows_of(op.output), op.output_columns}));
  tap(index, y, 0, op.output_columns);
}

void Lowering::zip(std::uint32_t index) {
  const Operator& op = c_.op(index);
  const Rows y = c_.place_of(op.output);
  builder_.flush();
  builder_.emit(
      zip_rows(op.zip, y, input_of(op, 0), input_of(op, 1), {c_.rows_of(op.output), op.output_columns}));
  tap(index, y, 0, op.output_columns);
}

// One product after the other, each of all rows.
void Lowering::parts(std::uint32_t index) {
  const Operator& op = c_.op(index);
  const model::Weight& w = *op.weight;
  const Format format = activation_format(w.format);
  const Rows x = encoded(op.inputs[0], format), y = c_.place_of(op.output);
  const std::uint32_t rows = c_.rows_of(op.output);
  for (std::uint32_t part = 0; part < w.experts; ++part) {
    const StoredMatrix matrix{c_.layout.weights + (w.offset + part * w.matrix_stride()), w.format, w.rows,
                              w.cols};
    const Rows to = y + std::uint64_t{part} * w.rows * 4;
    emit_linear(
        builder_, c_.machine.matrix, tile_resident(c_.demands, matrix, rows, c_.plan.chunk_bytes), matrix,
        {x + part * row_bytes(format, w.cols), {}}, [this, to](const Sums& sums) {
          builder_.emit(copy_rows(to + std::uint64_t{sums.first} * 4, sums.at, {sums.rows, sums.cols}));
        });
  }
  builder_.flush();
  tap(index, y, 0, op.output_columns);
}

// Row by row, place by place: the matrix that a place names is read from DRAM at a register, which decode
// takes from the scratchpad, and so is the bias. As many registers are read at once as there are, so that
// loads run ahead of the array; none of them is before its register.
void Lowering::experts(std::uint32_t index) {
  constexpr std::uint32_t kFirstRegister = 4, kRegisters = isa::kAddressRegisters - kFirstRegister;
  const Operator& op = c_.op(index);
  const model::Weight& w = *op.weight;
  const Format format = activation_format(w.format);
  const std::uint32_t places = graph_.values[op.inputs[1]].cols, products = c_.rows_of(op.output) * places;
  const bool parts = graph_.values[op.inputs[0]].cols != w.cols;
  const Rows x = encoded(op.inputs[0], format), y = c_.place_of(op.output);
  const Rows chosen = input_of(op, 1);
  const std::uint32_t most = op.bias == nullptr ? kRegisters : kRegisters / 2;
  const auto bias_register = [](std::uint32_t n) {
    return static_cast<std::uint8_t>(kFirstRegister + kRegisters / 2 + n);
  };
  for (std::uint32_t first = 0; first < products; first += most) {
    const std::uint32_t count = std::min(most, products - first);
    builder_.flush();
    for (std::uint32_t n = 0; n < count; ++n) {
      const std::uint32_t row = (first + n) / places, place = (first + n) % places;
      const LocalAddress word = (chosen + (std::uint64_t{row} * chosen.stride + std::uint64_t{place} * 4)).at;
      read_expert(static_cast<std::uint8_t>(kFirstRegister + n), word, w.offset, w.matrix_stride(),
                  w.experts);
      if (op.bias == nullptr) continue;
      read_expert(bias_register(n), word, op.bias->offset, row_bytes(op.bias->format, w.rows), w.experts);
    }
    builder_.hold_loads();
    for (std::uint32_t n = 0; n < count; ++n) {
      const std::uint32_t row = (first + n) / places, place = (first + n) % places;
      const Rows from = x + (std::uint64_t{row} * x.stride + (parts ? place * row_bytes(format, w.cols) : 0));
      const Rows to = y + (std::uint64_t{row} * y.stride + std::uint64_t{place} * w.rows * 4);
      const StoredMatrix matrix{DramAddress(0), w.format, w.rows, w.cols,
                                static_cast<std::uint8_t>(kFirstRegister + n)};
      const std::uint8_t bias = op.bias == nullptr ? std::uint8_t{0} : bias_register(n);
      emit_linear(builder_, c_.machine.matrix, tile_resident(c_.demands, matrix, 1, c_.plan.chunk_bytes),
                  matrix, {from, {}}, [this, to, bias](const Sums& sums) {
                    const Rows dst = to + std::uint64_t{sums.first} * 4;
                    if (bias == 0) return builder_.emit(copy_rows(dst, sums.at, {1, sums.cols}));
                    const std::uint64_t bytes = std::uint64_t{sums.cols} * 4;
                    Instruction load =
                        load_rows(0, DramAddress(std::uint64_t{sums.first} * 4), bytes, 1, bytes);
                    load.dram_reg = bias;
                    const Rows row_of_bias = scratchpad_rows(builder_.acquire(bytes, &load), 0);
                    builder_.emit(add_rows(dst, sums.at, row_of_bias, {1, sums.cols}));
                    builder_.release();
                  });
    }
  }
  builder_.flush();
  tap(index, y, 0, op.output_columns);
}

// The register becomes the address of what the word names, of so many things that lie together.
void Lowering::read_expert(std::uint8_t reg, LocalAddress word, std::uint64_t offset, std::uint64_t bytes,
                           std::uint32_t count) {
  Instruction read;
  read.op = Opcode::read_address;
  read.reg = reg;
  read.a = word;
  read.value = static_cast<std::int64_t>((c_.layout.weights + offset).value);
  read.word_stride = bytes;
  read.extent = count;
  builder_.emit(read);
}

}  // namespace tokencycle::compiler
