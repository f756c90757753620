// SPDX-License-Identifier: Apache-2.0
// How long a tiling will take, from bytes and from the array's forms: what tilings are compared by. The
// simulation counts.
#pragma once

#include "compiler/tile/tiling.h"

namespace tokencycle::compiler {

// A burst of each channel: addresses go round the channels, and shorter pieces leave some idle.
std::uint64_t line_bytes(const config::Dram& dram);

// What the shorter of two works adds to the longer one, since their ports meet at banks: found by comparing
// simulated cycles over the products of tests/golden. It chooses among tilings and batches; no cycle depends
// on it otherwise.
inline constexpr double kDisturbed = 0.15;

class Estimate {
 public:
  // x and w outlive the estimate.
  Estimate(const config::Machine& machine, const Mapping& map, const StoredMatrix& x, const StoredMatrix& w);

  // Cycles. `overlaps`: the ring holds two chunks, so that one is loaded while the other is multiplied.
  double cycles(const Tiling& tiling, bool overlaps) const;

 private:
  double latency() const;
  double store_cycles(const Tiling& tiling) const;
  double divided_store_cycles(const Tiling& tiling) const;
  double replace_cycles(const Tiling& tiling) const;
  double dram_bytes(const Tiling& tiling) const;
  double words(const Tiling& tiling) const;
  double array_cycles(const Tiling& tiling) const;
  double wave() const { return (double{1} * machine_.matrix.rows + machine_.matrix.columns - 2) * step_; }
  // Of one pass: until the next may follow.
  double pass_cycles(std::uint32_t rows, std::uint32_t depth) const;
  double piece_cycles(const Tiling& tiling, std::uint32_t rows) const;

  const config::Machine& machine_;
  const Mapping& map_;
  const StoredMatrix &x_, &w_;
  double step_;  // cycles of a product
  double bytes_per_cycle_;
};

}  // namespace tokencycle::compiler
