// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/linear.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

std::uint32_t round_down(std::uint64_t value, std::uint32_t unit) {
  return static_cast<std::uint32_t>(value / unit * unit);
}

}  // namespace

ChunkShape choose_chunk(const Demands& d, const StoredMatrix& w, std::uint32_t rows,
                        std::uint32_t chunk_bytes) {
  const std::uint32_t most = std::min({w.rows, d.accumulator_half / rows, kRowLimit});
  const std::uint32_t tile = std::min(d.columns, most);
  const std::uint64_t whole_rows = chunk_bytes / row_bytes(w.format, w.cols);
  if (whole_rows >= tile) {
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole_rows, most));
    return {n == w.rows || n < d.columns ? n : round_down(n, d.columns), w.cols};
  }
  // Not one tile of whole rows: cut k too, at pass borders if possible.
  const std::uint32_t cut = cut_elements(w.format), pass = std::max(d.pass_rows / cut, 1u) * cut;
  const std::uint64_t cut_bytes = row_bytes(w.format, std::min(cut, w.cols));
  const std::uint32_t k = round_down(chunk_bytes / tile / cut_bytes * cut, cut);
  if (k >= w.cols) return {tile, w.cols};
  if (k >= pass) return {tile, round_down(k, pass)};
  if (k >= cut) return {tile, k};
  return {static_cast<std::uint32_t>(std::max<std::uint64_t>(chunk_bytes / cut_bytes, 1)), cut};
}

void emit_matmul(Builder& builder, const Demands& d, const config::Matrix& array, std::uint32_t chunk_bytes,
                 const StoredMatrix& w, Rows x, std::uint32_t rows, const SumsSink& sink) {
  const ChunkShape shape = choose_chunk(d, w, rows, chunk_bytes);
  const std::uint64_t row = row_bytes(w.format, w.cols);
  for (std::uint32_t n = 0; n < w.rows; n += shape.n) {
    const std::uint32_t cols = std::min(shape.n, w.rows - n);
    const Rows sums{builder.next_half(), cols * 4};
    for (std::uint32_t k = 0; k < w.cols; k += shape.k) {
      const std::uint32_t depth = std::min(shape.k, w.cols - k);
      const std::uint64_t bytes = row_bytes(w.format, depth);
      const isa::Instruction load = load_rows(0, w.at + n * row + row_bytes(w.format, k), row, cols, bytes);
      const std::uint32_t at = builder.acquire(cols * bytes, &load);
      const Rows moving = x + row_bytes(activation_format(w.format), k);
      emit_product(builder, array,
                   {moving, scratchpad_rows(at, bytes), w.format, isa::TileOrder::nk, sums, rows, cols, depth,
                    k == 0});
      builder.release();
    }
    builder.defer([sink, sums, n, cols] { sink({sums, n, cols}); });
  }
}

}  // namespace tokencycle::compiler
