// SPDX-License-Identifier: Apache-2.0
#include "compiler/gemm_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "compiler/emit/builder.h"

namespace tokencycle::compiler {

namespace {

constexpr std::uint32_t kMostRows = (1u << 16) - 1;    // of an instruction
constexpr std::uint64_t kMostStride = (1u << 24) - 1;  // of local rows, bytes
constexpr std::uint32_t kMostSlots = 8;
// Bytes: a larger chunk hides no more of the memory's latency.
constexpr std::uint64_t kFairChunk = 64u << 10;

// Candidates are judged by bytes and cycles; both are estimates, the simulation counts.
class Planner {
 public:
  Planner(const config::Machine& machine, const GemmMapping& map)
      : machine_(machine),
        map_(map),
        capacity_(std::uint64_t{machine.scratchpad.capacity_bytes} / kAlignment * kAlignment),
        bytes_per_cycle_(machine.peak_dram_gb_per_s() / machine.clock_ghz) {}

  std::optional<GemmPlan> best() {
    for (std::uint32_t tiles = 1;; tiles *= 2) {
      tiles = std::min(tiles, map_.tiles());
      try_tiles(tiles);
      if (tiles == map_.tiles()) break;
    }
    return best_;
  }

  // What the smallest block with a single slot takes.
  std::uint64_t least_scratchpad() const {
    GemmMapping map = map_;
    if (!map.holds_tile) map.unit = map.pass = smallest_unit();
    return chunk_bytes(map, GemmKept::none, 1, 1, 1);
  }

 private:
  std::uint32_t smallest_unit() const { return std::min(map_.unit, cut_elements(map_.type.w)); }
  std::uint32_t sums_part(std::uint32_t parts) const {
    return machine_.accumulator.capacity_bytes / (4 * parts) * 4;
  }

  // The most moving rows whose sums with so many tiles fit a part of the accumulator memory; whole pieces.
  std::uint32_t rows_for(std::uint32_t tiles, std::uint32_t parts) const {
    const std::uint64_t cols = std::min<std::uint64_t>(std::uint64_t{tiles} * map_.columns, map_.held);
    if (cols > kMostRows) return 0;
    const std::uint64_t fit = sums_part(parts) / 4 / cols;
    const auto rows = static_cast<std::uint32_t>(std::min<std::uint64_t>({fit, map_.moving, kMostRows}));
    return rows > map_.most_rows ? rows / map_.most_rows * map_.most_rows : rows;
  }

  void try_tiles(std::uint32_t tiles) {
    const std::uint32_t parts = rows_for(tiles, 2) != 0 ? 2 : 1;
    for (std::uint32_t rows = rows_for(tiles, parts); rows != 0; rows /= 2) {
      if (rows > map_.most_rows) rows = rows / map_.most_rows * map_.most_rows;
      for (const GemmKept kept : {GemmKept::moving, GemmKept::held, GemmKept::none}) {
        try_block(tiles, rows, parts, kept);
      }
    }
  }

  void try_block(std::uint32_t tiles, std::uint32_t rows, std::uint32_t parts, GemmKept kept) {
    GemmPlan plan;
    plan.map = map_;
    plan.block_rows = rows;
    plan.block_tiles = tiles;
    plan.kept = kept;
    plan.sum_parts = parts;
    plan.part_bytes = sums_part(parts);
    if (map_.holds_tile) {
      try_chunks(plan);
      return;
    }
    // The longest depths of a matmul that leave room for a second chunk, or the shortest.
    const std::uint32_t least = smallest_unit(),
                        whole = std::min(map_.unit,
                                         kMostRows / cut_elements(map_.type.w) * cut_elements(map_.type.w));
    for (std::uint32_t unit = whole;; unit = static_cast<std::uint32_t>(round_up(unit / 2, least))) {
      plan.map.unit = plan.map.pass = unit;
      if (try_chunks(plan) || unit <= least) return;
    }
  }

  // Whether there is room for a second chunk.
  bool try_chunks(GemmPlan plan) {
    const std::uint64_t kept = kept_bytes(plan);
    if (kept > capacity_) return false;
    const std::uint64_t room = capacity_ - kept;
    const std::uint64_t unit = chunk_bytes(plan.map, plan.kept, plan.block_rows, plan.block_tiles, 1);
    if (unit > room || too_wide(plan)) return false;
    const std::uint64_t fair = std::min(room / 4, kFairChunk);
    plan.chunk_units =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fair / unit, 1, most_units(plan)));
    plan.slot_bytes = static_cast<std::uint32_t>(
        chunk_bytes(plan.map, plan.kept, plan.block_rows, plan.block_tiles, plan.chunk_units));
    plan.slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(room / plan.slot_bytes, kMostSlots));
    plan.kept_bytes = static_cast<std::uint32_t>(kept);
    judge(plan);
    return plan.slots > 1;
  }

  static std::uint32_t most_units(const GemmPlan& plan) { return std::min(plan.map.units(), kMostRows); }

  // Rows of a load are shorter than 2^24 bytes, and so are the rows' distances.
  static bool too_wide(const GemmPlan& plan) {
    const GemmMapping& m = plan.map;
    return m.moving_bytes(m.unit) * plan.block_rows > kMostStride ||
           m.held_bytes(m.unit, m.columns) > kMostStride;
  }

  // The streaming operands' panels of `units` units.
  static std::uint64_t chunk_bytes(const GemmMapping& m, GemmKept kept, std::uint32_t rows,
                                   std::uint32_t tiles, std::uint32_t units) {
    const std::uint64_t moving = kept == GemmKept::moving ? 0 : m.moving_bytes(m.unit) * rows * units;
    const std::uint64_t held = kept == GemmKept::held ? 0 : m.held_bytes(m.unit, m.columns) * tiles * units;
    return round_up(moving, kAlignment) + round_up(held, kAlignment);
  }

  static std::uint64_t kept_bytes(const GemmPlan& p) {
    const GemmMapping& m = p.map;
    std::uint64_t bytes = 0;
    if (p.kept == GemmKept::moving) bytes = m.moving_bytes_before(m.units()) * p.block_rows;
    if (p.kept == GemmKept::held) bytes = m.held_bytes_before(m.units(), m.columns) * p.block_tiles;
    return round_up(bytes, kAlignment);
  }

  void judge(GemmPlan plan) {
    const GemmMapping& m = plan.map;
    const auto moving = static_cast<double>(m.moving_bytes_before(m.units())) * m.moving;
    const auto held = static_cast<double>(m.held_bytes_before(m.units(), m.columns)) * m.held / m.columns;
    const double load = moving * (plan.kept == GemmKept::moving ? 1 : plan.tile_blocks()) +
                        held * (plan.kept == GemmKept::held ? 1 : plan.row_blocks());
    const double dram = (load + 4.0 * m.moving * m.held) / bytes_per_cycle_;
    const double array = array_cycles(plan);
    const double time = plan.slots > 1 ? std::max(dram, array) + 0.01 * std::min(dram, array) : dram + array;
    if (best_ && time >= best_time_) return;
    best_ = plan;
    best_->load_bytes = static_cast<std::uint64_t>(load);
    best_time_ = time;
  }

  double array_cycles(const GemmPlan& plan) const {
    const GemmMapping& m = plan.map;
    const double wave = machine_.matrix.rows + machine_.matrix.columns;
    const double rows = std::min(plan.block_rows, m.most_rows);
    const double pieces = static_cast<double>(ceil_div(m.moving, std::min(plan.block_rows, m.most_rows)));
    const double tiles = m.tiles();
    if (!m.holds_tile) {
      const double apart = machine_.matrix.back_to_back ? 0 : wave * m.step;
      return pieces * tiles * (static_cast<double>(m.shape.k) * m.step + apart * m.units());
    }
    const double passes = static_cast<double>(ceil_div(m.shape.k, m.pass));
    const double apart = machine_.matrix.back_to_back ? 0 : wave * m.step;
    const double shift = machine_.matrix.rows;
    const double fold = machine_.matrix.double_buffered ? std::max(rows * m.step + apart, shift)
                                                        : rows * m.step + wave * m.step + shift;
    return pieces * tiles * passes * fold;
  }

  const config::Machine& machine_;
  const GemmMapping& map_;
  std::uint64_t capacity_;
  double bytes_per_cycle_;
  std::optional<GemmPlan> best_;
  double best_time_ = 0;
};

// Everything in DRAM, the program last; its length is not known yet.
void place(GemmPlan& plan) {
  constexpr std::uint64_t kPage = 4096;
  const GemmMapping& m = plan.map;
  const std::uint32_t last = m.tiles() - 1;
  const std::uint64_t held =
      last * m.held_bytes_before(m.units(), m.columns) + m.held_bytes_before(m.units(), m.columns_of(last));
  plan.dram.held = DramAddress(0);
  plan.dram.moving = DramAddress(round_up(held, kPage));
  plan.dram.sums =
      DramAddress(round_up(plan.dram.moving.value + m.moving_bytes_before(m.units()) * m.moving, kPage));
  plan.dram.program =
      DramAddress(round_up(plan.dram.sums.value + std::uint64_t{m.moving} * m.held * 4, kPage));
}

}  // namespace

GemmPlan plan_gemm(const config::Machine& machine, const GemmMapping& map) {
  Planner planner(machine, map);
  std::optional<GemmPlan> plan = planner.best();
  if (!plan) {
    const std::uint64_t least = planner.least_scratchpad();
    throw ConfigurationError(fmt::format(
        "machine '{}': the scratchpad of {} (/scratchpad/capacity_kib) holds no tile and moving row of this "
        "product; it must have at least {} KiB",
        machine.name, bytes_text(machine.scratchpad.capacity_bytes), ceil_div(least, 1024)));
  }
  place(*plan);
  if (plan->dram.program.value >= machine.dram.capacity_bytes) {
    throw ConfigurationError(fmt::format(
        "machine '{}': the operands and the result take {}, and the DRAM has {}; {}, or use "
        "--array-alone, which needs no memory",
        machine.name, bytes_text(plan->dram.program.value), bytes_text(machine.dram.capacity_bytes),
        config::larger_dram_text(machine, plan->dram.program.value + 1)));
  }
  return *plan;
}

}  // namespace tokencycle::compiler
