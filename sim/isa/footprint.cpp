// SPDX-License-Identifier: Apache-2.0
// The bytes that an instruction touches.
#include "isa/encoding.h"
#include "isa/program_check.h"
#include "isa/vector/function.h"

namespace tokencycle::isa {

namespace {

constexpr std::uint32_t kF32Bytes = 4;
constexpr std::uint32_t kIndexBytes = 4;  // the u32 of gather and read_address

// `rows` rows of `bytes` bytes, `stride` apart, from the address of an operand on.
Range local(Operand operand, const Instruction& i, std::uint64_t rows, std::uint64_t stride,
            std::uint64_t bytes) {
  const LocalAddress at = operand == Operand::dst ? i.dst : operand == Operand::a ? i.a : i.b;
  return {at.in_accumulator() ? Space::accumulator : Space::scratchpad, at.byte(),
          at.byte() + (rows - 1) * stride + bytes, operand};
}

Range dram_rows(const Instruction& i, std::uint64_t rows, std::uint64_t row) {
  return {Space::dram, i.dram.value, i.dram.value + (rows - 1) * i.dram_stride + row, Operand::dram};
}

// Elements [k_offset, k_offset + k) of `rows` encoded rows: whole blocks.
Range encoded(const Instruction& i, std::uint64_t rows, std::uint64_t k) {
  const std::uint32_t unit = block_elements(i.a_format), bytes = block_bytes(i.a_format);
  const std::uint64_t first = i.k_offset / unit, end = ceil_div(i.k_offset + k, unit);
  Range range = local(Operand::a, i, rows, i.a_stride, end * bytes);
  range.begin += first * bytes;
  return range;
}

// The weight of a matmul: `cols` rows of n, or `depth` rows of k.
Range weight_of_matmul(const Instruction& i) {
  if (i.order == TileOrder::nk)
    return local(Operand::b, i, i.cols, i.b_stride, row_bytes(i.b_format, i.depth));
  return local(Operand::b, i, i.depth, i.b_stride, row_bytes(i.b_format, i.cols));
}

void read(Footprint& f, const Range& range) {
  f.reads[static_cast<std::size_t>(f.read_count++)] = range;
}
void write(Footprint& f, const Range& range) {
  f.writes[static_cast<std::size_t>(f.write_count++)] = range;
}

Range rows_of_a(const Instruction& i, std::uint32_t element) {
  return local(Operand::a, i, i.rows, i.a_stride, std::uint64_t{i.cols} * element);
}
Range rows_of_dst(const Instruction& i, std::uint64_t bytes) {
  return local(Operand::dst, i, i.rows, i.dst_stride, bytes);
}

Footprint vector_footprint(const Instruction& i) {
  Footprint f;
  const std::uint64_t second = second_columns(i);
  read(f, local(Operand::a, i, first_rows(i), i.a_stride, row_bytes(i.a_format, first_columns(i))));
  if (second != 0) read(f, local(Operand::b, i, second_rows(i), second_stride(i), second * kF32Bytes));
  const Range result = local(Operand::dst, i, result_rows(i), i.dst_stride, result_row_bytes(i));
  if (vector_function(i.op).indexed == Indexed::dst_sums) read(f, result);
  write(f, result);
  return f;
}

}  // namespace

Footprint footprint(const Instruction& i) {
  Footprint f;
  const std::uint64_t f32_row = std::uint64_t{i.cols} * kF32Bytes;
  switch (i.op) {
    case Opcode::nop:
    case Opcode::halt:
    case Opcode::fence:
    case Opcode::loop:
    case Opcode::set_address:
    case Opcode::add_address:
    case Opcode::signal:
    case Opcode::wait:
      break;
    case Opcode::read_address:
      read(f, local(Operand::a, i, 1, kIndexBytes, kIndexBytes));
      break;
    case Opcode::load:
      read(f, dram_rows(i, i.rows, i.cols));
      write(f, rows_of_dst(i, i.cols));
      break;
    case Opcode::gather:
      read(f, local(Operand::a, i, i.rows, kIndexBytes, kIndexBytes));
      read(f, dram_rows(i, i.table_rows, i.cols));  // which of them, data says
      write(f, rows_of_dst(i, i.cols));
      break;
    case Opcode::store:
      read(f, rows_of_a(i, block_bytes(i.a_format)));
      write(f, dram_rows(i, i.rows, std::uint64_t{i.cols} * block_bytes(i.dst_format)));
      break;
    case Opcode::send:
      read(f, rows_of_a(i, 1));
      break;
    case Opcode::receive:
      write(f, rows_of_dst(i, i.cols));
      break;
    case Opcode::preload:
      read(f, i.order == TileOrder::nk
                  ? encoded(i, i.cols, i.rows)
                  : local(Operand::a, i, i.rows, i.a_stride, row_bytes(i.a_format, i.cols)));
      break;
    case Opcode::multiply: {
      read(f, encoded(i, i.rows, i.depth));
      const Range sums = i.transposed
                             ? local(Operand::dst, i, i.cols, i.dst_stride, std::uint64_t{i.rows} * kF32Bytes)
                             : rows_of_dst(i, f32_row);
      if (i.accumulate) read(f, sums);
      write(f, sums);
      break;
    }
    case Opcode::matmul:
      read(f, local(Operand::a, i, i.rows, i.a_stride, row_bytes(activation_format(i.b_format), i.depth)));
      read(f, weight_of_matmul(i));
      if (i.accumulate) read(f, rows_of_dst(i, f32_row));
      write(f, rows_of_dst(i, f32_row));
      break;
    default:
      return vector_footprint(i);
  }
  return f;
}

}  // namespace tokencycle::isa
