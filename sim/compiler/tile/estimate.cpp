// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/estimate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "isa/encoding.h"

namespace tokencycle::compiler {
namespace {

double blocks(std::uint32_t all, std::uint32_t block) {
  return static_cast<double>(ceil_div(all, block));
}

// Bytes that the rows of a matrix move in pieces of `cols` values: whole lines, unless a piece is a whole
// row.
double moved(const StoredMatrix& m, std::uint32_t cols, std::uint64_t line) {
  const std::uint64_t row = row_bytes(m.format, m.cols), piece = row_bytes(m.format, cols);
  if (piece >= row) return static_cast<double>(m.rows * row);
  const std::uint64_t step = std::gcd(std::gcd(row, piece), line);  // of where pieces begin
  return static_cast<double>(m.rows * ceil_div(row, piece) * (piece + line - step));
}

}  // namespace

std::uint64_t line_bytes(const config::Dram& dram) {
  return std::uint64_t{dram.burst_bytes} * dram.channels;
}

Estimate::Estimate(const config::Machine& machine, const Mapping& map, const StoredMatrix& x,
                   const StoredMatrix& w)
    : machine_(machine),
      map_(map),
      x_(x),
      w_(w),
      step_(machine.matrix.cycles_per_row[static_cast<std::size_t>(multiply_type(w.format))]),
      bytes_per_cycle_(machine.peak_dram_gb_per_s() / machine.clock_ghz) {}

double Estimate::cycles(const Tiling& t, bool overlaps) const {
  const double dram = dram_bytes(t) / bytes_per_cycle_, passes = array_cycles(t) + divided_store_cycles(t);
  // The sums of a block leave while the next block is made, and the one after that waits for them.
  const double count = blocks(x_.rows, t.rows) * blocks(w_.rows, t.cols);
  const double array = std::max(passes, (passes + std::max(count - 2, 0.0) * store_cycles(t)) / 2);
  if (!overlaps) return dram + array;
  // Nothing overlaps the first chunk's loads and the last block's store.
  const std::uint64_t first = t.rows * row_bytes(x_.format, t.depth) + t.cols * row_bytes(w_.format, t.depth);
  const double ends = static_cast<double>(first + std::uint64_t{t.rows} * t.cols * 4) / bytes_per_cycle_;
  return std::max(dram, array + ends) + kDisturbed * std::min(dram, array) + replace_cycles(t);
}

// From a request to its data, or from data to their place.
double Estimate::latency() const {
  constexpr double kAccess =
      50;  // ns: activate, access and burst of the standards in configs/dram, rounded up
  const config::Dram& dram = machine_.dram;
  return (dram.latency_ns + (dram.model == config::DramModel::commands ? kAccess : 0)) * machine_.clock_ghz;
}

// From the last pass over a block to its sums in DRAM.
double Estimate::store_cycles(const Tiling& t) const {
  return wave() + latency() + 4.0 * t.rows * t.cols / bytes_per_cycle_;
}

// Parts of a block's columns lie between each other in DRAM: each store waits for the one before, and decode
// with it.
double Estimate::divided_store_cycles(const Tiling& t) const {
  const Parts parts = map_.parts_of(t.rows, t.cols);
  if (parts.of_rows || parts.count < 2) return 0;
  const double count = blocks(x_.rows, t.rows) * blocks(w_.rows, t.cols);
  return count * (parts.count - 1) * (latency() + 4.0 * t.rows * parts.length / bytes_per_cycle_);
}

// A block of the operand that stays is loaded over the one before, chunk by chunk when the last pass has left
// it.
double Estimate::replace_cycles(const Tiling& t) const {
  if (t.stays == Stays::none) return 0;
  const bool x = t.stays == Stays::x;
  const double outer = x ? blocks(x_.rows, t.rows) : blocks(w_.rows, t.cols);
  const std::uint64_t chunk =
      x ? t.rows * row_bytes(x_.format, t.depth) : t.cols * row_bytes(w_.format, t.depth);
  return (outer - 1) * (wave() + latency() + static_cast<double>(chunk) / bytes_per_cycle_);
}

double Estimate::dram_bytes(const Tiling& t) const {
  const std::uint64_t line = line_bytes(machine_.dram);
  const double row_blocks = blocks(x_.rows, t.rows), column_blocks = blocks(w_.rows, t.cols);
  const StoredMatrix sums{{}, Format::f32, x_.rows, w_.rows};
  return moved(x_, t.depth, line) * (t.stays == Stays::x ? 1 : column_blocks) +
         moved(w_, t.depth, line) * (t.stays == Stays::w ? 1 : row_blocks) + moved(sums, t.cols, line) +
         row_blocks * column_blocks * (blocks(w_.cols, t.depth) * words(t) + 1) * isa::kWordBytes;
}

// Words of a chunk: passes straight, then loops.
double Estimate::words(const Tiling& t) const {
  const std::uint32_t rows = map_.x_held ? t.cols : t.rows, columns = map_.x_held ? t.rows : t.cols;
  const double passes =
      blocks(rows, map_.most_rows) * blocks(columns, map_.columns) * blocks(t.depth, map_.pass);
  constexpr double kLoops = 3, kLoads = 2;
  return std::min(passes, t.straight + kLoops) * (map_.holds_tile ? 2 : 1) + kLoads;
}

// As sim/machine/matrix/README.md has them.
double Estimate::pass_cycles(std::uint32_t rows, std::uint32_t depth) const {
  const config::Matrix& a = machine_.matrix;
  if (!map_.holds_tile) return depth * step_ + (a.back_to_back ? 0 : wave());
  const Format moving = map_.x_held ? w_.format : x_.format, held = map_.x_held ? x_.format : w_.format;
  const auto accesses = [depth](Format f, std::uint32_t port) {
    return static_cast<double>(ceil_div(row_part(f, 0, depth).bytes, port));
  };
  const double entered =
      rows * std::max(step_, accesses(moving, a.moving_port_bytes)) + (a.back_to_back ? 0 : wave());
  const bool dot = a.dataflow == config::Dataflow::dot_product;
  const double changed = dot ? 1 : std::max(1.0, wave() / step_ * (step_ - 1));
  const double preload = a.columns * accesses(held, a.stationary_port_bytes);
  if (!a.double_buffered) return entered + wave() + preload;
  const double folds = static_cast<double>(ceil_div(depth, map_.group)) * a.scale_latency_cycles;
  return std::max({entered, changed + preload, map_.group == 1 ? 0 : folds});
}

// All k of one piece of the moving rows over one tile.
double Estimate::piece_cycles(const Tiling& t, std::uint32_t rows) const {
  const std::uint32_t most = map_.holds_tile ? map_.pass : std::min(map_.pass, t.depth);
  const std::uint32_t whole = w_.cols / most, rest = w_.cols % most;
  return whole * pass_cycles(rows, most) + (rest != 0 ? pass_cycles(rows, rest) : 0);
}

double Estimate::array_cycles(const Tiling& t) const {
  const std::uint32_t moving = map_.x_held ? w_.rows : x_.rows, held = map_.x_held ? x_.rows : w_.rows;
  const std::uint32_t block = map_.x_held ? t.cols : t.rows, columns = map_.x_held ? t.rows : t.cols;
  // A block's rows in pieces, then those of the last block.
  const auto of_rows = [&](std::uint32_t rows) {
    const std::uint32_t most = std::min(rows, map_.most_rows), rest = rows % most;
    return rows / most * piece_cycles(t, most) + (rest != 0 ? piece_cycles(t, rest) : 0);
  };
  // Parts side by side in the arrays, then the rest in one of them.
  const auto of_part = [&](double m, double n) {
    if (m == 0 || n == 0) return 0.0;
    const double held_part = map_.x_held ? m : n, moving_part = map_.x_held ? n : m;
    return std::ceil(held_part / map_.columns) * of_rows(static_cast<std::uint32_t>(moving_part));
  };
  const auto of_block = [&](std::uint32_t rows) {
    const std::uint32_t m = map_.x_held ? columns : rows, n = map_.x_held ? rows : columns;
    const Parts parts = map_.parts_of(m, n);
    const std::uint32_t done = parts.count * parts.length;
    if (parts.of_rows) return of_part(parts.length, n) + of_part(m - done, n);
    return (parts.count == 0 ? 0 : of_part(m, parts.length)) + of_part(m, n - done);
  };
  const std::uint32_t last = moving % block;
  return blocks(held, columns) * (moving / block * of_block(block) + (last != 0 ? of_block(last) : 0));
}

}  // namespace tokencycle::compiler
