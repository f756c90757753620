// SPDX-License-Identifier: Apache-2.0
// One matrix product Y[m][n] = sum over k of X[m][k] * W[k][n], as an array of some dataflow sees it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "config/machine.h"
#include "isa/instruction.h"

namespace tokencycle::compiler {

struct GemmShape {
  std::uint32_t m = 1, n = 1, k = 1;  // each 1 .. kLongestSide
  std::uint64_t multiplications() const { return std::uint64_t{m} * n * k; }
};
inline constexpr std::uint32_t kLongestSide = (1u << 24) - 1;

// What is multiplied; the sums are int32 for plain integers, else fp32.
struct GemmType {
  std::string_view name;
  Format x, w;
  bool integer_sums() const { return x == Format::i8; }
};
inline constexpr std::array<GemmType, 7> kGemmTypes = {{{"int8", Format::i8, Format::i8},
                                                        {"int4", Format::i8, Format::i4},
                                                        {"fp16", Format::f16, Format::f16},
                                                        {"bf16", Format::bf16, Format::bf16},
                                                        {"fp32", Format::f32, Format::f32},
                                                        {"q8_0", Format::q8_0, Format::q8_0},
                                                        {"q4_0", Format::q8_0, Format::q4_0}}};

// Which operand moves through the array, which one is cut into tiles, and how the sides are cut. An
// output-stationary array streams both: there the tiles are the columns of one matmul.
//   moving[row][k]  rows of X (m), or of W (n) where X is held
//   held[col][k]    columns of W (n), or rows of X (m) where X is held
// A unit is what passes through k share a panel in memory: one pass, or the passes of one group of 32.
struct GemmMapping {
  GemmType type{};
  GemmShape shape;
  bool holds_tile = true;                     // preload and multiply; else matmul
  bool x_held = false;                        // then the sums of a moving row are a column of Y
  isa::TileOrder order = isa::TileOrder::kn;  // of held panels
  Format moving_format{}, held_format{};
  std::uint32_t moving = 0, held = 0;  // rows, columns in all
  std::uint32_t most_rows = 0;         // moving rows of one pass; 0: any
  std::uint32_t columns = 0;           // of a tile
  std::uint32_t unit = 0, pass = 0;    // k values
  std::uint32_t step = 1;              // cycles of a moving row (matmul: of a k value)

  std::uint32_t tiles() const { return static_cast<std::uint32_t>(ceil_div(held, columns)); }
  std::uint32_t units() const { return static_cast<std::uint32_t>(ceil_div(shape.k, unit)); }
  std::uint32_t columns_of(std::uint32_t tile) const;
  std::uint32_t depth_of(std::uint32_t unit_index) const;
  // Bytes of a moving row, and of a tile's panel, over `depth` values of a unit.
  std::uint64_t moving_bytes(std::uint32_t depth) const { return row_bytes(moving_format, depth); }
  std::uint64_t held_bytes(std::uint32_t depth, std::uint32_t cols) const;
  // The same over units [0, end).
  std::uint64_t moving_bytes_before(std::uint32_t end) const;
  std::uint64_t held_bytes_before(std::uint32_t end, std::uint32_t cols) const;
};

// Throws ConfigurationError when the machine lacks the multiplier type or its tiling cannot cut the type's
// groups, UsageError when k is no multiple of 32 for a block format or the product has 2^62 multiplications
// or more.
GemmMapping map_gemm(const config::Machine& machine, const GemmType& type, const GemmShape& shape);

// Instructions of one piece of the product. Addresses: of the moving rows, of the tile, of the sums.
struct GemmPiece {
  std::uint32_t rows = 0, cols = 0, depth = 0, k_offset = 0;
  bool first = false;                // the sums start here
  bool opens = true, closes = true;  // group sums
};
isa::Instruction preload_piece(const GemmMapping& map, const GemmPiece& piece);
isa::Instruction multiply_piece(const GemmMapping& map, const GemmPiece& piece);  // or matmul

}  // namespace tokencycle::compiler
