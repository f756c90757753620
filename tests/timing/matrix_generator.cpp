// SPDX-License-Identifier: Apache-2.0
#include "timing/matrix_generator.h"

#include <algorithm>

namespace tokencycle::timing {

using isa::Instruction;
using isa::Opcode;
using isa::TileOrder;

namespace {

constexpr std::uint32_t kRows = 6;     // most rows whose sums wait, half of the most otherwise
constexpr std::uint32_t kDepth = 200;  // most k values of a matmul

bool plain_integer(Format f) {
  return f == Format::i8 || f == Format::i4;
}

// Bytes of a row whose first `elements` are used: whole encoded units.
std::uint32_t bytes_of_row(Format f, std::uint32_t elements) {
  return static_cast<std::uint32_t>(row_bytes(f, elements));
}

}  // namespace

// Several in a row meet in the array, whatever their types.
void MatrixGenerator::emit_some() {
  for (std::uint32_t n = number(random_, 1, 3); n > 0; --n) emit_one();
}

void MatrixGenerator::emit_one() {
  if (matrix_.dataflow == config::Dataflow::output_stationary) return matmul();
  const bool tile = active_ || shadow_;
  if (tile && (shadow_ ? !one_in(random_, 8) : one_in(random_, 3))) {
    multiply();
  } else {
    preload();  // a second one before a swap replaces the first
  }
}

// Formats of moving rows that the machine can multiply with a tile.
std::vector<Format> MatrixGenerator::partners(Format tile) const {
  std::vector<Format> formats;
  for (const Format moving : {Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0,
                              Format::q8_1, Format::q4_1, Format::i8, Format::i4}) {
    const std::optional<Format> weight = weight_of(tile, moving);
    if (weight && has(multiply_type(*weight))) formats.push_back(moving);
  }
  return formats;
}

// A k_offset, up to `most_groups` whole groups and a part of one.
std::uint32_t MatrixGenerator::first_element(Format f, std::uint32_t most_groups) {
  const std::uint32_t within = one_in(random_, 2) ? 0 : number(random_, 0, kPlainGroup - 1);
  const std::uint32_t first = number(random_, 0, most_groups) * kPlainGroup + within;
  return f == Format::i4 ? first / 2 * 2 : first;  // two a byte
}

void MatrixGenerator::preload() {
  Instruction i = instruction(Opcode::preload);
  i.a_format = pick_.matrix_format();
  if (partners(i.a_format).empty()) return;
  i.order = in_blocks(i.a_format) || one_in(random_, 2) ? TileOrder::nk : TileOrder::kn;
  const bool nk = i.order == TileOrder::nk;
  i.cols = number(random_, 1, matrix_.columns);
  i.k_offset = first_element(i.a_format, nk ? 3 : 0);
  const std::uint32_t within = plain_integer(i.a_format) ? 0 : i.k_offset % kPlainGroup;
  i.rows = number(random_, 1, within == 0 ? matrix_.rows : std::min(matrix_.rows, kPlainGroup - within));
  const std::uint32_t lines = nk ? i.cols : i.rows;
  const std::uint32_t bytes = bytes_of_row(i.a_format, nk ? i.k_offset + i.rows : i.cols);
  i.a_stride = pick_.stride(i.a_format, bytes, true);
  if (!pick_.local(i.a_format, lines, i.a_stride, bytes, i.a, i.a_reg)) return;
  emit(i);
  shadow_ = i;
}

bool MatrixGenerator::multiply() {
  Instruction i = instruction(Opcode::multiply);
  i.swap = shadow_ && (!active_ || one_in(random_, 2));
  const Instruction& tile = i.swap ? *shadow_ : *active_;
  choose_moving(i, tile);
  const std::uint32_t bytes = bytes_of_row(i.a_format, i.k_offset + i.depth);
  i.a_stride = pick_.stride(i.a_format, bytes, true);
  if (!pick_.local(i.a_format, i.rows, i.a_stride, bytes, i.a, i.a_reg) || !place_sums(i)) return false;
  emit(i);
  if (i.swap) {
    active_ = shadow_;
    shadow_.reset();
  }
  open_group_ = i.close ? std::nullopt : std::optional(i);
  return true;
}

// What of the tile is used, by how many rows of which format, and the groups' ends.
void MatrixGenerator::choose_moving(Instruction& i, const Instruction& tile) {
  const std::vector<Format> formats = partners(tile.a_format);
  i.a_format = formats[number(random_, 0, static_cast<std::uint32_t>(formats.size()) - 1)];
  i.depth = one_in(random_, 4) ? number(random_, 1, tile.rows) : tile.rows;  // often all of the tile
  i.cols = one_in(random_, 4) ? number(random_, 1, tile.cols) : tile.cols;
  i.accumulate = one_in(random_, 2);
  i.transposed = one_in(random_, 3);
  i.open = i.close = true;
  i.rows = number(random_, 1, 2 * kRows);
  if (plain_integer(tile.a_format)) {
    i.k_offset = first_element(i.a_format, 2);
    return;
  }
  if (open_group_ && open_group_->cols <= tile.cols) i.cols = open_group_->cols;
  i.k_offset = number(random_, 0, 2) * kPlainGroup + tile.k_offset % kPlainGroup;
  i.open = !continues_group(i) || one_in(random_, 2);
  i.close = matrix_.group_buffer_rows == 0 || !one_in(random_, 3);
  if (!i.open) {
    i.rows = open_group_->rows;
  } else if (!i.close) {
    i.rows = number(random_, 1, std::min(kRows, matrix_.group_buffer_rows));
  }
}

// Whether a pass of i's columns may go on with the sums that are open: integers, or floats of one format.
bool MatrixGenerator::continues_group(const Instruction& i) const {
  if (!open_group_ || open_group_->cols != i.cols) return false;
  return open_group_->a_format == i.a_format || (in_blocks(open_group_->a_format) && in_blocks(i.a_format));
}

bool MatrixGenerator::place_sums(Instruction& i) {
  const Format operand = i.op == Opcode::matmul ? i.b_format : i.a_format;
  const Format sums = plain_integer(operand) ? Format::u32 : Format::f32;
  const std::uint32_t lines = i.transposed ? i.cols : i.rows, bytes = 4 * (i.transposed ? i.rows : i.cols);
  i.dst_stride = pick_.stride(sums, bytes, false);
  return pick_.in_accumulator(sums, lines, i.dst_stride, bytes, i.dst, i.dst_reg);
}

void MatrixGenerator::matmul() {
  Instruction i = instruction(Opcode::matmul);
  i.b_format = pick_.matrix_format();
  if (!kWeightFormats.has(i.b_format) || !has(multiply_type(i.b_format))) return;
  const Format activations = activation_format(i.b_format);
  i.order = in_blocks(i.b_format) || one_in(random_, 2) ? TileOrder::nk : TileOrder::kn;
  i.rows = one_in(random_, 2) ? matrix_.rows : number(random_, 1, matrix_.rows);
  i.cols = one_in(random_, 2) ? matrix_.columns : number(random_, 1, matrix_.columns);
  i.depth = number(random_, 1, one_in(random_, 4) ? kDepth : 2 * kPlainGroup);
  i.accumulate = one_in(random_, 2);
  const bool nk = i.order == TileOrder::nk;
  const std::uint32_t a_bytes = bytes_of_row(activations, i.depth);
  const std::uint32_t b_bytes = bytes_of_row(i.b_format, nk ? i.depth : i.cols);
  i.a_stride = pick_.stride(activations, a_bytes, true);
  i.b_stride = pick_.stride(i.b_format, b_bytes, true);
  if (pick_.local(activations, i.rows, i.a_stride, a_bytes, i.a, i.a_reg) &&
      pick_.local(i.b_format, nk ? i.cols : i.depth, i.b_stride, b_bytes, i.b, i.b_reg) && place_sums(i)) {
    emit(i);
  }
}

// Takes a preloaded tile with some multiply for which there is a place.
void MatrixGenerator::end_block() {
  open_group_.reset();
  while (shadow_) {
    active_.reset();
    if (multiply()) break;
  }
  open_group_.reset();
}

}  // namespace tokencycle::timing
