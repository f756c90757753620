// SPDX-License-Identifier: Apache-2.0
// The numbers of a product: random operands, and the plain loops that judge the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/gemm/product.h"
#include "memory/dram/storage.h"
#include "numerics/blocks.h"

namespace tokencycle::host {

// Encoded rows of k: X[m][k], or the columns of W as [n][k].
struct GemmOperand {
  Format format = Format::i8;
  std::uint32_t rows = 0, k = 0;
  std::vector<std::byte> bytes;  // [row][row_bytes(format, k)]
  const std::byte* row(std::uint32_t r) const { return bytes.data() + r * row_bytes(format, k); }
};

class GemmValues {
 public:
  // The same numbers for the same type, shape and seed: whole ranges of integers, floats in [-1, 1), blocks
  // with scales below 1/64.
  GemmValues(const GemmType& type, const GemmShape& shape, std::uint64_t seed);

  const GemmOperand& x() const { return x_; }
  const GemmOperand& w() const { return w_; }

  // Puts the operands where they are in DRAM. This object must outlive `dram`: they are shown, not copied.
  void place(const compiler::DramLayout& layout, memory::DramStorage& dram) const;

  // Row m of Y by plain loops in the order of sim/numerics/README.md: bits of int32 or fp32.
  std::vector<std::uint32_t> expected_row(std::uint32_t m);

  // Compares every value of Y[m][n] at `sums`. Throws CheckError with m, n and both values at the first
  // difference.
  void check(const memory::DramStorage& dram, DramAddress sums);

 private:
  void decode_weights();
  void integer_row(std::uint32_t m, std::vector<std::uint32_t>& out) const;
  void block_row(std::uint32_t m, std::vector<std::uint32_t>& out) const;
  void float_row(std::uint32_t m, std::vector<std::uint32_t>& out) const;

  GemmType type_;
  GemmShape shape_;
  GemmOperand x_, w_;
  std::vector<std::int8_t> integers_;  // of w: [n][k]
  std::vector<GroupScale> scales_;     // [n][group]
  std::vector<float> floats_;          // [k][n]
};

}  // namespace tokencycle::host
