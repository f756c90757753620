// SPDX-License-Identifier: Apache-2.0
// What the array computes: passes of moving rows over a stationary tile, and their group sums. Values only,
// no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "machine/matrix/tile.h"

namespace tokencycle::machine {

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

// Moving rows as the multipliers take them, and the sums of one group: room for multiply_tile().
struct MovingRows {
  std::vector<std::int8_t> q;
  std::vector<std::int16_t> integers;
  std::vector<GroupScale> groups;
  std::vector<float> values, scales, offsets, joined;
  std::vector<std::int32_t> sums;
};

// The terms of one multiply, on their way through the array: [moving row][closed group][column], or
// [column][closed group][moving row].
struct Terms {
  std::uint32_t groups = 0;  // closed in this pass; plain integers: 1, their sum
  bool integer = false;      // `sums` instead of `values`
  bool by_column = false;    // the second order
  std::vector<float> values;
  std::vector<std::int32_t> sums;
  MovingRows moving;
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

// Why the array cannot do this multiply with this tile; empty when it can.
std::string mismatch(const isa::Instruction& multiply, const Tile& tile, const GroupBuffer& buffer);

}  // namespace tokencycle::machine
