// SPDX-License-Identifier: Apache-2.0
// The dot-product array, register by register: all elements of a moving row meet the tile at once, and each
// column adds its products, integers in a tree and floats in a chain.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/array_registers.h"

namespace tokencycle::test {

// Advanced by clock(), one cycle a call, from cycle 0 on. Throws RegisterFault when a row runs into the one
// before it, and for what ColumnTail refuses.
class DotRegisters {
 public:
  struct MovingRow {
    RowControl control;
    std::vector<Operand> elements;  // by k
    std::uint32_t depth = 0;        // multipliers from here on are off: their tile may be an older one
  };
  // A line of the spare tile: all k of column `index`, or all columns of row `index`.
  struct TileLine {
    bool of_column = true;
    std::uint32_t index = 0;
    std::vector<Operand> words;
  };
  struct Inputs {
    std::optional<MovingRow> row;
    std::optional<TileLine> line;
  };

  explicit DotRegisters(const ArrayShape& shape);
  Inputs no_inputs() const { return {}; }
  void clock(const Inputs& inputs);

  std::uint64_t cycle() const { return cycle_; }
  bool empty() const;
  const std::vector<Result>& results() const { return results_; }
  ColumnTail& tail(std::uint32_t column) { return tails_[column]; }

 private:
  // What one column holds of one group's segment: products or partial sums still to be added, and in the
  // chain the sum so far.
  struct Segment {
    std::vector<std::uint32_t> numbers;
    std::uint32_t sum = 0;
    float scale = 0.0f;
    std::optional<float> offset = std::nullopt;
  };
  // The registers between two stages.
  struct Stage {
    RowControl control;
    std::uint32_t age = 0;                       // cycles of the step that are over
    std::vector<std::vector<Segment>> segments;  // by column
  };
  using Pipeline = std::vector<std::optional<Stage>>;

  void arrive(const MovingRow& row);
  void advance(Pipeline& pipeline);
  void advance_multipliers();
  std::vector<Segment> products(const MovingRow& row, std::uint32_t c) const;
  void hand_on(Pipeline& pipeline, std::size_t stage, Stage&& contents);
  std::size_t stages_of(const RowControl& control) const;
  void write_line(const TileLine& line);
  const Operand& weight(std::uint32_t k, std::uint32_t c) const {
    return tile_[active_][std::size_t{k} * shape_.columns + c];
  }

  const ArrayShape shape_;
  std::uint64_t cycle_ = 0;
  std::array<std::vector<Operand>, 2> tile_;  // two banks
  unsigned active_ = 0;
  std::optional<MovingRow> multipliers_;
  std::uint32_t multipliers_age_ = 0;
  Pipeline tree_, chain_;       // the registers in front of each addition
  std::optional<Stage> below_;  // the sums, on their way into the columns' tails
  std::vector<ColumnTail> tails_;
  std::vector<Result> results_;
};

}  // namespace tokencycle::test
