// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/multiply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "numerics/blocks.h"
#include "numerics/products.h"

namespace tokencycle::machine {

namespace {

// Calls `take` with each part of the pass in turn.
template <class Take>
void for_each_part(const isa::Instruction& multiply, std::uint32_t group, const Take& take) {
  std::uint32_t index = 0;
  for (std::uint32_t k = 0; k < multiply.depth; ++index) {
    const std::uint32_t to_border = group - (multiply.k_offset + k) % group;
    const std::uint32_t end = std::min(multiply.depth, k + to_border);
    const bool last = end == multiply.depth;
    take(index, GroupPart{k, end, k > 0 || multiply.open, !last || multiply.close});
    k = end;
  }
}

}  // namespace

std::vector<GroupPart> group_parts(const isa::Instruction& multiply, std::uint32_t group) {
  std::vector<GroupPart> parts;
  for_each_part(multiply, group, [&](std::uint32_t, const GroupPart& part) { parts.push_back(part); });
  return parts;
}

namespace {

void multiply_integers(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                       Format weight, GroupBuffer& buffer, MovingRows& x, float* term) {
  const std::uint32_t group = group_elements(weight), columns = multiply.cols;
  const bool minimum = row_of(weight).offset == Offset::minimum;
  x.q.resize(multiply.depth);
  x.integers.resize(multiply.depth);
  x.groups.resize(multiply.depth / group + 2);  // a part of one at each end
  x.sums.resize(columns);
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    unpack_row(multiply.a_format, moving.data() + std::size_t{m} * multiply.a_stride, multiply.k_offset,
               multiply.depth, group, x.q.data(), x.groups.data());
    widen(x.q.data(), multiply.depth, x.integers.data());
    for_each_part(multiply, group, [&](std::uint32_t index, const GroupPart& part) {
      std::int32_t* waiting = part.starts && part.closes ? nullptr : buffer.integers(m);
      std::int32_t* sums = part.closes || !part.starts ? x.sums.data() : waiting;
      dot_rows(x.integers.data() + part.begin, part.end - part.begin, tile.column(0) + part.begin,
               tile.column_stride(), columns, sums);
      if (!part.starts) {
        for (std::uint32_t n = 0; n < columns; ++n) sums[n] += waiting[n];
        if (!part.closes) std::copy_n(sums, columns, waiting);
      }
      if (!part.closes) return;
      const Tile::GroupColumns weights = tile.group_columns(index, group, x.joined);
      group_terms(x.groups[index], weights.scales, minimum ? weights.offsets : nullptr, sums, columns, term);
      term += columns;
    });
  }
}

// Whole groups of the moving rows' own length, whose sums go side by side into each column's row of dst:
// weights that pass a few rows of activations.
bool goes_by_column(const isa::Instruction& multiply, std::uint32_t group) {
  return multiply.transposed && multiply.open && multiply.close && is_scaled(multiply.a_format) &&
         group_elements(multiply.a_format) == group && multiply.k_offset % group == 0 &&
         multiply.depth % group == 0;
}

void multiply_by_column(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                        Format weight, MovingRows& x, float* terms) {
  constexpr std::uint32_t kMost = 64;  // rows at a time
  const std::uint32_t group = group_elements(weight), groups = multiply.depth / group, depth = multiply.depth;
  const bool minimum = row_of(weight).offset == Offset::minimum;
  x.integers.resize(std::size_t{multiply.cols} * depth);
  for (std::uint32_t n = 0; n < multiply.cols; ++n) {
    widen(tile.column(n), depth, x.integers.data() + std::size_t{n} * depth);
  }
  x.q.resize(std::size_t{kMost} * depth);
  x.scales.resize(std::size_t{kMost} * groups);
  x.offsets.resize(x.scales.size());
  x.sums.resize(kMost);
  for (std::uint32_t first = 0; first < multiply.rows; first += kMost) {
    const std::uint32_t rows = std::min(kMost, multiply.rows - first);
    const std::byte* bytes = moving.data() + std::size_t{first} * multiply.a_stride;
    unpack_groups(multiply.a_format, {bytes, multiply.a_stride, rows, multiply.k_offset / group, groups},
                  x.q.data(), x.scales.data(), x.offsets.data());
    for (std::uint32_t g = 0; g < groups; ++g) {
      const Tile::GroupColumns columns = tile.group_columns(g, group, x.joined);
      const float* offsets = minimum ? x.offsets.data() + std::size_t{g} * rows : nullptr;
      for (std::uint32_t n = 0; n < multiply.cols; ++n) {
        dot_rows(x.integers.data() + std::size_t{n} * depth + g * group, group, x.q.data() + g * group, depth,
                 rows, x.sums.data());
        group_terms({columns.scales[n], columns.offsets[n]}, x.scales.data() + std::size_t{g} * rows, offsets,
                    x.sums.data(), rows, terms + (std::size_t{n} * groups + g) * multiply.rows + first);
      }
    }
  }
}

// Integers without scales: one exact sum over the whole depth.
void multiply_unscaled(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                       MovingRows& x, std::int32_t* sums) {
  x.q.resize(multiply.depth);
  x.integers.resize(multiply.depth);
  for (std::uint32_t m = 0; m < multiply.rows; ++m, sums += multiply.cols) {
    const std::byte* row = moving.data() + std::size_t{m} * multiply.a_stride;
    integers_of_row(multiply.a_format, row, multiply.k_offset, multiply.depth, x.q.data());
    widen(x.q.data(), multiply.depth, x.integers.data());
    dot_rows(x.integers.data(), multiply.depth, tile.column(0), tile.column_stride(), multiply.cols, sums);
  }
}

void multiply_plain(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                    std::uint32_t group, GroupBuffer& buffer, MovingRows& x, float* term) {
  const std::uint32_t columns = multiply.cols;
  x.values.resize(multiply.depth);
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    decode_row(multiply.a_format,
               moving.subspan(std::size_t{m} * multiply.a_stride,
                              row_bytes(multiply.a_format, multiply.k_offset + multiply.depth)),
               multiply.k_offset, x.values);
    for_each_part(multiply, group, [&](std::uint32_t, const GroupPart& part) {
      float* sum = part.closes ? term : buffer.floats(m);
      if (part.starts) {
        std::fill_n(sum, columns, 0.0f);
      } else if (part.closes) {
        std::copy_n(buffer.floats(m), columns, sum);
      }
      add_products(x.values.data() + part.begin, part.end - part.begin, tile.row(part.begin), tile.columns(),
                   columns, sum);
      if (part.closes) term += columns;
    });
  }
}

}  // namespace

std::uint32_t closing_groups(const isa::Instruction& multiply, std::uint32_t group) {
  const std::uint32_t first = multiply.k_offset % group, end = first + multiply.depth;
  // Borders inside the pass, and its end if it says so.
  return (end - 1) / group + (multiply.close ? 1 : 0);
}

void multiply_tile(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                   GroupBuffer& buffer, Terms& terms) {
  terms.integer = !tile.grouped();
  if (terms.integer) {
    terms.groups = 1;
    terms.sums.resize(std::size_t{multiply.rows} * multiply.cols);
    return multiply_unscaled(multiply, tile, moving, terms.moving, terms.sums.data());
  }
  const Format weight = weight_of(tile.format(), multiply.a_format).value();
  const std::uint32_t group = group_elements(weight);
  terms.groups = closing_groups(multiply, group);
  terms.values.resize(std::size_t{multiply.rows} * terms.groups * multiply.cols);
  terms.by_column = goes_by_column(multiply, group);
  if (terms.by_column) {
    multiply_by_column(multiply, tile, moving, weight, terms.moving, terms.values.data());
  } else if (tile.integer()) {
    multiply_integers(multiply, tile, moving, weight, buffer, terms.moving, terms.values.data());
  } else {
    multiply_plain(multiply, tile, moving, group, buffer, terms.moving, terms.values.data());
  }
}

namespace {

// Where the sum of moving row m and column n is kept, in bytes from `dst`.
struct SumPlaces {
  std::size_t row, column;
  explicit SumPlaces(const isa::Instruction& i)
      : row(i.transposed ? sizeof(float) : i.dst_stride),
        column(i.transposed ? i.dst_stride : sizeof(float)) {}
};

void fold_integers(const isa::Instruction& multiply, const Terms& terms, std::byte* accumulator) {
  const SumPlaces places(multiply);
  const std::int32_t* term = terms.sums.data();
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    std::byte* at = accumulator + m * places.row;
    for (std::uint32_t n = 0; n < multiply.cols; ++n, at += places.column) {
      std::uint32_t sum = 0;  // modulo 2^32
      if (multiply.accumulate) std::memcpy(&sum, at, sizeof sum);
      sum += static_cast<std::uint32_t>(*term++);
      std::memcpy(at, &sum, sizeof sum);
    }
  }
}

// Adds terms [group][`count`] to as many sums that follow each other at `row`, or puts them there.
void fold_side_by_side(const float* term, std::uint32_t groups, std::uint32_t count, bool accumulate,
                       std::byte* row) {
  constexpr std::uint32_t kMost = 64;  // sums at a time
  for (std::uint32_t first = 0; first < count; first += kMost, row += kMost * sizeof(float)) {
    const std::uint32_t n = std::min(kMost, count - first);
    std::array<float, kMost> sums;
    if (accumulate) {
      std::memcpy(sums.data(), row, n * sizeof(float));
    } else {
      std::fill_n(sums.begin(), n, 0.0f);
    }
    for (std::uint32_t g = 0; g < groups; ++g) {
      const float* from = term + std::size_t{g} * count + first;
      for (std::uint32_t i = 0; i < n; ++i) sums[i] += from[i];
    }
    std::memcpy(row, sums.data(), n * sizeof(float));
  }
}

}  // namespace

void fold_terms(const isa::Instruction& multiply, const Terms& terms, std::span<std::byte> accumulator) {
  if (terms.groups == 0) return;
  if (terms.integer) return fold_integers(multiply, terms, accumulator.data());
  const SumPlaces places(multiply);
  const std::uint32_t columns = multiply.cols, groups = terms.groups;
  const float* term = terms.values.data();
  if (terms.by_column) {  // and so transposed
    for (std::uint32_t n = 0; n < columns; ++n, term += std::size_t{groups} * multiply.rows) {
      fold_side_by_side(term, groups, multiply.rows, multiply.accumulate,
                        accumulator.data() + n * places.column);
    }
    return;
  }
  for (std::uint32_t m = 0; m < multiply.rows; ++m, term += std::size_t{groups} * columns) {
    std::byte* row = accumulator.data() + m * places.row;
    if (!multiply.transposed) {
      fold_side_by_side(term, groups, columns, multiply.accumulate, row);
      continue;
    }
    for (std::uint32_t n = 0; n < columns; ++n, row += places.column) {
      float sum = 0.0f;
      if (multiply.accumulate) std::memcpy(&sum, row, sizeof sum);
      for (std::uint32_t g = 0; g < groups; ++g) sum += term[std::size_t{g} * columns + n];
      std::memcpy(row, &sum, sizeof sum);
    }
  }
}

std::string mismatch(const isa::Instruction& multiply, const Tile& tile, const GroupBuffer& buffer) {
  if (!tile.loaded()) return "no tile was preloaded";
  if (multiply.depth > tile.depth() || multiply.cols > tile.columns()) {
    return fmt::format("it multiplies {} k values by {} columns, but the tile has {} by {}", multiply.depth,
                       multiply.cols, tile.depth(), tile.columns());
  }
  const std::optional<Format> weight = weight_of(tile.format(), multiply.a_format);
  if (!weight) {
    const auto& product = row_of(tile.format()).as_weight;
    return fmt::format("its operand is {}, but a {} tile goes with {}weights whose activations are {}",
                       name_of(multiply.a_format), name_of(tile.format()),
                       product ? fmt::format("{} or with ", name_of(product->activations)) : std::string(),
                       name_of(tile.format()));
  }
  if (!tile.grouped()) {
    if (multiply.open && multiply.close) return {};
    return fmt::format("sums of {} have no groups that stay open; it needs both `open` and `close`",
                       name_of(tile.format()));
  }
  const std::uint32_t group = group_elements(*weight);
  if (multiply.k_offset % group != tile.k_offset() % group) {
    return fmt::format("its k_offset {} and the tile's {} are at different places of a group",
                       multiply.k_offset, tile.k_offset());
  }
  if ((!multiply.open || !multiply.close) && multiply.rows > buffer.rows()) {
    return fmt::format("{} rows leave unfinished group sums, and matrix.group_buffer_rows is {}",
                       multiply.rows, buffer.rows());
  }
  const std::uint32_t offset = multiply.k_offset % group;
  if (offset != 0 && offset + multiply.depth > group) {
    return fmt::format("it crosses a group border but does not begin at one (k_offset {})",
                       multiply.k_offset);
  }
  return {};
}

}  // namespace tokencycle::machine
