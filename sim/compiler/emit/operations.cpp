// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/operations.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;

constexpr std::uint64_t kColumnLimit = 1u << 24;

Instruction vector_operation(Opcode op, Rows dst, Rows a, Extent extent) {
  Instruction i;
  i.op = op;
  i.dst = dst.at;
  i.dst_stride = dst.stride;
  i.a = a.at;
  i.a_stride = a.stride;
  i.rows = extent.rows;
  i.cols = extent.cols;
  return i;
}

Instruction with_b(Instruction i, Rows b) {
  i.b = b.at;
  i.b_stride = b.stride;
  return i;
}

}  // namespace

Instruction copy_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::copy, dst, a, extent);
}
Instruction add_rows(Rows dst, Rows a, Rows b, Extent extent) {
  return with_b(vector_operation(Opcode::add, dst, a, extent), b);
}
Instruction mul_rows(Rows dst, Rows a, Rows b, Extent extent) {
  return with_b(vector_operation(Opcode::mul, dst, a, extent), b);
}
Instruction silu_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::silu, dst, a, extent);
}

Instruction gelu_tanh_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::gelu_tanh, dst, a, extent);
}
Instruction tanh_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::tanh, dst, a, extent);
}
Instruction scale_rows(Rows dst, Rows a, float scalar, Extent extent) {
  Instruction i = vector_operation(Opcode::scale, dst, a, extent);
  i.scalar = scalar;
  return i;
}
Instruction sigmoid_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::sigmoid, dst, a, extent);
}

Instruction top_k_rows(Rows dst, Rows a, std::uint32_t count, Extent extent) {
  Instruction i = vector_operation(Opcode::top_k, dst, a, extent);
  i.depth = count;
  return i;
}

Instruction take_rows(Rows dst, Rows a, std::uint32_t columns, Rows places, Extent extent) {
  Instruction i = with_b(vector_operation(Opcode::take, dst, a, extent), places);
  i.extent = columns;
  return i;
}

Instruction exp_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::exp, dst, a, extent);
}

Instruction softplus_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::softplus, dst, a, extent);
}

Instruction sub_rows(Rows dst, Rows a, Rows b, Extent extent) {
  return with_b(vector_operation(Opcode::sub, dst, a, extent), b);
}

Instruction square_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::square, dst, a, extent);
}

Instruction rsqrt_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::rsqrt, dst, a, extent);
}

Instruction add_scalar_rows(Rows dst, Rows a, float scalar, Extent extent) {
  Instruction i = vector_operation(Opcode::add_scalar, dst, a, extent);
  i.scalar = scalar;
  return i;
}

Instruction min_scalar_rows(Rows dst, Rows a, float scalar, Extent extent) {
  Instruction i = vector_operation(Opcode::min_scalar, dst, a, extent);
  i.scalar = scalar;
  return i;
}

Instruction max_scalar_rows(Rows dst, Rows a, float scalar, Extent extent) {
  Instruction i = vector_operation(Opcode::max_scalar, dst, a, extent);
  i.scalar = scalar;
  return i;
}

Instruction mean_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::reduce_mean, dst, a, extent);
}

Instruction transpose_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::transpose, dst, a, extent);
}

Instruction sum_rows(Rows dst, Rows a, Extent extent) {
  return vector_operation(Opcode::reduce_sum, dst, a, extent);
}

Instruction per_row(Opcode op, Rows dst, Rows a, Rows b, Extent extent) {
  Instruction i = with_b(vector_operation(op, dst, a, extent), b);
  i.per_row = true;
  return i;
}

Instruction convert_rows(Rows dst, Format dst_format, Rows a, Format a_format, Extent extent) {
  if (dst_format == Format::f32 && a_format == Format::f32) return copy_rows(dst, a, extent);
  Instruction i = vector_operation(Opcode::convert, dst, a, extent);
  i.dst_format = dst_format;
  i.a_format = a_format;
  return i;
}

Instruction rms_norm_rows(Rows dst, Rows a, std::uint32_t gain, float epsilon, Extent extent) {
  Instruction i = vector_operation(Opcode::rms_norm, dst, a, extent);
  i.b = isa::LocalAddress::scratchpad(gain);
  i.scalar = epsilon;
  return i;
}

Instruction layer_norm_rows(Rows dst, Rows a, std::uint32_t pair, float epsilon, Extent extent) {
  Instruction i = vector_operation(Opcode::layer_norm, dst, a, extent);
  i.b = isa::LocalAddress::scratchpad(pair);
  i.scalar = epsilon;
  return i;
}

Instruction softmax_rows(Rows dst, Format dst_format, Rows a, float scale, std::uint32_t valid, bool causal,
                         Extent extent) {
  Instruction i = vector_operation(Opcode::softmax, dst, a, extent);
  i.dst_format = dst_format;
  i.scalar = scale;
  i.valid = valid;
  i.causal = causal;
  return i;
}

Instruction softmax_sink_rows(Rows dst, Format dst_format, Rows a, std::uint32_t sink, bool per_row,
                              std::uint32_t valid, bool causal, Extent extent) {
  Instruction i = vector_operation(Opcode::softmax_sink, dst, a, extent);
  i.dst_format = dst_format;
  i.b = isa::LocalAddress::scratchpad(sink);
  i.per_row = per_row;
  i.valid = valid;
  i.causal = causal;
  return i;
}

Instruction rotary_rows(Rows dst, Rows a, Rows table, std::uint32_t head, std::uint32_t rotate,
                        isa::RotaryPairs pairs, Extent extent) {
  Instruction i = with_b(vector_operation(Opcode::rotary, dst, a, extent), table);
  i.head = head;
  i.rotate = rotate;
  i.pairs = pairs;
  return i;
}

Instruction load_rows(std::uint32_t dst, DramAddress dram, std::uint64_t dram_stride, std::uint32_t rows,
                      std::uint64_t bytes) {
  Instruction i;
  i.op = Opcode::load;
  i.dst = isa::LocalAddress::scratchpad(dst);
  i.dram = dram;
  const bool adjacent = dram_stride == bytes && bytes * rows < kColumnLimit;
  i.rows = adjacent ? 1 : rows;
  i.cols = static_cast<std::uint32_t>(adjacent ? bytes * rows : bytes);
  i.dst_stride = i.rows == 1 ? 0 : static_cast<std::uint32_t>(bytes);
  i.dram_stride = i.rows == 1 ? 0 : static_cast<std::uint32_t>(dram_stride);
  return i;
}

Instruction store_rows(DramAddress dram, std::uint64_t dram_stride, Rows a, Format format, Extent extent) {
  Instruction i;
  i.op = Opcode::store;
  i.dram = dram;
  i.a = a.at;
  const std::uint64_t bytes = row_bytes(format, extent.cols);
  if (is_scaled(format)) {  // blocks go as the bytes that they are
    extent.cols = static_cast<std::uint32_t>(bytes);
    format = Format::u8;
  }
  const bool adjacent =
      dram_stride == bytes && a.stride == bytes && std::uint64_t{extent.cols} * extent.rows < kColumnLimit;
  i.rows = adjacent ? 1 : extent.rows;
  i.cols = adjacent ? extent.cols * extent.rows : extent.cols;
  i.a_stride = i.rows == 1 ? 0 : a.stride;
  i.dram_stride = i.rows == 1 ? 0 : static_cast<std::uint32_t>(dram_stride);
  i.a_format = i.dst_format = format;
  return i;
}

}  // namespace tokencycle::compiler
