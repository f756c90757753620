// SPDX-License-Identifier: Apache-2.0
// What the array computes: a stationary tile, passes of moving rows, group sums. Values only, no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

  // Integer tiles: the k values of column n, and (block formats) the scale of its group number `index`, when
  // groups have `group` elements.
  const std::int8_t* column(std::uint32_t n) const { return integers_.data() + std::size_t{n} * depth_; }
  GroupScale scale(std::uint32_t n, std::uint32_t index, std::uint32_t group) const {
    if (group != group_elements(format_)) return joined_scale(n, index, group);
    return scales_[std::size_t{n} * groups_ + first_group_ + index];
  }
  // Plain tiles: the n values of row k.
  const float* row(std::uint32_t k) const { return values_.data() + std::size_t{k} * columns_; }

  template <class Archive>
  void serialize(Archive& state) {
    state(format_, depth_, columns_, k_offset_, groups_, first_group_, integers_, scales_, values_);
  }

 private:
  std::uint32_t first_scaled() const;
  GroupScale joined_scale(std::uint32_t n, std::uint32_t index, std::uint32_t group) const;
  void load_blocks(const isa::Instruction& preload, std::span<const std::byte> memory);
  void load_integers(const isa::Instruction& preload, std::span<const std::byte> memory);
  void load_plain(const isa::Instruction& preload, std::span<const std::byte> memory);

  Format format_ = Format::f32;
  std::uint32_t depth_ = 0, columns_ = 0, k_offset_ = 0, groups_ = 0, first_group_ = 0;
  std::vector<std::int8_t> integers_;  // [n][k]
  std::vector<GroupScale> scales_;     // [n][group]
  std::vector<float> values_;          // [k][n]
  std::vector<float> line_;
};

// The part of a reduction group that lies in one pass: k values [begin, end) of the pass.
struct GroupPart {
  std::uint32_t begin, end;
  bool starts;  // the group's sum starts at zero here
  bool closes;  // the group ends here: its term goes to the accumulator
};
std::vector<GroupPart> group_parts(const isa::Instruction& multiply, std::uint32_t group);

// Group sums that wait for a later pass, [moving row][column]: arrays with fewer rows than a group
// need several passes for it.
class GroupBuffer {
 public:
  GroupBuffer(std::uint32_t rows, std::uint32_t columns)
      : rows_(rows), columns_(columns), integers_(std::size_t{rows} * columns), floats_(integers_.size()) {}
  std::uint32_t rows() const { return rows_; }
  std::int32_t* integers(std::uint32_t m) { return integers_.data() + std::size_t{m} * columns_; }
  float* floats(std::uint32_t m) { return floats_.data() + std::size_t{m} * columns_; }
  template <class Archive>
  void serialize(Archive& state) {
    state(integers_, floats_);
  }

 private:
  std::uint32_t rows_, columns_;
  std::vector<std::int32_t> integers_;
  std::vector<float> floats_;
};

// The terms of one multiply, on their way through the array: [moving row][closed group][column].
struct Terms {
  std::uint32_t groups = 0;  // closed in this pass; plain integers: 1, their sum
  bool integer = false;      // `sums` instead of `values`
  std::vector<float> values;
  std::vector<std::int32_t> sums;
};

// How many groups of so many k values end in this multiply.
std::uint32_t closing_groups(const isa::Instruction& multiply, std::uint32_t group);

// Multiplies `moving` (memory from the multiply's address `a` on) with the tile, by the order of additions of
// numerics/README.md. Group sums that do not close stay in `buffer`.
void multiply_tile(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                   GroupBuffer& buffer, Terms& terms);

// Adds the terms to the sums at `accumulator` (memory from the multiply's `dst` on); fp32, or int32 modulo
// 2^32.
void fold_terms(const isa::Instruction& multiply, const Terms& terms, std::span<std::byte> accumulator);

// The multipliers that a moving operand of one format needs against a tile of another; nothing when they do
// not go together. Either may be the weight.
std::optional<MultiplyType> multiplier_of(Format tile, Format moving);

// Why the array cannot do this multiply with this tile; empty when it can.
std::string mismatch(const isa::Instruction& multiply, const Tile& tile, const GroupBuffer& buffer);

}  // namespace tokencycle::machine
