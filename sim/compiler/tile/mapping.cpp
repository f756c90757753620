// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/mapping.h"

#include <algorithm>

#include "compiler/emit/operations.h"

namespace tokencycle::compiler {
namespace {

using config::Dataflow;

// A limit that the description may leave to us.
std::uint32_t limited(std::uint32_t most, std::uint32_t forced) {
  return forced == 0 ? most : std::min(most, forced);
}

// Plain integers have no groups, and i4 is cut between bytes.
std::uint32_t cut_of(Format w) {
  return is_integer(w) ? block_elements(w) : cut_elements(w);
}

}  // namespace

std::uint32_t Mapping::pass_end(std::uint32_t k, std::uint32_t depth) const {
  const std::uint32_t end = k + pass;
  return std::min(pass >= group ? end : std::min(end, k - k % group + group), depth);
}

// Of rows where each array has enough of them: whole tiles of them, or so many that the next tile comes in
// meanwhile. Else of columns.
Parts Mapping::parts_of(std::uint32_t m, std::uint32_t n) const {
  if (arrays == 1) return {};
  const std::uint32_t rows = m / arrays / (x_held ? columns : 1) * (x_held ? columns : 1);
  if (rows >= columns) return {true, arrays, rows};
  const std::uint32_t cols = n / arrays / (x_held ? 1 : columns) * (x_held ? 1 : columns);
  return {false, cols == 0 ? 0 : arrays, cols};
}

Mapping map_product(const config::Matrix& array, Format w, isa::TileOrder order, std::uint32_t depth) {
  Mapping map;
  map.holds_tile = array.dataflow != Dataflow::output_stationary;
  map.x_held = order == isa::TileOrder::nk &&
               (array.dataflow == Dataflow::input_stationary || array.dataflow == Dataflow::dot_product);
  map.arrays = array.units_in_turn();
  map.columns = limited(array.columns, map.x_held ? array.tiling.m : array.tiling.n);
  map.group = is_integer(w) ? 1 : group_elements(w);
  map.cut = cut_of(w);
  const std::uint32_t k = limited(map.holds_tile ? array.rows : kRowLimit, array.tiling.k);
  map.unit = std::max(k / map.cut, 1u) * map.cut;
  const std::uint32_t forced_rows = map.x_held ? array.tiling.n : array.tiling.m;
  if (!map.holds_tile) {
    map.pass = map.unit;
    map.most_rows = limited(array.rows, forced_rows);
    return map;
  }
  map.pass = k < map.group ? k : std::min(k / map.group * map.group, map.unit);
  // Unfinished group sums wait in a buffer of limited rows when a group takes several passes.
  const bool parts = k < std::min(map.group, depth);
  map.most_rows = limited(parts ? std::min(array.group_buffer_rows, kRowLimit) : kRowLimit, forced_rows);
  return map;
}

Pass pass_of(const Mapping& map, std::uint32_t k, std::uint32_t depth) {
  Pass pass;
  const std::uint32_t end = map.pass_end(k, depth);
  pass.k = k;
  pass.depth = end - k;
  pass.opens = k % map.group == 0;
  pass.closes = end % map.group == 0 || end == depth;
  return pass;
}

isa::Instruction preload_pass(const Pass& pass, Format format, isa::TileOrder order) {
  isa::Instruction i;
  i.op = isa::Opcode::preload;
  i.a_format = format;
  i.order = order;
  i.k_offset = pass.k;
  i.rows = pass.depth;
  i.cols = pass.cols;
  return i;
}

isa::Instruction multiply_pass(const Mapping& map, const Pass& pass, Format moving_format) {
  isa::Instruction i;
  i.op = isa::Opcode::multiply;
  i.a_format = moving_format;
  i.k_offset = pass.k;
  i.rows = pass.rows;
  i.cols = pass.cols;
  i.depth = pass.depth;
  i.swap = true;
  i.accumulate = !pass.first;
  i.open = pass.opens;
  i.close = pass.closes;
  i.transposed = map.x_held;
  return i;
}

isa::Instruction matmul_pass(const Pass& pass, Format w, isa::TileOrder order) {
  isa::Instruction i;
  i.op = isa::Opcode::matmul;
  i.b_format = w;
  i.order = order;
  i.rows = pass.rows;
  i.cols = pass.cols;
  i.depth = pass.depth;
  i.accumulate = !pass.first;
  return i;
}

}  // namespace tokencycle::compiler
