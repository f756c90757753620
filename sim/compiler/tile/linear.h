// SPDX-License-Identifier: Apache-2.0
// A projection: activations times a weight that streams from DRAM, chunk by chunk.
#pragma once

#include <functional>

#include "compiler/tile/product.h"

namespace tokencycle::compiler {

// A matrix in DRAM as stored, rows x cols (n x k), row behind row: a weight or some rows of one.
struct StoredMatrix {
  DramAddress at;
  Format format = Format::f32;
  std::uint32_t rows = 0, cols = 0;
};

// The rectangle of a weight that one load brings, n x k.
struct ChunkShape {
  std::uint32_t n = 0, k = 0;
};
ChunkShape choose_chunk(const Demands& demands, const StoredMatrix& weight, std::uint32_t rows,
                        std::uint32_t chunk_bytes);

// Sums of the columns [first, first + cols) of every row. The sink emits the instructions that consume them,
// each executed once; it runs later than the products, in another place of the program.
struct Sums {
  Rows at;
  std::uint32_t first = 0, cols = 0;
};
using SumsSink = std::function<void(const Sums&)>;

// x: `rows` rows in activation_format(weight.format). The last sink may stay deferred in the builder.
void emit_matmul(Builder& builder, const Demands& demands, const config::Matrix& array,
                 std::uint32_t chunk_bytes, const StoredMatrix& weight, Rows x, std::uint32_t rows,
                 const SumsSink& sink);

}  // namespace tokencycle::compiler
