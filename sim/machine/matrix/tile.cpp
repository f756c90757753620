// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "numerics/blocks.h"

namespace tokencycle::machine {

namespace {

std::int32_t dot(const std::int8_t* x, const std::int8_t* w, std::uint32_t count) {
  constexpr std::uint32_t kUsual = 32;
  std::int32_t sum = 0;
  if (count == kUsual) {  // whole groups are the rule; a fixed count vectorizes without a remainder
    for (std::uint32_t i = 0; i < kUsual; ++i) sum += static_cast<std::int32_t>(x[i]) * w[i];
    return sum;
  }
  for (std::uint32_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(x[i]) * w[i];
  return sum;
}

}  // namespace

void Tile::describe(const isa::Instruction& preload) {
  format_ = preload.a_format;
  depth_ = preload.rows;
  columns_ = preload.cols;
  k_offset_ = preload.k_offset;
}

void Tile::load(const isa::Instruction& preload, std::span<const std::byte> memory) {
  describe(preload);
  if (!integer()) return load_plain(preload, memory);
  grouped() ? load_blocks(preload, memory) : load_integers(preload, memory);
}

// The first element whose group's scale the tile holds. Sums of activations come with their granule, because
// weights may have longer groups.
std::uint32_t Tile::first_scaled() const {
  const FormatRow& r = row_of(format_);
  const std::uint32_t span =
      r.offset == Offset::sum ? std::max(r.group_elements, r.granule_elements) : r.group_elements;
  return k_offset_ / span * span;
}

void Tile::load_blocks(const isa::Instruction& preload, std::span<const std::byte> memory) {
  integers_.resize(std::size_t{columns_} * depth_);
  const std::uint32_t own = group_elements(format_), begin = first_scaled();
  const std::uint32_t span = row_of(format_).offset == Offset::sum ? row_of(format_).granule_elements : own;
  const auto end = static_cast<std::uint32_t>(round_up(k_offset_ + depth_, std::max(span, own)));
  groups_ = (end - begin) / own;
  first_group_ = k_offset_ / own - begin / own;
  scales_.resize(std::size_t{columns_} * groups_);
  std::vector<std::int8_t> q(end - begin);
  for (std::uint32_t n = 0; n < columns_; ++n) {
    unpack_row(format_, memory.data() + std::size_t{n} * preload.a_stride, begin, end - begin, own, q.data(),
               scales_.data() + std::size_t{n} * groups_);
    std::copy_n(q.data() + (k_offset_ - begin), depth_, integers_.data() + std::size_t{n} * depth_);
  }
}

GroupScale Tile::joined_scale(std::uint32_t n, std::uint32_t index, std::uint32_t group) const {
  const std::uint32_t own = group_elements(format_);
  const std::uint32_t at = ((k_offset_ / group + index) * group - first_scaled()) / own;
  const GroupScale* scales = scales_.data() + std::size_t{n} * groups_ + at;
  GroupScale sum = scales[0];
  for (std::uint32_t g = 1; g < group / own; ++g) sum.offset += scales[g].offset;
  return sum;
}

void Tile::load_integers(const isa::Instruction& preload, std::span<const std::byte> memory) {
  integers_.resize(std::size_t{columns_} * depth_);
  if (preload.order == isa::TileOrder::nk) {
    for (std::uint32_t n = 0; n < columns_; ++n) {
      integers_of_row(format_, memory.data() + std::size_t{n} * preload.a_stride, k_offset_, depth_,
                      integers_.data() + std::size_t{n} * depth_);
    }
    return;
  }
  std::vector<std::int8_t> line(columns_);
  for (std::uint32_t k = 0; k < depth_; ++k) {
    integers_of_row(format_, memory.data() + std::size_t{k} * preload.a_stride, 0, columns_, line.data());
    for (std::uint32_t n = 0; n < columns_; ++n) integers_[std::size_t{n} * depth_ + k] = line[n];
  }
}

void Tile::load_plain(const isa::Instruction& preload, std::span<const std::byte> memory) {
  values_.resize(std::size_t{depth_} * columns_);
  if (preload.order == isa::TileOrder::kn) {
    for (std::uint32_t k = 0; k < depth_; ++k) {
      decode_row(format_, memory.subspan(std::size_t{k} * preload.a_stride, row_bytes(format_, columns_)), 0,
                 std::span(values_).subspan(std::size_t{k} * columns_, columns_));
    }
    return;
  }
  line_.resize(depth_);
  for (std::uint32_t n = 0; n < columns_; ++n) {
    const auto row =
        memory.subspan(std::size_t{n} * preload.a_stride, row_bytes(format_, k_offset_ + depth_));
    decode_row(format_, row, k_offset_, line_);
    for (std::uint32_t k = 0; k < depth_; ++k) values_[std::size_t{k} * columns_ + n] = line_[k];
  }
}

std::vector<GroupPart> group_parts(const isa::Instruction& multiply, std::uint32_t group) {
  std::vector<GroupPart> parts;
  for (std::uint32_t k = 0; k < multiply.depth;) {
    const std::uint32_t to_border = group - (multiply.k_offset + k) % group;
    const std::uint32_t end = std::min(multiply.depth, k + to_border);
    const bool last = end == multiply.depth;
    parts.push_back({k, end, k > 0 || multiply.open, !last || multiply.close});
    k = end;
  }
  return parts;
}

namespace {

void multiply_integers(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                       Format weight, std::span<const GroupPart> parts, GroupBuffer& buffer, float* term) {
  const std::uint32_t group = group_elements(weight);
  const bool minimum = row_of(weight).offset == Offset::minimum;
  std::vector<std::int8_t> x(multiply.depth);
  std::vector<GroupScale> x_scales(parts.size());
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    unpack_row(multiply.a_format, moving.data() + std::size_t{m} * multiply.a_stride, multiply.k_offset,
               multiply.depth, group, x.data(), x_scales.data());
    for (std::size_t g = 0; g < parts.size(); ++g) {
      const GroupPart& part = parts[g];
      std::int32_t* waiting = part.starts && part.closes ? nullptr : buffer.integers(m);
      for (std::uint32_t n = 0; n < multiply.cols; ++n) {
        std::int32_t sum = dot(x.data() + part.begin, tile.column(n) + part.begin, part.end - part.begin);
        if (!part.starts) sum += waiting[n];
        if (part.closes) {
          term[n] =
              group_term(x_scales[g], tile.scale(n, static_cast<std::uint32_t>(g), group), sum, minimum);
        } else {
          waiting[n] = sum;
        }
      }
      if (part.closes) term += multiply.cols;
    }
  }
}

// Integers without scales: one exact sum over the whole depth.
void multiply_unscaled(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                       std::int32_t* sums) {
  std::vector<std::int8_t> x(multiply.depth);
  for (std::uint32_t m = 0; m < multiply.rows; ++m, sums += multiply.cols) {
    const std::byte* row = moving.data() + std::size_t{m} * multiply.a_stride;
    integers_of_row(multiply.a_format, row, multiply.k_offset, multiply.depth, x.data());
    for (std::uint32_t n = 0; n < multiply.cols; ++n) sums[n] = dot(x.data(), tile.column(n), multiply.depth);
  }
}

void multiply_plain(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                    std::span<const GroupPart> parts, GroupBuffer& buffer, float* term) {
  std::vector<float> x(multiply.depth);
  const std::uint32_t columns = multiply.cols;
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    decode_row(multiply.a_format,
               moving.subspan(std::size_t{m} * multiply.a_stride,
                              row_bytes(multiply.a_format, multiply.k_offset + multiply.depth)),
               multiply.k_offset, x);
    for (const GroupPart& part : parts) {
      float* sum = part.closes ? term : buffer.floats(m);
      if (part.starts) {
        std::fill_n(sum, columns, 0.0f);
      } else if (part.closes) {
        std::copy_n(buffer.floats(m), columns, sum);
      }
      for (std::uint32_t k = part.begin; k < part.end; ++k) {
        const float xk = x[k];
        const float* w = tile.row(k);
        for (std::uint32_t n = 0; n < columns; ++n) sum[n] += xk * w[n];
      }
      if (part.closes) term += columns;
    }
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
    return multiply_unscaled(multiply, tile, moving, terms.sums.data());
  }
  const Format weight = weight_of(tile.format(), multiply.a_format).value();
  const std::vector<GroupPart> parts = group_parts(multiply, group_elements(weight));
  terms.groups = closing_groups(multiply, group_elements(weight));
  terms.values.resize(std::size_t{multiply.rows} * terms.groups * multiply.cols);
  if (tile.integer()) {
    multiply_integers(multiply, tile, moving, weight, parts, buffer, terms.values.data());
  } else {
    multiply_plain(multiply, tile, moving, parts, buffer, terms.values.data());
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

}  // namespace

void fold_terms(const isa::Instruction& multiply, const Terms& terms, std::span<std::byte> accumulator) {
  if (terms.groups == 0) return;
  if (terms.integer) return fold_integers(multiply, terms, accumulator.data());
  const SumPlaces places(multiply);
  std::vector<float> sums(multiply.cols);
  const float* term = terms.values.data();
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    std::byte* row = accumulator.data() + m * places.row;
    std::fill(sums.begin(), sums.end(), 0.0f);
    if (multiply.accumulate) {
      for (std::uint32_t n = 0; n < multiply.cols; ++n) std::memcpy(&sums[n], row + n * places.column, 4);
    }
    for (std::uint32_t g = 0; g < terms.groups; ++g, term += multiply.cols) {
      for (std::uint32_t n = 0; n < multiply.cols; ++n) sums[n] += term[n];
    }
    for (std::uint32_t n = 0; n < multiply.cols; ++n) std::memcpy(row + n * places.column, &sums[n], 4);
  }
}

std::optional<MultiplyType> multiplier_of(Format tile, Format moving) {
  const std::optional<Format> weight = weight_of(tile, moving);
  if (!weight) return std::nullopt;
  return multiply_type(*weight);
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
