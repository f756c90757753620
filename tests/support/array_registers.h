// SPDX-License-Identifier: Apache-2.0
// What the register models of the matrix array have in common: the words on their wires, and the cells at the
// end of a column. Written from the hardware's description, not from sim/machine: they check it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tokencycle::test {

// Two values want one register or one wire, or one is read that was never written.
struct RegisterFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ArrayShape {
  std::uint32_t rows = 1, columns = 1;
  std::uint32_t scale_latency = 0;     // cycles of one scale-and-accumulate cell
  std::uint32_t accumulator_rows = 1;  // of `columns` 32-bit sums
};

inline constexpr std::uint32_t kMostSegments =
    8;  // groups in one column: arrays of up to 128 rows, groups of 16

// integer: int32 sums. scaled: int32 sums of groups, each times two scales into an fp32 total.
// real: fp32 sums of groups, in ascending k, into an fp32 total.
enum class Kind : std::uint8_t { integer, scaled, real };

// An operand on a wire: an integer or the bits of an fp32 number. The last row of a group's segment
// carries the group's scale too, and where weights have a minimum, that or the sum that it meets.
struct Operand {
  std::uint32_t bits = 0;
  float scale = 0.0f;
  std::optional<float> offset = std::nullopt;
};

// The control bits that travel with a moving row.
struct RowControl {
  Kind kind = Kind::integer;
  bool swap = false;          // the first row of a pass that takes the spare tile
  bool open = true;           // the first group's sum starts at zero, not in the group buffer
  bool accumulate = false;    // add to the total in the accumulator memory
  std::uint8_t group = 32;    // k values that are summed before they are scaled
  std::uint8_t segments = 1;  // groups that the pass has a part of
  std::uint8_t closing = 1;   // the first so many of them end here; a further one goes to the group buffer
  std::uint16_t step = 1;     // cycles of one multiply-add
  std::uint32_t pass = 0, row = 0;
  std::uint32_t columns = 1;      // columns whose results are wanted
  std::uint32_t destination = 0;  // row of the accumulator memory
};

// A group's sum on its way, with the product of its scales, and of minimum and sum.
struct SegmentSum {
  std::uint32_t bits = 0;
  float scale = 0.0f;
  std::optional<float> offset = std::nullopt;
};

// The product of minimum and sum, which the last cell of a segment makes beside that of the scales.
inline std::optional<float> offset_product(const Operand& x, const Operand& w) {
  if (!x.offset || !w.offset) return std::nullopt;
  return *x.offset * *w.offset;
}
using SegmentSums = std::array<SegmentSum, kMostSegments>;

// A moving row's sums in one column.
struct RowSums {
  RowControl control;
  SegmentSums sums;
};

// total: written to the accumulator memory. waiting: an unfinished group's sum, gone to the group buffer.
// unused: of a row or column that the pass does not use; it goes nowhere, but its cycle counts.
enum class Leaves : std::uint8_t { total, waiting, unused };

// A sum that has left the array in `cycle`.
struct Result {
  std::uint64_t cycle = 0;
  std::uint32_t pass = 0, row = 0, column = 0;
  std::uint32_t bits = 0;
  Leaves leaves = Leaves::total;
};

// sum + x * w as the cell's multiplier and adder do it.
std::uint32_t multiply_add(Kind kind, std::uint32_t sum, std::uint32_t x, std::uint32_t w);
// total + the group's term: the scaled sum, or the sum itself.
float add_term(Kind kind, float total, const SegmentSum& group);

// Below one column: the group buffer, the chain of scale-and-accumulate cells, the accumulator memory.
class ColumnTail {
 public:
  ColumnTail(const ArrayShape& shape, std::uint32_t column);

  // Takes the waiting sum of a continued group out of the buffer.
  std::uint32_t take_waiting(std::uint32_t row);
  // One cycle; `arrived` are the sums in the register below the array, if there are any.
  void clock(std::uint64_t cycle, const std::optional<RowSums>& arrived, std::vector<Result>& results);
  bool empty() const { return folding_ == 0; }
  void write(std::uint32_t destination, std::uint32_t bits) { memory_.at(destination) = bits; }
  std::uint32_t read(std::uint32_t destination) const { return memory_.at(destination); }

 private:
  struct Fold {
    RowControl control;
    SegmentSums sums;
    float total = 0.0f;
    std::uint32_t done = 0;  // groups that are in the total
  };
  void enter(std::uint64_t cycle, const RowSums& arrived, std::vector<Result>& results);
  void begin_fold(const RowControl& row, const SegmentSums& sums);
  void leave(std::uint64_t cycle, const RowControl& row, std::uint32_t bits, std::vector<Result>& results);

  const std::uint32_t latency_, column_;
  std::uint64_t last_result_ = ~std::uint64_t{0};      // cycle in which the result wire was last driven
  std::vector<std::optional<Fold>> chain_;             // by the cycles since its entry
  std::uint32_t folding_ = 0;                          // rows in the chain
  std::vector<std::optional<std::uint32_t>> waiting_;  // by moving row
  std::optional<std::pair<std::uint32_t, std::uint32_t>>
      buffer_input_;  // row, sum: written at the cycle's end
  std::vector<std::uint32_t> memory_;
};

}  // namespace tokencycle::test
