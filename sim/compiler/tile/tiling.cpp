// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/tiling.h"

#include <algorithm>

#include "compiler/emit/load_schedule.h"
#include "compiler/emit/operations.h"
#include "compiler/passes/plan.h"
#include "compiler/tile/estimate.h"

namespace tokencycle::compiler {
namespace {

std::uint32_t round_down(std::uint64_t value, std::uint32_t unit) {
  return static_cast<std::uint32_t>(value / unit * unit);
}

constexpr std::uint64_t kMostStride = (1u << 24) - 1;  // of local rows, bytes

class TilingSearch {
 public:
  TilingSearch(const config::Machine& machine, const StoredMatrix& x, const StoredMatrix& w,
               std::uint64_t ring)
      : machine_(machine),
        x_(x),
        w_(w),
        map_(map_product(machine.matrix, w.format, isa::TileOrder::nk, w.cols)),
        ring_(ring / kAlignment * kAlignment),
        straight_(schedule_limits(machine).lag / 2 + 1),
        estimate_(machine, map_, x, w) {}

  std::optional<Tiling> best() {
    const std::uint32_t most = std::min({sums_of_half(), held(), kRowLimit});
    for (std::uint64_t cols = std::min(map_.columns, most);; cols *= 2) {
      const auto block = static_cast<std::uint32_t>(std::min<std::uint64_t>(cols, most));
      try_columns(block < held() && block > map_.columns ? round_down(block, map_.columns) : block);
      if (cols >= most) break;
    }
    return best_;
  }

  std::uint64_t smallest() const {
    const std::uint32_t cols = std::min({sums_of_half(), held(), map_.columns});
    return streamed_bytes(tiling_of(1, cols, std::min(smallest_depth(), k())));
  }

 private:
  std::uint32_t k() const { return w_.cols; }
  std::uint32_t moving() const { return map_.x_held ? w_.rows : x_.rows; }
  std::uint32_t held() const { return map_.x_held ? x_.rows : w_.rows; }
  std::uint32_t sums_of_half() const { return machine_.accumulator.capacity_bytes / 8; }
  // A matmul keeps its sums over as much k as a chunk has.
  std::uint32_t smallest_depth() const { return map_.holds_tile ? map_.unit : map_.cut; }

  Tiling tiling_of(std::uint32_t moving_rows, std::uint32_t columns, std::uint32_t depth) const {
    Tiling t;
    t.rows = map_.x_held ? columns : moving_rows;
    t.cols = map_.x_held ? moving_rows : columns;
    t.depth = depth;
    t.straight = straight_;
    return t;
  }

  // Moving rows: as many as half the accumulator memory allows, whole passes, and halves of them.
  void try_columns(std::uint32_t columns) {
    std::uint32_t rows = std::min({sums_of_half() / columns, moving(), kRowLimit});
    for (; rows != 0; rows /= 2) {
      if (rows > map_.most_rows) rows = round_down(rows, map_.most_rows);
      for (const Stays stays : {Stays::x, Stays::w, Stays::none}) try_depths(rows, columns, stays);
    }
  }

  // All k in one chunk, and parts of it: whole lines of the DRAM, or whatever leaves room for a second
  // chunk.
  void try_depths(std::uint32_t rows, std::uint32_t columns, Stays stays) {
    const std::uint32_t unit = smallest_depth();
    bool overlaps = false;
    for (std::uint64_t depth = k();; depth = round_up(depth / 2, unit)) {
      Tiling t = tiling_of(rows, columns, static_cast<std::uint32_t>(depth));
      t.stays = stays;
      if (stays != Stays::none) t.kept_bytes = kept_bytes(t);
      if (!overlaps || whole_lines(t)) overlaps = try_tiling(t) || overlaps;
      if (depth <= unit) return;
    }
  }

  bool whole_lines(const Tiling& t) const {
    const auto at_lines = [this, &t](const StoredMatrix& m) {
      return (row_bytes(m.format, m.cols) | row_bytes(m.format, t.depth)) % line_bytes(machine_.dram) == 0;
    };
    return at_lines(x_) && at_lines(w_);
  }

  // Whether two chunks fit.
  bool try_tiling(const Tiling& t) {
    const std::uint64_t chunk = streamed_bytes(t);
    if (t.kept_bytes + chunk > ring_) return false;
    if (row_bytes(x_.format, t.depth) > kMostStride || row_bytes(w_.format, t.depth) > kMostStride)
      return false;
    const bool overlaps = t.kept_bytes + 2 * chunk <= ring_;
    const double time = estimate_.cycles(t, overlaps);
    if (best_ && time >= best_time_) return overlaps;
    best_ = t;
    best_time_ = time;
    return overlaps;
  }

  std::uint64_t block_bytes_of(const Tiling& t, bool x) const {
    return (x ? t.rows * row_bytes(x_.format, t.depth) : t.cols * row_bytes(w_.format, t.depth));
  }
  // What a chunk brings of the operands that stream.
  std::uint64_t streamed_bytes(const Tiling& t) const {
    return (t.stays == Stays::x ? 0 : round_up(block_bytes_of(t, true), kAlignment)) +
           (t.stays == Stays::w ? 0 : round_up(block_bytes_of(t, false), kAlignment));
  }
  std::uint64_t kept_bytes(const Tiling& t) const {
    return ceil_div(k(), t.depth) * round_up(block_bytes_of(t, t.stays == Stays::x), kAlignment);
  }

  const config::Machine& machine_;
  const StoredMatrix &x_, &w_;
  const Mapping map_;
  const std::uint64_t ring_;
  const std::uint32_t straight_;
  const Estimate estimate_;
  std::optional<Tiling> best_;
  double best_time_ = 0;
};

}  // namespace

Tiling tile_resident(const Demands& d, const StoredMatrix& w, std::uint32_t rows, std::uint32_t chunk_bytes) {
  Tiling t;
  t.rows = rows;
  t.stays = Stays::x;
  const std::uint32_t most = std::min({w.rows, d.accumulator_half / rows, kRowLimit});
  const std::uint32_t tile = std::min(d.columns, most);
  const std::uint64_t whole_rows = chunk_bytes / row_bytes(w.format, w.cols);
  if (whole_rows >= tile) {
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole_rows, most));
    t.cols = n == w.rows || n < d.columns ? n : round_down(n, d.columns);
    t.depth = w.cols;
    return t;
  }
  // Not one tile of whole rows: cut k too, at pass borders if possible.
  const std::uint32_t cut = cut_elements(w.format), pass = std::max(d.pass_rows / cut, 1u) * cut;
  const std::uint64_t cut_bytes = row_bytes(w.format, std::min(cut, w.cols));
  const std::uint32_t k = round_down(chunk_bytes / tile / cut_bytes * cut, cut);
  t.cols = tile;
  if (k >= w.cols) {
    t.depth = w.cols;
  } else if (k >= pass) {
    t.depth = round_down(k, pass);
  } else if (k >= cut) {
    t.depth = k;
  } else {
    t.cols = static_cast<std::uint32_t>(std::max<std::uint64_t>(chunk_bytes / cut_bytes, 1));
    t.depth = cut;
  }
  return t;
}

std::optional<Tiling> tile_streamed(const config::Machine& machine, const StoredMatrix& x,
                                    const StoredMatrix& weight, std::uint64_t ring_bytes) {
  return TilingSearch(machine, x, weight, ring_bytes).best();
}

std::uint64_t smallest_streamed(const config::Machine& machine, const StoredMatrix& x,
                                const StoredMatrix& weight) {
  return TilingSearch(machine, x, weight, 0).smallest();
}

}  // namespace tokencycle::compiler
