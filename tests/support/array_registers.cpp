// SPDX-License-Identifier: Apache-2.0
#include "support/array_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace tokencycle::test {

std::uint32_t multiply_add(Kind kind, std::uint32_t sum, std::uint32_t x, std::uint32_t w) {
  if (kind != Kind::real) return sum + x * w;  // modulo 2^32, as the adder wraps
  const float product = std::bit_cast<float>(x) * std::bit_cast<float>(w);
  return std::bit_cast<std::uint32_t>(std::bit_cast<float>(sum) + product);
}

float add_term(Kind kind, float total, const SegmentSum& group) {
  if (kind == Kind::real) return total + std::bit_cast<float>(group.bits);
  float term = group.scale * static_cast<float>(std::bit_cast<std::int32_t>(group.bits));
  if (group.offset) term = term + *group.offset;
  return total + term;
}

ColumnTail::ColumnTail(const ArrayShape& shape, std::uint32_t column)
    : latency_(shape.scale_latency),
      column_(column),
      chain_(std::size_t{kMostSegments} * shape.scale_latency + 1),
      memory_(shape.accumulator_rows) {}

std::uint32_t ColumnTail::take_waiting(std::uint32_t row) {
  if (row >= waiting_.size() || !waiting_[row]) {
    throw RegisterFault(fmt::format(
        "column {}: row {} continues with a group's sum that is not in the buffer yet", column_, row));
  }
  return *std::exchange(waiting_[row], std::nullopt);
}

void ColumnTail::clock(std::uint64_t cycle, const std::optional<RowSums>& arrived,
                       std::vector<Result>& results) {
  // Older rows first: a total that leaves now can be read by the row that enters now.
  const auto advance = [&](std::size_t age) {
    std::optional<Fold>& fold = chain_[age];
    if (!fold) return;
    while (fold->done < fold->control.closing && age == std::size_t{fold->done + 1} * latency_) {
      fold->total = add_term(fold->control.kind, fold->total, fold->sums[fold->done]);
      ++fold->done;
    }
    if (fold->done < fold->control.closing) return;
    leave(cycle, fold->control, std::bit_cast<std::uint32_t>(fold->total), results);
    fold.reset();
    --folding_;
  };
  for (std::size_t age = chain_.size() - 1; folding_ != 0 && age > 0; --age) advance(age);
  if (arrived) enter(cycle, *arrived, results);
  advance(0);

  // The clock's edge.
  if (folding_ != 0) std::rotate(chain_.begin(), chain_.end() - 1, chain_.end());
  if (buffer_input_) {
    const auto [place, sum] = *buffer_input_;
    if (place >= waiting_.size()) waiting_.resize(place + 1);
    waiting_[place] = sum;
    buffer_input_.reset();
  }
}

void ColumnTail::enter(std::uint64_t cycle, const RowSums& arrived, std::vector<Result>& results) {
  const RowControl& row = arrived.control;
  SegmentSums sums = arrived.sums;
  if (row.kind == Kind::integer) {
    return leave(cycle, row, (row.accumulate ? memory_.at(row.destination) : 0) + sums[0].bits, results);
  }
  if (!row.open && row.kind == Kind::scaled) sums[0].bits += take_waiting(row.row);
  if (row.closing < row.segments) {
    const std::uint32_t unfinished = sums[row.closing].bits;
    buffer_input_ = {row.row, unfinished};
    if (row.closing == 0) results.push_back({cycle, row.pass, row.row, column_, unfinished, Leaves::waiting});
  }
  if (row.closing > 0) begin_fold(row, sums);
}

void ColumnTail::begin_fold(const RowControl& row, const SegmentSums& sums) {
  for (const auto& fold : chain_) {
    if (!fold || fold->control.destination != row.destination) continue;
    throw RegisterFault(fmt::format("column {}: pass {} row {} wants the total that pass {} still folds",
                                    column_, row.pass, row.row, fold->control.pass));
  }
  const float before = row.accumulate ? std::bit_cast<float>(memory_.at(row.destination)) : 0.0f;
  chain_[0] = Fold{row, sums, before, 0};
  ++folding_;
}

void ColumnTail::leave(std::uint64_t cycle, const RowControl& row, std::uint32_t bits,
                       std::vector<Result>& results) {
  if (last_result_ == cycle) {
    throw RegisterFault(fmt::format("column {}: two results leave in cycle {}, one of pass {} row {}",
                                    column_, cycle, row.pass, row.row));
  }
  last_result_ = cycle;
  const bool used = column_ < row.columns;
  if (used) memory_.at(row.destination) = bits;
  results.push_back({cycle, row.pass, row.row, column_, bits, used ? Leaves::total : Leaves::unused});
}

}  // namespace tokencycle::test
