// SPDX-License-Identifier: Apache-2.0
// A linear as blocks of sums and chunks of k: the weight streams from DRAM, and its rows do, or are in the
// scratchpad.
#pragma once

#include <functional>

#include "compiler/tile/product.h"
#include "compiler/tile/tiling.h"

namespace tokencycle::compiler {

// Sums of rows [first_row, first_row + rows), columns [first, first + cols). The sink emits the instructions
// that consume them, each executed once; it runs later than the products, in another place of the program.
struct Sums {
  Rows at;
  std::uint32_t first_row = 0, rows = 0;
  std::uint32_t first = 0, cols = 0;
};
using SumsSink = std::function<void(const Sums&)>;

// What is multiplied with the weight: all rows in the scratchpad, or in DRAM.
struct LinearRows {
  Rows resident;                       // in activation_format(weight.format)
  std::optional<StoredMatrix> stored;  // in that format, too
};

// The last sink may stay deferred in the builder.
void emit_linear(Builder& builder, const config::Matrix& array, const Tiling& tiling,
                 const StoredMatrix& weight, const LinearRows& x, const SumsSink& sink);

}  // namespace tokencycle::compiler
