// SPDX-License-Identifier: Apache-2.0
#include "host/gemm/panels.h"

#include <cstring>

namespace tokencycle::host {

namespace {

// Element `from` of a plain row becomes element `to` of another, which is zero there.
void copy_element(Format f, const std::byte* source, std::uint64_t from, std::byte* target,
                  std::uint64_t to) {
  if (f != Format::i4) {
    const std::uint32_t size = block_bytes(f);
    std::memcpy(target + to * size, source + from * size, size);
    return;
  }
  const unsigned pair = std::to_integer<unsigned>(source[from / 2]);
  const unsigned nibble = from % 2 == 0 ? pair & 15u : pair >> 4;
  target[to / 2] |= static_cast<std::byte>(to % 2 == 0 ? nibble : nibble << 4);
}

// Elements [first, first + count) of a row; of block formats whole blocks.
void copy_part(Format f, const std::byte* source, std::uint64_t first, std::uint32_t count,
               std::byte* target) {
  const std::uint32_t unit = block_elements(f);
  if (first % unit == 0) {
    std::memcpy(target, source + first / unit * block_bytes(f), row_bytes(f, count));
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) copy_element(f, source, first + i, target, i);
}

}  // namespace

std::vector<std::byte> moving_panels(const compiler::GemmMapping& map, const GemmOperand& operand) {
  std::vector<std::byte> panels(map.moving_bytes_before(map.units()) * map.moving);
  std::byte* at = panels.data();
  for (std::uint32_t u = 0; u < map.units(); ++u) {
    const std::uint32_t depth = map.depth_of(u);
    for (std::uint32_t r = 0; r < map.moving; ++r, at += map.moving_bytes(depth)) {
      copy_part(operand.format, operand.row(r), std::uint64_t{u} * map.unit, depth, at);
    }
  }
  return panels;
}

std::vector<std::byte> held_panels(const compiler::GemmMapping& map, const GemmOperand& operand) {
  const std::uint32_t last = map.tiles() - 1;
  const std::uint64_t tile_bytes = map.held_bytes_before(map.units(), map.columns);
  std::vector<std::byte> panels(last * tile_bytes + map.held_bytes_before(map.units(), map.columns_of(last)));
  std::byte* at = panels.data();
  for (std::uint32_t t = 0; t <= last; ++t) {
    const std::uint32_t cols = map.columns_of(t), first = t * map.columns;
    for (std::uint32_t u = 0; u < map.units(); ++u) {
      const std::uint32_t depth = map.depth_of(u);
      const std::uint64_t k = std::uint64_t{u} * map.unit;
      const bool kn = map.order == isa::TileOrder::kn;
      const std::uint64_t stride = row_bytes(operand.format, kn ? cols : depth);
      for (std::uint32_t c = 0; c < cols; ++c) {
        const std::byte* row = operand.row(first + c);
        if (!kn) copy_part(operand.format, row, k, depth, at + c * stride);
        for (std::uint32_t d = 0; kn && d < depth; ++d) {
          copy_element(operand.format, row, k + d, at + d * stride, c);
        }
      }
      at += map.held_bytes(depth, cols);
    }
  }
  return panels;
}

}  // namespace tokencycle::host
