// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/tile.h"

#include <algorithm>

#include "numerics/blocks.h"

namespace tokencycle::machine {

void Tile::describe(const isa::Instruction& preload) {
  format_ = preload.a_format;
  depth_ = preload.rows;
  columns_ = preload.cols;
  k_offset_ = preload.k_offset;
}

void Tile::load(const isa::Instruction& preload, std::span<const std::byte> memory) {
  describe(preload);
  if (!integer()) return load_plain(preload, memory);
  grouped() ? load_blocks(preload, memory) : load_integers(preload, memory);
}

// The first element whose group's scale the tile holds. Sums of activations come with their granule, because
// weights may have longer groups.
std::uint32_t Tile::first_scaled() const {
  const FormatRow& r = row_of(format_);
  const std::uint32_t span =
      r.offset == Offset::sum ? std::max(r.group_elements, r.granule_elements) : r.group_elements;
  return k_offset_ / span * span;
}

// Whole groups, so that the first column begins in front of the tile when k_offset is inside one.
void Tile::load_blocks(const isa::Instruction& preload, std::span<const std::byte> memory) {
  const std::uint32_t own = group_elements(format_), begin = first_scaled();
  const std::uint32_t span = row_of(format_).offset == Offset::sum ? row_of(format_).granule_elements : own;
  const auto end = static_cast<std::uint32_t>(round_up(k_offset_ + depth_, std::max(span, own)));
  const std::uint32_t groups = (end - begin) / own;
  column_stride_ = end - begin;
  first_integer_ = k_offset_ - begin;
  integers_.resize(std::size_t{columns_} * column_stride_);
  scales_.resize(std::size_t{columns_} * groups);
  offsets_.resize(scales_.size());
  unpack_groups(format_, {memory.data(), preload.a_stride, columns_, begin / own, groups}, integers_.data(),
                scales_.data(), offsets_.data());
}

Tile::GroupColumns Tile::group_columns(std::uint32_t index, std::uint32_t group,
                                       std::vector<float>& joined) const {
  const std::uint32_t own = group_elements(format_);
  const std::uint32_t at = ((k_offset_ / group + index) * group - first_scaled()) / own;
  const float *scales = scales_.data() + std::size_t{at} * columns_,
              *offsets = offsets_.data() + std::size_t{at} * columns_;
  if (group <= own) return {scales, offsets};
  joined.assign(offsets, offsets + columns_);
  for (std::uint32_t g = 1; g < group / own; ++g) {
    for (std::uint32_t n = 0; n < columns_; ++n) joined[n] += offsets[std::size_t{g} * columns_ + n];
  }
  return {scales, joined.data()};
}

void Tile::load_integers(const isa::Instruction& preload, std::span<const std::byte> memory) {
  column_stride_ = depth_;
  first_integer_ = 0;
  integers_.resize(std::size_t{columns_} * depth_);
  if (preload.order == isa::TileOrder::nk) {
    for (std::uint32_t n = 0; n < columns_; ++n) {
      integers_of_row(format_, memory.data() + std::size_t{n} * preload.a_stride, k_offset_, depth_,
                      integers_.data() + std::size_t{n} * depth_);
    }
    return;
  }
  integer_line_.resize(columns_);
  for (std::uint32_t k = 0; k < depth_; ++k) {
    integers_of_row(format_, memory.data() + std::size_t{k} * preload.a_stride, 0, columns_,
                    integer_line_.data());
    for (std::uint32_t n = 0; n < columns_; ++n) integers_[std::size_t{n} * depth_ + k] = integer_line_[n];
  }
}

void Tile::load_plain(const isa::Instruction& preload, std::span<const std::byte> memory) {
  values_.resize(std::size_t{depth_} * columns_);
  if (preload.order == isa::TileOrder::kn) {
    for (std::uint32_t k = 0; k < depth_; ++k) {
      decode_row(format_, memory.subspan(std::size_t{k} * preload.a_stride, row_bytes(format_, columns_)), 0,
                 std::span(values_).subspan(std::size_t{k} * columns_, columns_));
    }
    return;
  }
  line_.resize(depth_);
  for (std::uint32_t n = 0; n < columns_; ++n) {
    const auto row =
        memory.subspan(std::size_t{n} * preload.a_stride, row_bytes(format_, k_offset_ + depth_));
    decode_row(format_, row, k_offset_, line_);
    for (std::uint32_t k = 0; k < depth_; ++k) values_[std::size_t{k} * columns_ + n] = line_[k];
  }
}

std::optional<MultiplyType> multiplier_of(Format tile, Format moving) {
  const std::optional<Format> weight = weight_of(tile, moving);
  if (!weight) return std::nullopt;
  return multiply_type(*weight);
}

}  // namespace tokencycle::machine
