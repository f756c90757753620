// SPDX-License-Identifier: Apache-2.0
// Instructions of the DMA and vector units from row blocks: thin constructors, so that passes read as
// sentences.
#pragma once

#include <cstdint>

#include "isa/instruction.h"

namespace tokencycle::compiler {

inline constexpr std::uint32_t kRowLimit = (1u << 16) - 1;  // rows of an instruction
inline constexpr std::uint32_t kWorthLooping = 3;           // iterations of a hardware loop

// Rows in local memory, `stride` bytes apart.
struct Rows {
  isa::LocalAddress at;
  std::uint32_t stride = 0;
  Rows operator+(std::uint64_t bytes) const { return {at + static_cast<std::uint32_t>(bytes), stride}; }
};
inline Rows scratchpad_rows(std::uint32_t byte, std::uint64_t stride) {
  return {isa::LocalAddress::scratchpad(byte), static_cast<std::uint32_t>(stride)};
}

// Rows x columns of an operation.
struct Extent {
  std::uint32_t rows = 0, cols = 0;
};

isa::Instruction copy_rows(Rows dst, Rows a, Extent extent);
isa::Instruction add_rows(Rows dst, Rows a, Rows b, Extent extent);
isa::Instruction mul_rows(Rows dst, Rows a, Rows b, Extent extent);
isa::Instruction silu_rows(Rows dst, Rows a, Extent extent);
isa::Instruction gelu_tanh_rows(Rows dst, Rows a, Extent extent);
isa::Instruction tanh_rows(Rows dst, Rows a, Extent extent);
isa::Instruction scale_rows(Rows dst, Rows a, float scalar, Extent extent);
isa::Instruction sigmoid_rows(Rows dst, Rows a, Extent extent);
// Places of the `count` largest of each row, u32.
isa::Instruction top_k_rows(Rows dst, Rows a, std::uint32_t count, Extent extent);
// dst[r][c] = a[r][places[r][c]]; rows of a have `columns`.
isa::Instruction take_rows(Rows dst, Rows a, std::uint32_t columns, Rows places, Extent extent);
isa::Instruction exp_rows(Rows dst, Rows a, Extent extent);
isa::Instruction softplus_rows(Rows dst, Rows a, Extent extent);
isa::Instruction sub_rows(Rows dst, Rows a, Rows b, Extent extent);
isa::Instruction square_rows(Rows dst, Rows a, Extent extent);
isa::Instruction rsqrt_rows(Rows dst, Rows a, Extent extent);
isa::Instruction add_scalar_rows(Rows dst, Rows a, float scalar, Extent extent);
isa::Instruction min_scalar_rows(Rows dst, Rows a, float scalar, Extent extent);
isa::Instruction max_scalar_rows(Rows dst, Rows a, float scalar, Extent extent);
// The mean of each row.
isa::Instruction mean_rows(Rows dst, Rows a, Extent extent);
// dst[c][r] = a[r][c] of fp32.
isa::Instruction transpose_rows(Rows dst, Rows a, Extent extent);
// The sum of each row.
isa::Instruction sum_rows(Rows dst, Rows a, Extent extent);
// A zip whose b is one value of each row.
isa::Instruction per_row(isa::Opcode op, Rows dst, Rows a, Rows b, Extent extent);
// fp32 to fp32 is a copy.
isa::Instruction convert_rows(Rows dst, Format dst_format, Rows a, Format a_format, Extent extent);
isa::Instruction rms_norm_rows(Rows dst, Rows a, std::uint32_t gain, float epsilon, Extent extent);
// pair: the gain, and the bias right behind it.
isa::Instruction layer_norm_rows(Rows dst, Rows a, std::uint32_t pair, float epsilon, Extent extent);
isa::Instruction softmax_rows(Rows dst, Format dst_format, Rows a, float scale, std::uint32_t valid,
                              bool causal, Extent extent);
// The same of scores as they are, with a sink at `sink`: of all rows, or one of each.
isa::Instruction softmax_sink_rows(Rows dst, Format dst_format, Rows a, std::uint32_t sink, bool per_row,
                                   std::uint32_t valid, bool causal, Extent extent);
isa::Instruction rotary_rows(Rows dst, Rows a, Rows table, std::uint32_t head, std::uint32_t rotate,
                             isa::RotaryPairs pairs, Extent extent);

// A load of `rows` rows of `bytes` bytes, `dram_stride` apart in DRAM, packed behind each other at dst;
// adjacent rows become one.
isa::Instruction load_rows(std::uint32_t dst, DramAddress dram, std::uint64_t dram_stride, std::uint32_t rows,
                           std::uint64_t bytes);
// A store of elements as they are.
isa::Instruction store_rows(DramAddress dram, std::uint64_t dram_stride, Rows a, Format format,
                            Extent extent);

}  // namespace tokencycle::compiler
