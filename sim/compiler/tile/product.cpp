// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/product.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::TileOrder;

constexpr std::uint8_t kTileRegister = 1, kMovingRegister = 2, kSumsRegister = 3;  // address registers

// A limit that the description may leave to us.
std::uint32_t limited(std::uint32_t most, std::uint32_t forced) {
  return forced == 0 ? most : std::min(most, forced);
}

// A product as the array that holds tiles sees it: tiles of one operand, `count` columns in all, against
// `rows` moving rows of the other. Sums of a moving row lie along a row of the product, or down a column.
struct TiledProduct {
  Rows tile, moving, sums;
  Format tile_format = Format::f32, moving_format = Format::f32;
  TileOrder order = TileOrder::nk;
  std::uint32_t count = 0, rows = 0, depth = 0;
  bool transposed = false, first = true;
  std::uint32_t columns = 0;  // of a tile
  std::uint32_t k = 0;        // most k values of a pass
  std::uint32_t group = 0;    // k values that are summed before a scale applies
  std::uint32_t cut = 0;      // k values at whose multiples both operands can be cut
  std::uint32_t most_rows = 0;
};

class Tiler {
 public:
  Tiler(Builder& builder, const TiledProduct& product) : builder_(builder), p_(product) {
    unit_ = std::max(p_.k / p_.cut, 1u) * p_.cut;
    const std::uint64_t column = p_.order == TileOrder::nk ? p_.tile.stride : block_bytes(p_.tile_format);
    column_step_ = column * p_.columns;
    tile_step_ =
        p_.order == TileOrder::nk ? row_bytes(p_.tile_format, unit_) : std::uint64_t{p_.tile.stride} * unit_;
    moving_step_ = row_bytes(p_.moving_format, unit_);
    sums_step_ = std::uint64_t{p_.columns} * (p_.transposed ? p_.sums.stride : 4);
  }

  // Whole tiles, then the ragged one.
  void tiles() {
    const std::uint32_t whole = p_.count / p_.columns, rest = p_.count % p_.columns;
    if (whole >= kWorthLooping) {
      const std::uint32_t at = builder_.begin_loop();
      units(0, p_.columns);
      builder_.end_loop(at, whole, {kTileRegister, static_cast<std::int32_t>(column_step_)},
                        {kSumsRegister, static_cast<std::int32_t>(sums_step_)});
    } else {
      for (std::uint32_t t = 0; t < whole; ++t) units(t, p_.columns);
    }
    if (rest != 0) units(whole, rest);
  }

 private:
  // All k of tile t: the first unit apart when it starts the sums, whole units, then the ragged one.
  void units(std::uint32_t t, std::uint32_t cols) {
    const std::uint32_t whole = p_.depth / unit_, rest = p_.depth % unit_;
    std::uint32_t u = 0;
    if (p_.first && whole > 0) unit(t, cols, u++, unit_, false);
    if (whole - u >= kWorthLooping) {
      const std::uint32_t at = builder_.begin_loop();
      unit(t, cols, u, unit_, true);
      builder_.end_loop(at, whole - u, {kTileRegister, static_cast<std::int32_t>(tile_step_)},
                        {kMovingRegister, static_cast<std::int32_t>(moving_step_)});
      u = whole;
    }
    for (; u < whole; ++u) unit(t, cols, u, unit_, true);
    if (rest != 0) unit(t, cols, whole, rest, whole > 0 || !p_.first);
  }

  // k values [u * unit, + depth) of tile t: passes of whole groups, or the passes of one group after the
  // other in an array with fewer rows than a group.
  void unit(std::uint32_t t, std::uint32_t cols, std::uint32_t u, std::uint32_t depth, bool accumulate) {
    const std::uint32_t whole = std::min(p_.k / p_.group * p_.group, unit_);
    const Rows tile = p_.tile + (t * column_step_ + u * tile_step_);
    const Rows moving = p_.moving + u * moving_step_;
    for (std::uint32_t k = 0; k < depth;) {
      const std::uint32_t in_group = k % p_.group, group_end = k - in_group + p_.group;
      const std::uint32_t end = std::min(whole != 0 ? k + whole : std::min(k + p_.k, group_end), depth);
      preload(tile, cols, k, end - k);
      Instruction i;
      i.op = Opcode::multiply;
      i.a = moving.at;
      i.a_reg = kMovingRegister;
      i.a_stride = moving.stride;
      i.a_format = p_.moving_format;
      i.k_offset = k;
      i.dst = p_.sums.at + static_cast<std::uint32_t>(t * sums_step_);
      i.dst_reg = kSumsRegister;
      i.dst_stride = p_.sums.stride;
      i.rows = p_.rows;
      i.cols = cols;
      i.depth = end - k;
      i.swap = true;
      i.accumulate = accumulate || k >= p_.group;
      i.open = in_group == 0;
      i.close = end % p_.group == 0 || end == depth;
      i.transposed = p_.transposed;
      builder_.emit(i);
      k = end;
    }
  }

  void preload(Rows tile, std::uint32_t cols, std::uint32_t k, std::uint32_t depth) {
    Instruction i;
    i.op = Opcode::preload;
    i.a = p_.order == TileOrder::nk ? tile.at : tile.at + k * tile.stride;
    i.a_reg = kTileRegister;
    i.a_stride = tile.stride;
    i.a_format = p_.tile_format;
    i.order = p_.order;
    i.k_offset = k;
    i.rows = depth;
    i.cols = cols;
    builder_.emit(i);
  }

  Builder& builder_;
  TiledProduct p_;
  std::uint32_t unit_ = 0;  // k values between two steps of the loop over k
  std::uint64_t column_step_ = 0, tile_step_ = 0, moving_step_ = 0, sums_step_ = 0;  // bytes
};

// Unfinished group sums wait in a buffer of limited rows when a group takes several passes.
std::uint32_t most_moving_rows(const config::Matrix& array, std::uint32_t k, std::uint32_t group,
                               std::uint32_t depth) {
  return k < std::min(group, depth) ? std::min(array.group_buffer_rows, kRowLimit) : kRowLimit;
}

// The weight lies in the array and activations move.
TiledProduct hold_weight(const config::Matrix& array, const Product& p) {
  TiledProduct t{p.w, p.x, p.sums, p.format, activation_format(p.format), p.order, p.cols, p.rows, p.depth};
  t.first = p.first;
  t.k = limited(array.rows, array.tiling.k);
  t.columns = limited(array.columns, array.tiling.n);
  t.group = group_elements(p.format);
  t.cut = cut_elements(p.format);
  t.most_rows = limited(most_moving_rows(array, t.k, t.group, p.depth), array.tiling.m);
  return t;
}

// The activations lie in the array and the weight moves: a row of it makes a column of sums.
TiledProduct hold_input(const config::Matrix& array, const Product& p) {
  TiledProduct t{p.x,     p.w,  p.sums, activation_format(p.format), p.format, TileOrder::nk, p.rows, p.cols,
                 p.depth, true, p.first};
  t.k = limited(array.rows, array.tiling.k);
  t.columns = limited(array.columns, array.tiling.m);
  t.group = group_elements(p.format);
  t.cut = cut_elements(p.format);
  t.most_rows = limited(most_moving_rows(array, t.k, t.group, p.depth), array.tiling.n);
  return t;
}

void emit_tiled(Builder& builder, const TiledProduct& product) {
  for (std::uint32_t first = 0; first < product.rows; first += product.most_rows) {
    TiledProduct part = product;
    part.moving = product.moving + std::uint64_t{first} * product.moving.stride;
    part.sums = product.sums + std::uint64_t{first} * (product.transposed ? 4 : product.sums.stride);
    part.rows = std::min(product.most_rows, product.rows - first);
    Tiler(builder, part).tiles();
  }
}

// The sums stay in the array, rows x columns of them at once; both operands stream through.
class Streamer {
 public:
  Streamer(Builder& builder, const config::Matrix& array, const Product& product)
      : builder_(builder), p_(product) {
    rows_ = limited(array.rows, array.tiling.m);
    columns_ = limited(array.columns, array.tiling.n);
    const std::uint32_t cut = cut_elements(p_.format);
    depth_ = std::max(limited(kRowLimit, array.tiling.k) / cut * cut, cut);
    const std::uint64_t column = p_.order == TileOrder::nk ? p_.w.stride : block_bytes(p_.format);
    column_step_ = column * columns_;
  }

  void products() {
    for (std::uint32_t m = 0; m < p_.rows; m += rows_) {
      for (std::uint32_t k = 0; k < p_.depth; k += depth_) {
        band(m, k, std::min(rows_, p_.rows - m), std::min(depth_, p_.depth - k));
      }
    }
  }

 private:
  // All columns of some rows, over some k: whole tiles, then the ragged one.
  void band(std::uint32_t m, std::uint32_t k, std::uint32_t rows, std::uint32_t depth) {
    const std::uint32_t whole = p_.cols / columns_, rest = p_.cols % columns_;
    Instruction i;
    i.op = Opcode::matmul;
    const Rows x = p_.x + (std::uint64_t{m} * p_.x.stride + row_bytes(activation_format(p_.format), k));
    const std::uint64_t w_offset =
        p_.order == TileOrder::nk ? row_bytes(p_.format, k) : std::uint64_t{k} * p_.w.stride;
    const Rows w = p_.w + w_offset, sums = p_.sums + std::uint64_t{m} * p_.sums.stride;
    i.a = x.at;
    i.a_reg = kMovingRegister;
    i.a_stride = x.stride;
    i.b = w.at;
    i.b_reg = kTileRegister;
    i.b_stride = w.stride;
    i.b_format = p_.format;
    i.order = p_.order;
    i.dst = sums.at;
    i.dst_reg = kSumsRegister;
    i.dst_stride = sums.stride;
    i.rows = rows;
    i.cols = columns_;
    i.depth = depth;
    i.accumulate = k > 0 || !p_.first;
    if (whole >= kWorthLooping) {
      const std::uint32_t at = builder_.begin_loop();
      builder_.emit(i);
      builder_.end_loop(at, whole, {kTileRegister, static_cast<std::int32_t>(column_step_)},
                        {kSumsRegister, static_cast<std::int32_t>(columns_ * 4)});
      i.b = i.b + static_cast<std::uint32_t>(whole * column_step_);
      i.dst = i.dst + whole * columns_ * 4;
    } else {
      for (std::uint32_t t = 0; t < whole; ++t) {
        builder_.emit(i);
        i.b = i.b + static_cast<std::uint32_t>(column_step_);
        i.dst = i.dst + columns_ * 4;
      }
    }
    i.cols = rest;
    if (rest != 0) builder_.emit(i);
  }

  Builder& builder_;
  Product p_;
  std::uint32_t rows_, columns_, depth_;
  std::uint64_t column_step_;  // bytes
};

}  // namespace

void emit_product(Builder& builder, const config::Matrix& array, const Product& product) {
  switch (array.dataflow) {
    case config::Dataflow::weight_stationary:
      return emit_tiled(builder, hold_weight(array, product));
    case config::Dataflow::input_stationary:
    case config::Dataflow::dot_product:
      // Rows of k cannot move through the array, which takes a row's k values at once.
      return emit_tiled(
          builder, product.order == TileOrder::nk ? hold_input(array, product) : hold_weight(array, product));
    case config::Dataflow::output_stationary:
      return Streamer(builder, array, product).products();
  }
}

}  // namespace tokencycle::compiler
