// SPDX-License-Identifier: Apache-2.0
// Bursts of strided blocks: every byte once, in order, no piece across a border.
#include "machine/dma/burst_walk.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace tokencycle;
using namespace tokencycle::machine;

TEST_CASE("pieces cover a block's bytes once and in order, each inside one burst") {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    const std::uint32_t burst = 32u << random() % 4, rows = static_cast<std::uint32_t>(1 + random() % 6);
    const std::uint64_t row_bytes = 1 + random() % 300, base = random() % 1000;
    const std::uint64_t stride = random() % 3 == 0 ? row_bytes : random() % 500;
    BurstWalk walk(DramAddress(base), stride, rows, row_bytes, burst);
    std::uint64_t offset = 0, pieces = 0, wrong = 0;
    for (; !walk.done(); ++pieces) {
      wrong += walk.remaining_bytes() != rows * row_bytes - offset;
      const BurstWalk::Piece p = walk.piece();
      const std::uint64_t row = offset / row_bytes, in_row = offset % row_bytes;
      wrong += p.address.value != base + row * stride + in_row;
      wrong += p.offset != offset;
      wrong += p.bytes == 0 || p.address.value / burst != (p.address.value + p.bytes - 1) / burst;
      wrong += stride != row_bytes && in_row + p.bytes > row_bytes;
      offset += p.bytes;
      walk.next();
    }
    CHECK(wrong == 0);
    CHECK(offset == rows * row_bytes);
    CHECK(walk.remaining_bytes() == 0);
    if (stride == row_bytes)
      CHECK(pieces == (base + offset - 1) / burst - base / burst + 1);  // as few as possible
  }
}

TEST_CASE("a gathered row begins where it is told to") {
  BurstWalk walk(DramAddress(0), 0, 3, 40, 32);
  std::vector<std::uint64_t> addresses;
  for (; !walk.done(); walk.next()) {
    if (walk.at_row_start()) walk.set_row_address(DramAddress(1000 - 100 * walk.row()));
    addresses.push_back(walk.piece().address.value);
  }
  // 1000 lies 8 bytes into a burst, 900 four, 800 at a border.
  CHECK(addresses == std::vector<std::uint64_t>{1000, 1024, 900, 928, 800, 832});
}
