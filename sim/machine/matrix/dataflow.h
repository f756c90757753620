// SPDX-License-Identifier: Apache-2.0
// How operands move through the array: the small interface behind which a dataflow is added.
#pragma once

#include <cstdint>
#include <memory>

#include "config/machine.h"
#include "isa/instruction.h"
#include "numerics/format.h"

namespace tokencycle::machine {

// One pass of operands through the array: a multiply, or a matmul of an output-stationary array.
struct ArrayPass {
  std::uint64_t step = 1;             // cycles that the multiplier type needs for one element of a cell
  std::uint64_t rows = 0;             // moving rows; output-stationary: rows of results
  std::uint64_t depth = 0;            // k values
  bool integer = false;               // sums may be added in any order
  bool grouped = true;                // sums of groups; plain integers are summed without groups
  std::uint64_t group = kPlainGroup;  // k values of a group
  MultiplyType type = MultiplyType::int8;
  std::uint64_t fold = 0;  // cycles from the last sum to the last total: the scale-and-accumulate cells

  template <class Archive>
  void serialize(Archive& state) {
    state(step, rows, depth, integer, grouped, group, type, fold);
  }
};

// Cycle counts of one array; tests/proof/closed_forms.md derives the formulas. A pass enters in the cycle in
// which its first element meets its first cell; "behind" counts from one pass's entry to the next one's.
class Dataflow {
 public:
  virtual ~Dataflow() = default;
  // Tiles are preloaded and multiplied by moving rows; otherwise both operands of a matmul stream.
  virtual bool holds_tile() const = 0;
  // Cycles from the arrival of a tile's first line to the tile's use, however small the tile is.
  virtual std::uint64_t shift_in_cycles(isa::TileOrder order) const = 0;
  // Cycles behind the pass that took a tile after which the next tile's first line may arrive, less one.
  virtual std::uint64_t tile_free_cycles(std::uint64_t step) const = 0;
  // Cycles from the entry to the one in which the result of row m and column c has left the array.
  virtual std::uint64_t result_cycles(const ArrayPass& pass, std::uint64_t m, std::uint64_t c) const = 0;
  // Cycles from the end of the entry to the end of the pass: its wave has left the whole array.
  virtual std::uint64_t exit_cycles(const ArrayPass& pass) const = 0;
  // Least cycles behind a pass for one that continues its group sums. 0: no wait of its own.
  virtual std::uint64_t continue_cycles(std::uint64_t step, bool integer) const = 0;
  // Cycles that the next pass must wait after the end of the entry of the one before, so that no wave
  // overtakes another and no two results want one wire.
  virtual std::uint64_t gap_cycles(const ArrayPass& before, const ArrayPass& next) const = 0;
};

// The dataflow of a machine; throws nothing: the configuration was checked.
std::unique_ptr<Dataflow> make_dataflow(const config::Matrix& matrix);

// Cycles from the last sum of a cell that keeps its total to that total: groups of `group` k values end one
// after the other, the last one at `depth`, and each is folded in `latency` cycles behind the one before.
std::uint64_t folds_behind(std::uint64_t depth, std::uint64_t group, std::uint64_t step,
                           std::uint64_t latency);

}  // namespace tokencycle::machine
