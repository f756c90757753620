// SPDX-License-Identifier: Apache-2.0
#include "compiler/tile/linear.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

// [begin, end) of rows, columns or k.
struct Span {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t count() const { return end - begin; }
};

Span span_of(std::uint32_t index, std::uint32_t length, std::uint32_t all) {
  return {index * length, std::min(all, (index + 1) * length)};
}

class Linear {
 public:
  Linear(Builder& builder, const config::Matrix& array, const Tiling& tiling, const StoredMatrix& weight,
         const LinearRows& x, const SumsSink& sink)
      : builder_(builder), array_(array), t_(tiling), w_(weight), x_(x), sink_(sink) {
    rows_ = x.stored ? x.stored->rows : tiling.rows;
    chunks_ = static_cast<std::uint32_t>(ceil_div(w_.cols, t_.depth));
  }

  // The blocks of the operand that stays outside.
  void run() {
    const auto row_blocks = static_cast<std::uint32_t>(ceil_div(rows_, t_.rows));
    const auto column_blocks = static_cast<std::uint32_t>(ceil_div(w_.rows, t_.cols));
    const bool columns_outside = t_.stays == Stays::w;
    const std::uint32_t outer = columns_outside ? column_blocks : row_blocks;
    const std::uint32_t inner = columns_outside ? row_blocks : column_blocks;
    kept_at_ = builder_.narrow_ring(t_.kept_bytes);
    for (std::uint32_t o = 0; o < outer; ++o) {
      for (std::uint32_t i = 0; i < inner; ++i) {
        const std::uint32_t m = columns_outside ? i : o, n = columns_outside ? o : i;
        block(span_of(m, t_.rows, rows_), span_of(n, t_.cols, w_.rows), i == 0, i + 1 == inner);
      }
    }
    builder_.widen_ring();
  }

 private:
  // One block of sums, the first or the last with what stays.
  void block(Span m, Span n, bool first, bool last) {
    const std::vector<Sums> sums = divide(m, n);
    if (first) kept_.assign(chunks_, {});
    for (std::uint32_t c = 0; c < chunks_; ++c) {
      const Span k = span_of(c, t_.depth, w_.cols);
      const auto [x, w] = load(m, n, k, c, first);
      multiply(sums, m, n, x, w, k.count(), c == 0);
      for (const std::size_t chunk : streamed_) builder_.release(chunk);
      if (!last) continue;
      for (const std::size_t chunk : kept_[c]) builder_.release(chunk);
    }
    builder_.defer([sink = sink_, sums] {
      for (const Sums& part : sums) sink(part);
    });
  }

  // A block as one part or, for several matrix units, as equal parts and what is left. Parts of the rows lie
  // apart in both memories; parts of the columns, taken where there are few rows, do so in the accumulator
  // memory alone.
  std::vector<Sums> divide(Span m, Span n) const {
    const Mapping map = map_product(array_, w_.format, isa::TileOrder::nk, w_.cols);
    const Parts parts = map.parts_of(m.count(), n.count());
    const isa::LocalAddress at = builder_.next_half();
    std::vector<Sums> sums;
    std::uint64_t before = 0;  // bytes
    const auto add = [&](Span rows, Span cols) {
      if (rows.count() == 0 || cols.count() == 0) return;
      sums.push_back(
          {Rows{at, cols.count() * 4} + before, rows.begin, rows.count(), cols.begin, cols.count()});
      before += std::uint64_t{rows.count()} * cols.count() * 4;
    };
    const auto piece = [&parts](Span of, std::uint32_t i) {
      return i < parts.count ? Span{of.begin + i * parts.length, of.begin + (i + 1) * parts.length}
                             : Span{of.begin + parts.count * parts.length, of.end};
    };
    for (std::uint32_t i = 0; i <= parts.count; ++i)
      add(parts.of_rows ? piece(m, i) : m, parts.of_rows ? n : piece(n, i));
    return sums;
  }

  void multiply(const std::vector<Sums>& parts, Span m, Span n, const Rows& x, const Rows& w,
                std::uint32_t depth, bool first) {
    std::vector<Product> equal;
    for (const Sums& part : parts) {
      const bool like = equal.empty() || (equal.front().cols == part.cols && equal.front().rows == part.rows);
      if (!like) {
        emit_products(builder_, array_, equal);
        equal.clear();
      }
      equal.push_back({x + (part.first_row - m.begin) * std::uint64_t{x.stride},
                       w + (part.first - n.begin) * std::uint64_t{w.stride}, w_.format, isa::TileOrder::nk,
                       part.at, part.rows, part.cols, depth, first, t_.straight});
    }
    emit_products(builder_, array_, equal);
  }

  // Where the chunk's operands are, of those that stream in the ring's next bytes.
  std::pair<Rows, Rows> load(Span m, Span n, Span k, std::uint32_t c, bool first) {
    streamed_.clear();
    const std::uint64_t w_row = row_bytes(w_.format, k.count());
    if (!x_.stored) {
      const Rows x = x_.resident + row_bytes(activation_format(w_.format), k.begin);
      const std::uint32_t at = builder_.ring(n.count() * w_row);
      fetch(w_, n, k, at, streamed_);
      return {x, scratchpad_rows(at, w_row)};
    }
    const std::uint64_t x_row = row_bytes(x_.stored->format, k.count());
    const std::uint64_t x_bytes = t_.stays == Stays::x ? 0 : round_up(m.count() * x_row, kAlignment);
    const std::uint64_t w_bytes = t_.stays == Stays::w ? 0 : n.count() * w_row;
    const std::uint32_t ring = builder_.ring(x_bytes + w_bytes), kept = kept_at_ + c * kept_chunk();
    const std::uint32_t x_at = t_.stays == Stays::x ? kept : ring;
    const std::uint32_t w_at = t_.stays == Stays::w ? kept : ring + static_cast<std::uint32_t>(x_bytes);
    if (t_.stays != Stays::x) fetch(*x_.stored, m, k, x_at, streamed_);
    if (t_.stays == Stays::x && first) fetch(*x_.stored, m, k, x_at, kept_[c]);
    if (t_.stays != Stays::w) fetch(w_, n, k, w_at, streamed_);
    if (t_.stays == Stays::w && first) fetch(w_, n, k, w_at, kept_[c]);
    return {scratchpad_rows(x_at, x_row), scratchpad_rows(w_at, w_row)};
  }

  std::uint32_t kept_chunk() const { return static_cast<std::uint32_t>(t_.kept_bytes / chunks_); }

  void fetch(const StoredMatrix& matrix, Span rows, Span k, std::uint32_t at,
             std::vector<std::size_t>& chunks) {
    const std::uint64_t stride = row_bytes(matrix.format, matrix.cols);
    const std::uint64_t bytes = row_bytes(matrix.format, k.count());
    const DramAddress from = matrix.at + (rows.begin * stride + row_bytes(matrix.format, k.begin));
    isa::Instruction load = load_rows(at, from, stride, rows.count(), bytes);
    load.dram_reg = matrix.reg;
    chunks.push_back(builder_.hold(load));
  }

  Builder& builder_;
  const config::Matrix& array_;
  const Tiling& t_;
  const StoredMatrix& w_;
  const LinearRows& x_;
  const SumsSink& sink_;
  std::uint32_t rows_ = 0, chunks_ = 0;
  std::uint32_t kept_at_ = 0;                   // scratchpad byte
  std::vector<std::size_t> streamed_;           // chunks that only the product at hand reads
  std::vector<std::vector<std::size_t>> kept_;  // chunks of the operand that stays, by chunk of k
};

}  // namespace

void emit_linear(Builder& builder, const config::Matrix& array, const Tiling& tiling,
                 const StoredMatrix& weight, const LinearRows& x, const SumsSink& sink) {
  Linear(builder, array, tiling, weight, x, sink).run();
}

}  // namespace tokencycle::compiler
