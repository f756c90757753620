// SPDX-License-Identifier: Apache-2.0
// Formulas that are wrong on purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "machine/matrix/dataflow.h"

namespace tokencycle::proof {

// Which formula says more (or less) than the truth, and by how much.
struct Alteration {
  std::int64_t shift_in = 0, tile_free = 0, result = 0, exit = 0, go_on = 0, gap = 0;
};

class Altered : public machine::Dataflow {
 public:
  Altered(std::unique_ptr<machine::Dataflow> truth, const Alteration& by)
      : truth_(std::move(truth)), by_(by) {}

  bool holds_tile() const override { return truth_->holds_tile(); }
  std::uint64_t shift_in_cycles(isa::TileOrder order) const override {
    return sum(truth_->shift_in_cycles(order), by_.shift_in);
  }
  std::uint64_t tile_free_cycles(std::uint64_t step) const override {
    return sum(truth_->tile_free_cycles(step), by_.tile_free);
  }
  std::uint64_t result_cycles(const machine::ArrayPass& pass, std::uint64_t m,
                              std::uint64_t c) const override {
    return sum(truth_->result_cycles(pass, m, c), by_.result);
  }
  std::uint64_t exit_cycles(const machine::ArrayPass& pass) const override {
    return sum(truth_->exit_cycles(pass), by_.exit);
  }
  std::uint64_t continue_cycles(std::uint64_t step, bool integer) const override {
    return sum(truth_->continue_cycles(step, integer), by_.go_on);
  }
  std::uint64_t gap_cycles(const machine::ArrayPass& before, const machine::ArrayPass& next) const override {
    return sum(truth_->gap_cycles(before, next), by_.gap);
  }

 private:
  // No formula goes below zero.
  static std::uint64_t sum(std::uint64_t truth, std::int64_t by) {
    return by < 0 && truth < static_cast<std::uint64_t>(-by) ? 0 : truth + static_cast<std::uint64_t>(by);
  }
  std::unique_ptr<machine::Dataflow> truth_;
  Alteration by_;
};

}  // namespace tokencycle::proof
