// SPDX-License-Identifier: Apache-2.0
#include "compiler/product.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::TileOrder;

constexpr std::uint8_t kStationary = 1, kMoving = 2, kSums = 3;  // address registers
constexpr std::uint32_t kWorthLooping = 3;                       // iterations
constexpr std::uint32_t kRowLimit = (1u << 16) - 1;

class Tiler {
 public:
  Tiler(Builder& builder, const config::Matrix& array, const Product& product)
      : builder_(builder), p_(product), array_rows_(array.rows), columns_(array.columns) {
    unit_ = std::max(array.rows / kBlock, 1u) * kBlock;
    const auto element = block_bytes(p_.format);
    n_step_ =
        p_.order == TileOrder::nk ? std::uint64_t{p_.w.stride} * columns_ : std::uint64_t{element} * columns_;
    w_step_ = p_.order == TileOrder::nk ? row_bytes(p_.format, unit_) : std::uint64_t{p_.w.stride} * unit_;
    x_step_ = row_bytes(activation_format(p_.format), unit_);
  }

  // Tiles of n: whole ones, then the ragged one.
  void tiles() {
    const std::uint32_t whole = p_.cols / columns_, rest = p_.cols % columns_;
    if (whole >= kWorthLooping) {
      const std::uint32_t at = builder_.begin_loop();
      units(0, columns_);
      builder_.end_loop(at, whole, {kStationary, static_cast<std::int32_t>(n_step_)},
                        {kSums, static_cast<std::int32_t>(columns_ * 4)});
    } else {
      for (std::uint32_t t = 0; t < whole; ++t) units(t, columns_);
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
      builder_.end_loop(at, whole - u, {kStationary, static_cast<std::int32_t>(w_step_)},
                        {kMoving, static_cast<std::int32_t>(x_step_)});
      u = whole;
    }
    for (; u < whole; ++u) unit(t, cols, u, unit_, true);
    if (rest != 0) unit(t, cols, whole, rest, whole > 0 || !p_.first);
  }

  // k values [u * unit, + depth) of tile t: one pass of whole groups, or the passes of one group in an
  // array with fewer rows than a group.
  void unit(std::uint32_t t, std::uint32_t cols, std::uint32_t u, std::uint32_t depth, bool accumulate) {
    const std::uint32_t pass = array_rows_ < kBlock ? array_rows_ : unit_;
    const Rows w = p_.w + (t * n_step_ + u * w_step_);
    const Rows x = p_.x + u * x_step_;
    for (std::uint32_t k = 0; k < depth; k += pass) {
      const std::uint32_t part = std::min(pass, depth - k);
      preload(w, cols, k, part);
      Instruction i;
      i.op = Opcode::multiply;
      i.a = x.at;
      i.a_reg = kMoving;
      i.a_stride = x.stride;
      i.a_format = activation_format(p_.format);
      i.k_offset = k;
      i.dst = p_.sums.at + t * columns_ * 4;
      i.dst_reg = kSums;
      i.dst_stride = p_.sums.stride;
      i.rows = p_.rows;
      i.cols = cols;
      i.depth = part;
      i.swap = true;
      i.accumulate = accumulate;
      i.open = k == 0;
      i.close = k + part == depth;
      builder_.emit(i);
    }
  }

  void preload(Rows w, std::uint32_t cols, std::uint32_t k, std::uint32_t depth) {
    Instruction i;
    i.op = Opcode::preload;
    i.a = p_.order == TileOrder::nk ? w.at : w.at + k * w.stride;
    i.a_reg = kStationary;
    i.a_stride = w.stride;
    i.a_format = p_.format;
    i.order = p_.order;
    i.k_offset = k;
    i.rows = depth;
    i.cols = cols;
    builder_.emit(i);
  }

  Builder& builder_;
  Product p_;
  std::uint32_t array_rows_, columns_;
  std::uint32_t unit_ = 0;                              // k values between two steps of the loop over k
  std::uint64_t n_step_ = 0, w_step_ = 0, x_step_ = 0;  // bytes
};

}  // namespace

void emit_product(Builder& builder, const config::Matrix& array, const Product& product) {
  // Unfinished group sums wait in a buffer of limited rows when a group takes several passes.
  const bool several_passes = array.rows < std::min(kBlock, product.depth);
  const std::uint32_t most = several_passes ? std::min(array.group_buffer_rows, kRowLimit) : kRowLimit;
  for (std::uint32_t m = 0; m < product.rows; m += most) {
    Product part = product;
    part.x = product.x + std::uint64_t{m} * product.x.stride;
    part.sums = product.sums + std::uint64_t{m} * product.sums.stride;
    part.rows = std::min(most, product.rows - m);
    Tiler(builder, array, part).tiles();
  }
}

}  // namespace tokencycle::compiler
