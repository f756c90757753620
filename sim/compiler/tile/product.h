// SPDX-License-Identifier: Apache-2.0
// One matrix product whose operands are in local memory, as the instructions of the array's dataflow.
#pragma once

#include "compiler/emit/builder.h"
#include "compiler/emit/operations.h"

namespace tokencycle::compiler {

// acc[m][n] (+)= sum over k of x[m][k] * w[n][k] for m < rows, n < cols, k < depth.
struct Product {
  Rows x;                       // moving rows as encoded; k = 0 is the start of a group
  Rows w;                       // stationary: order nk rows of n, order kn rows of k
  Format format = Format::f32;  // of w; x is in activation_format(format)
  isa::TileOrder order = isa::TileOrder::nk;
  Rows sums;  // accumulator memory
  std::uint32_t rows = 0, cols = 0, depth = 0;
  bool first = true;           // the sums start from zero
  std::uint32_t straight = 0;  // passes before the first loop, where loads find places; what is deferred
                               // stands behind them
};

// Emits the passes that map_product() gives: moving rows outside, then tiles, k inside and ascending; three
// or more equal iterations are a hardware loop. Uses address registers r1 (tile), r2 (moving rows), r3
// (sums), which are zero before and after.
void emit_product(Builder& builder, const config::Matrix& array, const Product& product);

// Products that differ in addresses alone, side by side: a pass of each in turn, so that as
// many matrix units have one each. Their sums must not interleave. An output-stationary array does one
// product after the other, whose tiles go to its units in turn.
void emit_products(Builder& builder, const config::Matrix& array, const std::vector<Product>& products);

}  // namespace tokencycle::compiler
