// SPDX-License-Identifier: Apache-2.0
// What the array holds: a stationary tile. Values only, no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "isa/instruction.h"
#include "numerics/blocks.h"

namespace tokencycle::machine {

// A stationary tile as the array's registers hold it, decoded from its format by the preload.
class Tile {
 public:
  // `memory` begins at the preload's address `a`. Shapes as in the preload instruction.
  void describe(const isa::Instruction& preload);  // shape and format alone
  void load(const isa::Instruction& preload, std::span<const std::byte> memory);

  std::uint32_t depth() const { return depth_; }      // k values
  std::uint32_t columns() const { return columns_; }  // n values
  std::uint32_t k_offset() const { return k_offset_; }
  Format format() const { return format_; }
  bool integer() const { return !is_real(format_); }
  bool grouped() const { return !is_integer(format_); }
  bool loaded() const { return depth_ != 0; }

  // Integer tiles: the k values of column n, which begin `column_stride` behind those of the column before.
  const std::int8_t* column(std::uint32_t n) const {
    return integers_.data() + first_integer_ + std::size_t{n} * column_stride_;
  }
  std::size_t column_stride() const { return column_stride_; }
  // Block formats: of group number `index`, when groups have `group` elements, the scale and the offset of
  // each column. Offsets of groups that are several of the format's own are summed in `joined`.
  struct GroupColumns {
    const float *scales, *offsets;
  };
  GroupColumns group_columns(std::uint32_t index, std::uint32_t group, std::vector<float>& joined) const;
  template <class Archive>
  void serialize_shape(Archive& state) {
    state(format_, depth_, columns_, k_offset_);
  }
  // Plain tiles: the n values of row k.
  const float* row(std::uint32_t k) const { return values_.data() + std::size_t{k} * columns_; }

  template <class Archive>
  void serialize(Archive& state) {
    state(format_, depth_, columns_, k_offset_, column_stride_, first_integer_, integers_, scales_, offsets_,
          values_);
  }

 private:
  std::uint32_t first_scaled() const;
  void load_blocks(const isa::Instruction& preload, std::span<const std::byte> memory);
  void load_integers(const isa::Instruction& preload, std::span<const std::byte> memory);
  void load_plain(const isa::Instruction& preload, std::span<const std::byte> memory);

  Format format_ = Format::f32;
  std::uint32_t depth_ = 0, columns_ = 0, k_offset_ = 0, column_stride_ = 0, first_integer_ = 0;
  std::vector<std::int8_t> integers_;    // [n][k], of blocks from first_scaled() on
  std::vector<float> scales_, offsets_;  // [group][n]
  std::vector<float> values_;            // [k][n]
  std::vector<float> line_;
  std::vector<std::int8_t> integer_line_;
};

// The multipliers that a moving operand of one format needs against a tile of another; nothing when they do
// not go together. Either may be the weight.
std::optional<MultiplyType> multiplier_of(Format tile, Format moving);

}  // namespace tokencycle::machine
