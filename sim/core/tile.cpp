// SPDX-License-Identifier: Apache-2.0
#include "core/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::core {

namespace {

float half_at(const std::byte* p) {
  std::uint16_t h = 0;
  std::memcpy(&h, p, sizeof h);
  return f32_from_f16(h);
}

// Elements [first, first + count) of an encoded q8_0 or q4_0 row as integers.
void decode_integers(Format format, const std::byte* row, std::uint32_t first, std::uint32_t count,
                     std::int8_t* out) {
  const std::uint32_t unit = block_bytes(format);
  for (std::uint32_t i = 0; i < count;) {
    const std::uint32_t element = first + i, in_block = element % kBlock;
    const std::byte* q = row + std::size_t{element / kBlock} * unit + 2;
    const std::uint32_t n = std::min(count - i, kBlock - in_block);
    if (format == Format::q8_0 && n == kBlock) {
      std::memcpy(out + i, q, kBlock);
    } else if (format == Format::q8_0) {
      std::memcpy(out + i, q + in_block, n);
    } else {
      for (std::uint32_t j = in_block; j < in_block + n; ++j) {
        const auto byte = std::to_integer<unsigned>(q[j % (kBlock / 2)]);
        const unsigned nibble = j < kBlock / 2 ? byte & 15u : byte >> 4;
        out[i + j - in_block] = static_cast<std::int8_t>(static_cast<int>(nibble) - 8);
      }
    }
    i += n;
  }
}

std::int32_t dot(const std::int8_t* x, const std::int8_t* w, std::uint32_t count) {
  std::int32_t sum = 0;
  if (count == kBlock) {  // whole groups are the rule; a fixed count vectorizes without a remainder
    for (std::uint32_t i = 0; i < kBlock; ++i) sum += static_cast<std::int32_t>(x[i]) * w[i];
    return sum;
  }
  for (std::uint32_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(x[i]) * w[i];
  return sum;
}

}  // namespace

void Tile::load(const isa::Instruction& preload, std::span<const std::byte> memory) {
  format_ = preload.a_format;
  depth_ = preload.rows;
  columns_ = preload.cols;
  k_offset_ = preload.k_offset;
  integer() ? load_blocks(preload, memory) : load_plain(preload, memory);
}

void Tile::load_blocks(const isa::Instruction& preload, std::span<const std::byte> memory) {
  integers_.resize(std::size_t{columns_} * depth_);
  const std::uint32_t first_group = k_offset_ / kBlock;
  groups_ = (k_offset_ + depth_ - 1) / kBlock - first_group + 1;
  scales_.resize(std::size_t{columns_} * groups_);
  for (std::uint32_t n = 0; n < columns_; ++n) {
    const std::byte* row = memory.data() + std::size_t{n} * preload.a_stride;
    decode_integers(format_, row, k_offset_, depth_, integers_.data() + std::size_t{n} * depth_);
    for (std::uint32_t g = 0; g < groups_; ++g) {
      scales_[std::size_t{n} * groups_ + g] =
          half_at(row + std::size_t{first_group + g} * block_bytes(format_));
    }
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

std::vector<GroupPart> group_parts(const isa::Instruction& multiply) {
  std::vector<GroupPart> parts;
  for (std::uint32_t k = 0; k < multiply.depth;) {
    const std::uint32_t to_border = kBlock - (multiply.k_offset + k) % kBlock;
    const std::uint32_t end = std::min(multiply.depth, k + to_border);
    const bool last = end == multiply.depth;
    parts.push_back({k, end, k > 0 || multiply.open, !last || multiply.close});
    k = end;
  }
  return parts;
}

namespace {

void multiply_integers(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                       std::span<const GroupPart> parts, GroupBuffer& buffer, float* term) {
  std::vector<std::int8_t> x(multiply.depth);
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    const std::byte* row = moving.data() + std::size_t{m} * multiply.a_stride;
    decode_integers(Format::q8_0, row, multiply.k_offset, multiply.depth, x.data());
    for (std::size_t g = 0; g < parts.size(); ++g) {
      const GroupPart& part = parts[g];
      const std::uint32_t block = (multiply.k_offset + part.begin) / kBlock;
      const float x_scale = half_at(row + std::size_t{block} * block_bytes(Format::q8_0));
      std::int32_t* waiting = part.starts && part.closes ? nullptr : buffer.integers(m);
      for (std::uint32_t n = 0; n < multiply.cols; ++n) {
        std::int32_t sum = dot(x.data() + part.begin, tile.column(n) + part.begin, part.end - part.begin);
        if (!part.starts) sum += waiting[n];
        if (part.closes) {
          term[n] = (x_scale * tile.scale(n, static_cast<std::uint32_t>(g))) * static_cast<float>(sum);
        } else {
          waiting[n] = sum;
        }
      }
      if (part.closes) term += multiply.cols;
    }
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

void multiply_tile(const isa::Instruction& multiply, const Tile& tile, std::span<const std::byte> moving,
                   GroupBuffer& buffer, Terms& terms) {
  const std::vector<GroupPart> parts = group_parts(multiply);
  terms.groups = static_cast<std::uint32_t>(
      std::count_if(parts.begin(), parts.end(), [](const GroupPart& p) { return p.closes; }));
  terms.values.resize(std::size_t{multiply.rows} * terms.groups * multiply.cols);
  if (tile.integer()) {
    multiply_integers(multiply, tile, moving, parts, buffer, terms.values.data());
  } else {
    multiply_plain(multiply, tile, moving, parts, buffer, terms.values.data());
  }
}

void fold_terms(const isa::Instruction& multiply, const Terms& terms, std::span<std::byte> accumulator) {
  if (terms.groups == 0) return;
  std::vector<float> sums(multiply.cols);
  const float* term = terms.values.data();
  for (std::uint32_t m = 0; m < multiply.rows; ++m) {
    std::byte* row = accumulator.data() + std::size_t{m} * multiply.dst_stride;
    if (multiply.accumulate) {
      std::memcpy(sums.data(), row, sums.size() * sizeof(float));
    } else {
      std::fill(sums.begin(), sums.end(), 0.0f);
    }
    for (std::uint32_t g = 0; g < terms.groups; ++g, term += multiply.cols) {
      for (std::uint32_t n = 0; n < multiply.cols; ++n) sums[n] += term[n];
    }
    std::memcpy(row, sums.data(), sums.size() * sizeof(float));
  }
}

std::string mismatch(const isa::Instruction& multiply, const Tile& tile, const GroupBuffer& buffer) {
  if (!tile.loaded()) return "no tile was preloaded";
  if (multiply.depth > tile.depth() || multiply.cols > tile.columns()) {
    return fmt::format("it multiplies {} k values by {} columns, but the tile has {} by {}", multiply.depth,
                       multiply.cols, tile.depth(), tile.columns());
  }
  if (multiply.k_offset % kBlock != tile.k_offset() % kBlock) {
    return fmt::format("its k_offset {} and the tile's {} are at different places of a group",
                       multiply.k_offset, tile.k_offset());
  }
  if (multiply.a_format != activation_format(tile.format())) {
    return fmt::format("its operand is {}, but a {} tile takes {}", name_of(multiply.a_format),
                       name_of(tile.format()), name_of(activation_format(tile.format())));
  }
  if ((!multiply.open || !multiply.close) && multiply.rows > buffer.rows()) {
    return fmt::format("{} rows leave unfinished group sums, and matrix.group_buffer_rows is {}",
                       multiply.rows, buffer.rows());
  }
  const std::uint32_t offset = multiply.k_offset % kBlock;
  if (offset != 0 && offset + multiply.depth > kBlock) {
    return fmt::format("it crosses a group border but does not begin at one (k_offset {})",
                       multiply.k_offset);
  }
  return {};
}

}  // namespace tokencycle::core
