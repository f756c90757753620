// SPDX-License-Identifier: Apache-2.0
#include "compiler/gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tokencycle::compiler {

namespace {

using config::Dataflow;

void check_type(const config::Machine& machine, const GemmType& type, const GemmShape& shape) {
  const MultiplyType needed = multiply_type(type.w);
  if (machine.matrix.cycles_per_row[static_cast<std::size_t>(needed)] == 0) {
    throw ConfigurationError(
        fmt::format("machine '{}': --dtype {} needs {} multipliers, which the machine lacks; add "
                    "/matrix/cycles_per_row/{} to the configuration, or choose another type",
                    machine.name, type.name, name_of(needed), name_of(needed)));
  }
  if (is_scaled(type.w) && shape.k % cut_elements(type.w) != 0) {
    throw UsageError(
        fmt::format("-K is {}; with --dtype {} it must be a multiple of {}, the length of a block", shape.k,
                    type.name, cut_elements(type.w)));
  }
  if (static_cast<double>(shape.m) * shape.n * shape.k >= 0x1p62) {
    throw UsageError(fmt::format("-M {} -N {} -K {}: 2^62 multiplications or more; make one of them smaller",
                                 shape.m, shape.n, shape.k));
  }
}

std::uint32_t or_any(std::uint32_t limit) {
  return limit == 0 ? std::numeric_limits<std::uint32_t>::max() : limit;
}

// How k is cut. Groups of 32 end in a pass, or a unit of several passes ends with its group.
void cut_k(const config::Matrix& matrix, GemmMapping& map) {
  const std::uint32_t height = map.holds_tile ? matrix.rows : map.shape.k;
  const std::uint32_t most = std::min(height, or_any(matrix.tiling.k)), cut = cut_elements(map.type.w);
  if (map.type.integer_sums()) {
    map.unit = map.pass = most;
  } else if (most >= cut) {
    map.unit = map.pass = most / cut * cut;
  } else {
    map.unit = cut;
    map.pass = most;
  }
  if (!map.holds_tile && map.shape.k <= or_any(matrix.tiling.k)) map.unit = map.pass = map.shape.k;
  if (map.holds_tile || map.pass == map.unit) return;
  throw ConfigurationError(fmt::format(
      "/matrix/tiling/k is {}, and a matmul of {} takes whole groups of {}; allowed: multiples of "
      "{}, or no tiling of k",
      matrix.tiling.k, map.type.name, cut, cut));
}

}  // namespace

std::uint32_t GemmMapping::columns_of(std::uint32_t tile) const {
  return std::min(columns, held - tile * columns);
}

std::uint32_t GemmMapping::depth_of(std::uint32_t unit_index) const {
  return std::min(unit, shape.k - unit_index * unit);
}

std::uint64_t GemmMapping::held_bytes(std::uint32_t depth, std::uint32_t cols) const {
  return order == isa::TileOrder::kn ? depth * row_bytes(held_format, cols)
                                     : cols * row_bytes(held_format, depth);
}

std::uint64_t GemmMapping::moving_bytes_before(std::uint32_t end) const {
  if (end == 0) return 0;
  return (end - std::uint64_t{1}) * moving_bytes(unit) + moving_bytes(depth_of(end - 1));
}

std::uint64_t GemmMapping::held_bytes_before(std::uint32_t end, std::uint32_t cols) const {
  if (end == 0) return 0;
  return (end - std::uint64_t{1}) * held_bytes(unit, cols) + held_bytes(depth_of(end - 1), cols);
}

GemmMapping map_gemm(const config::Machine& machine, const GemmType& type, const GemmShape& shape) {
  check_type(machine, type, shape);
  const config::Matrix& matrix = machine.matrix;
  GemmMapping map;
  map.type = type;
  map.shape = shape;
  map.step = matrix.cycles_per_row[static_cast<std::size_t>(multiply_type(type.w))];
  map.holds_tile = matrix.dataflow != Dataflow::output_stationary;
  map.x_held = matrix.dataflow == Dataflow::input_stationary || matrix.dataflow == Dataflow::dot_product;
  map.moving_format = map.x_held ? type.w : type.x;
  map.held_format = map.x_held ? type.x : type.w;
  // Rows of k come in where the array is entered in time R; blocks lie along k and cannot.
  const bool rows_of_n = is_scaled(map.held_format) || matrix.dataflow == Dataflow::dot_product;
  map.order = rows_of_n ? isa::TileOrder::nk : isa::TileOrder::kn;
  map.moving = map.x_held ? shape.n : shape.m;
  map.held = map.x_held ? shape.m : shape.n;
  cut_k(matrix, map);

  const std::uint32_t row_tiling = or_any(map.x_held ? matrix.tiling.n : matrix.tiling.m);
  const std::uint32_t column_tiling = or_any(map.x_held ? matrix.tiling.m : matrix.tiling.n);
  std::uint32_t rows = row_tiling;
  if (!map.holds_tile) rows = std::min(rows, matrix.rows);
  if (map.holds_tile && map.pass < std::min(map.unit, shape.k))
    rows = std::min(rows, matrix.group_buffer_rows);
  map.most_rows = std::min(rows, map.moving);
  map.columns = std::min(matrix.columns, column_tiling);
  return map;
}

isa::Instruction preload_piece(const GemmMapping& map, const GemmPiece& piece) {
  isa::Instruction i;
  i.op = isa::Opcode::preload;
  i.a_format = map.held_format;
  i.order = map.order;
  i.k_offset = piece.k_offset;
  i.rows = piece.depth;
  i.cols = piece.cols;
  return i;
}

isa::Instruction multiply_piece(const GemmMapping& map, const GemmPiece& piece) {
  isa::Instruction i;
  i.rows = piece.rows;
  i.cols = piece.cols;
  i.depth = piece.depth;
  i.accumulate = !piece.first;
  if (!map.holds_tile) {
    i.op = isa::Opcode::matmul;
    i.b_format = map.held_format;
    i.order = map.order;
    return i;
  }
  i.op = isa::Opcode::multiply;
  i.a_format = map.moving_format;
  i.k_offset = piece.k_offset;
  i.swap = true;
  i.open = piece.opens;
  i.close = piece.closes;
  i.transposed = map.x_held;
  return i;
}

}  // namespace tokencycle::compiler
