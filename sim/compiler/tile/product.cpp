// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/product.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "compiler/tile/mapping.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::LoopStep;
using isa::TileOrder;

constexpr std::uint8_t kTileRegister = 1, kMovingRegister = 2, kSumsRegister = 3;  // address registers

LoopStep step(std::uint8_t reg, std::uint64_t bytes) {
  return {reg, static_cast<std::int32_t>(bytes)};
}

// Iterations straight, one behind the other, or as hardware loops.
class Nest {
 public:
  Nest(Builder& builder, std::uint32_t straight) : builder_(builder), straight_left_(straight) {}

  // body(i) emits iteration i; a loop's body is emitted once, and the registers do the rest.
  template <class Body>
  void repeat(std::uint32_t count, std::initializer_list<LoopStep> steps, const Body& body) {
    std::uint32_t i = 0;
    while (i < count && (standing() || count - i < kWorthLooping)) body(i++);
    if (i == count) return;
    const std::uint32_t at = builder_.begin_loop();
    body(i);
    builder_.end_loop(at, count - i, steps);
  }

  void passed() {
    if (standing() && --straight_left_ == 0) builder_.flush();
  }

 private:
  bool standing() const { return straight_left_ > 0 && !builder_.in_loop(); }

  Builder& builder_;
  std::uint32_t straight_left_;
};

// A product as the array that holds tiles sees it: tiles of one operand, `count` columns in all, against
// `rows` moving rows of the other. Sums of a moving row lie along a row of the product, or down a column.
struct TiledProduct {
  Rows tile, moving, sums;
  Format tile_format = Format::f32, moving_format = Format::f32;
  TileOrder order = TileOrder::nk;
  std::uint32_t count = 0, rows = 0, depth = 0;
  bool first = true;
};

class Tiler {
 public:
  Tiler(Builder& builder, Nest& nest, const Mapping& map, std::vector<TiledProduct> products)
      : builder_(builder), nest_(nest), map_(map), all_(std::move(products)), p_(all_.front()) {
    const std::uint64_t column = p_.order == TileOrder::nk ? p_.tile.stride : block_bytes(p_.tile_format);
    column_step_ = column * map_.columns;
    tile_step_ = p_.order == TileOrder::nk ? row_bytes(p_.tile_format, map_.unit)
                                           : std::uint64_t{p_.tile.stride} * map_.unit;
    moving_step_ = row_bytes(p_.moving_format, map_.unit);
    sums_step_ = std::uint64_t{map_.columns} * (map_.x_held ? p_.sums.stride : 4);
    row_step_ = map_.x_held ? 4 : p_.sums.stride;
  }

  // As many moving rows as a pass takes, then the rest.
  void run() {
    const std::uint32_t most = map_.most_rows, whole = p_.rows / most, rest = p_.rows % most;
    nest_.repeat(whole,
                 {step(kMovingRegister, std::uint64_t{most} * p_.moving.stride),
                  step(kSumsRegister, most * row_step_)},
                 [&](std::uint32_t part) { tiles(part * most, most); });
    if (rest != 0) tiles(whole * most, rest);
  }

 private:
  // Whole tiles, then the ragged one.
  void tiles(std::uint32_t first_row, std::uint32_t rows) {
    first_row_ = first_row;
    rows_ = rows;
    const std::uint32_t whole = p_.count / map_.columns, rest = p_.count % map_.columns;
    nest_.repeat(whole, {step(kTileRegister, column_step_), step(kSumsRegister, sums_step_)},
                 [&](std::uint32_t t) { units(t, map_.columns); });
    if (rest != 0) units(whole, rest);
  }

  // All k of tile t: the first unit apart when it starts the sums, whole units, then the ragged one.
  void units(std::uint32_t t, std::uint32_t cols) {
    const std::uint32_t whole = p_.depth / map_.unit, rest = p_.depth % map_.unit;
    const std::uint32_t apart = p_.first && whole > 0 ? 1 : 0;
    if (apart != 0) unit(t, cols, 0, map_.unit, true);
    nest_.repeat(whole - apart, {step(kTileRegister, tile_step_), step(kMovingRegister, moving_step_)},
                 [&](std::uint32_t u) { unit(t, cols, apart + u, map_.unit, false); });
    if (rest != 0) unit(t, cols, whole, rest, p_.first && whole == 0);
  }

  // k values [u * unit, + depth) of tile t: passes of whole groups, or the passes of one group after the
  // other in an array with fewer rows than a group.
  void unit(std::uint32_t t, std::uint32_t cols, std::uint32_t u, std::uint32_t depth, bool first) {
    for (std::uint32_t k = 0; k < depth;) {
      Pass pass = pass_of(map_, k, depth);
      pass.rows = rows_;
      pass.cols = cols;
      pass.first = first && k < map_.group;
      for (const TiledProduct& p : all_) emit_pass(p, pass, t, u);
      k += pass.depth;
    }
  }

  void emit_pass(const TiledProduct& p, const Pass& pass, std::uint32_t t, std::uint32_t u) {
    const Rows moving = p.moving + (u * moving_step_ + std::uint64_t{first_row_} * p.moving.stride);
    const Rows sums = p.sums + first_row_ * row_step_;
    preload(pass, p.tile + (t * column_step_ + u * tile_step_));
    Instruction i = multiply_pass(map_, pass, p.moving_format);
    i.a = moving.at;
    i.a_reg = kMovingRegister;
    i.a_stride = moving.stride;
    i.dst = sums.at + static_cast<std::uint32_t>(t * sums_step_);
    i.dst_reg = kSumsRegister;
    i.dst_stride = sums.stride;
    builder_.emit(i);
    nest_.passed();
  }

  void preload(const Pass& pass, Rows tile) {
    Instruction i = preload_pass(pass, p_.tile_format, p_.order);
    i.a = p_.order == TileOrder::nk ? tile.at : tile.at + pass.k * tile.stride;
    i.a_reg = kTileRegister;
    i.a_stride = tile.stride;
    builder_.emit(i);
  }

  Builder& builder_;
  Nest& nest_;
  const Mapping& map_;
  const std::vector<TiledProduct> all_;  // side by side
  const TiledProduct& p_;                // the first of them
  std::uint64_t column_step_ = 0, tile_step_ = 0, moving_step_ = 0, sums_step_ = 0, row_step_ = 0;  // bytes
  std::uint32_t first_row_ = 0, rows_ = 0;  // the moving rows at hand
};

// The weight lies in the array and activations move, or the other way round: a row of the weight makes a
// column of sums.
TiledProduct tiled(const Mapping& map, const Product& p) {
  const Format x = activation_format(p.format);
  if (map.x_held) return {p.x, p.w, p.sums, x, p.format, TileOrder::nk, p.rows, p.cols, p.depth, p.first};
  return {p.w, p.x, p.sums, p.format, x, p.order, p.cols, p.rows, p.depth, p.first};
}

// The sums stay in the array, rows x columns of them at once; both operands stream through.
class Streamer {
 public:
  Streamer(Builder& builder, Nest& nest, const Mapping& map, const Product& product)
      : builder_(builder), nest_(nest), map_(map), p_(product) {
    const std::uint64_t column = p_.order == TileOrder::nk ? p_.w.stride : block_bytes(p_.format);
    column_step_ = column * map_.columns;
  }

  void run() {
    const std::uint32_t most = map_.most_rows, whole = p_.rows / most, rest = p_.rows % most;
    nest_.repeat(whole,
                 {step(kMovingRegister, std::uint64_t{most} * p_.x.stride),
                  step(kSumsRegister, std::uint64_t{most} * p_.sums.stride)},
                 [&](std::uint32_t part) { band(part * most, most); });
    if (rest != 0) band(whole * most, rest);
  }

 private:
  // All columns of some rows, over some k at a time: whole tiles, then the ragged one.
  void band(std::uint32_t m, std::uint32_t rows) {
    for (std::uint32_t k = 0; k < p_.depth; k += map_.pass) {
      const std::uint32_t depth = std::min(map_.pass, p_.depth - k);
      const std::uint32_t whole = p_.cols / map_.columns, rest = p_.cols % map_.columns;
      nest_.repeat(whole,
                   {step(kTileRegister, column_step_), step(kSumsRegister, std::uint64_t{map_.columns} * 4)},
                   [&](std::uint32_t t) { tile(m, rows, k, depth, t, map_.columns); });
      if (rest != 0) tile(m, rows, k, depth, whole, rest);
    }
  }

  void tile(std::uint32_t m, std::uint32_t rows, std::uint32_t k, std::uint32_t depth, std::uint32_t t,
            std::uint32_t cols) {
    const Rows x = p_.x + (std::uint64_t{m} * p_.x.stride + row_bytes(activation_format(p_.format), k));
    const std::uint64_t w_offset =
        p_.order == TileOrder::nk ? row_bytes(p_.format, k) : std::uint64_t{k} * p_.w.stride;
    const Rows w = p_.w + (w_offset + t * column_step_);
    const Rows sums =
        p_.sums + (std::uint64_t{m} * p_.sums.stride + std::uint64_t{t} * map_.columns * std::uint64_t{4});
    Pass pass;
    pass.rows = rows;
    pass.cols = cols;
    pass.depth = depth;
    pass.first = k == 0 && p_.first;
    Instruction i = matmul_pass(pass, p_.format, p_.order);
    i.a = x.at;
    i.a_reg = kMovingRegister;
    i.a_stride = x.stride;
    i.b = w.at;
    i.b_reg = kTileRegister;
    i.b_stride = w.stride;
    i.dst = sums.at;
    i.dst_reg = kSumsRegister;
    i.dst_stride = sums.stride;
    builder_.emit(i);
    nest_.passed();
  }

  Builder& builder_;
  Nest& nest_;
  const Mapping& map_;
  const Product& p_;
  std::uint64_t column_step_;  // bytes
};

}  // namespace

void emit_product(Builder& builder, const config::Matrix& array, const Product& product) {
  const Mapping map = map_product(array, product.format, product.order, product.depth);
  Nest nest(builder, product.straight);
  if (map.holds_tile) {
    Tiler(builder, nest, map, {tiled(map, product)}).run();
  } else {
    Streamer(builder, nest, map, product).run();
  }
}

void emit_products(Builder& builder, const config::Matrix& array, const std::vector<Product>& products) {
  const Product& first = products.front();
  const Mapping map = map_product(array, first.format, first.order, first.depth);
  if (!map.holds_tile) {
    for (const Product& product : products) emit_product(builder, array, product);
    return;
  }
  std::vector<TiledProduct> all;
  for (const Product& product : products) all.push_back(tiled(map, product));
  Nest nest(builder, first.straight);
  Tiler(builder, nest, map, std::move(all)).run();
}

}  // namespace tokencycle::compiler
