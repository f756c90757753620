// SPDX-License-Identifier: Apache-2.0
// Does footprint() report exactly the bounds of the bytes that the loop nests of reference.cpp touch?
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "isa/encoding.h"
#include "random_program.h"

using namespace tokencycle;
using namespace tokencycle::isa;
using test::number;
using test::Random;

namespace {

// The bounds of the bytes that one operand's element accesses touched.
class Touched {
 public:
  void local(LocalAddress base, std::uint64_t offset, std::uint64_t bytes) {
    add(base.in_accumulator() ? Space::accumulator : Space::scratchpad, base.byte() + offset, bytes);
  }
  void dram(DramAddress base, std::uint64_t offset, std::uint64_t bytes) {
    add(Space::dram, base.value + offset, bytes);
  }
  // Element e of the encoded row: the encoded unit that it is in.
  void element(LocalAddress base, std::uint64_t row, Format f, std::uint64_t e) {
    local(base, row + e / block_elements(f) * block_bytes(f), block_bytes(f));
  }
  std::optional<Range> bounds;

 private:
  void add(Space space, std::uint64_t begin, std::uint64_t bytes) {
    if (!bounds) bounds = Range{space, begin, begin + bytes};
    bounds->begin = std::min(bounds->begin, begin);
    bounds->end = std::max(bounds->end, begin + bytes);
  }
};

struct Touches {
  std::vector<Touched> reads, writes;
};

// The loop nests of vector operations, element by element.
void walk_vector(const Instruction& i, Touches& t) {
  const Class kind = class_of(i.op);
  const std::string_view name = name_of(i.op);
  const bool by_index = name == "take" || name == "take_rows" || name == "put_rows" || name == "add_rows";
  const bool one_a_row = kind == Class::reduce || kind == Class::select;
  const bool second = kind == Class::zip || kind == Class::norm || i.op == Opcode::rotary ||
                      i.op == Opcode::softmax_sink || by_index;
  const Format from = i.a_format, to = i.op == Opcode::transpose ? from : i.dst_format;
  t.reads.resize(name == "add_rows" ? 3 : second ? 2 : 1);
  t.writes.resize(1);
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    for (std::uint64_t c = 0; c < i.cols; ++c) {
      if (by_index) {  // whatever the indices are
        t.reads[1].local(i.b, r * i.b_stride + (name == "take" ? 4 * c : 0), 4);
        for (const std::uint64_t n : {0u, i.extent - 1}) {
          const bool put = name == "put_rows" || name == "add_rows";
          t.reads[0].local(i.a, (name == "take_rows" ? n : r) * i.a_stride + 4 * (name == "take" ? n : c), 4);
          t.writes[0].local(i.dst, (put ? n : r) * i.dst_stride + 4 * c, 4);
          if (name == "add_rows") t.reads[2].local(i.dst, n * i.dst_stride + 4 * c, 4);
        }
        continue;
      }
      for (std::uint64_t n = 0; name == "top_k" && n < i.depth; ++n) {
        t.writes[0].local(i.dst, r * i.dst_stride + 4 * n, 4);
      }
      t.reads[0].element(i.a, r * i.a_stride, from, c);
      if (i.op == Opcode::transpose) {
        t.writes[0].local(i.dst, c * i.dst_stride + r * block_bytes(to), block_bytes(to));
      } else {
        t.writes[0].element(i.dst, r * i.dst_stride, to, one_a_row ? 0 : c);
      }
      if (kind == Class::zip) t.reads[1].local(i.b, r * i.b_stride + (i.per_row ? 0 : 4 * c), 4);
      if (kind == Class::norm) t.reads[1].local(i.b, 4 * c, 4);
      if (name_of(i.op) == "layer_norm") t.reads[1].local(i.b, 4 * (i.cols + c), 4);
    }
    if (i.op == Opcode::softmax_sink) t.reads[1].local(i.b, i.per_row ? 4 * r : 0, 4);
    for (std::uint64_t p = 0; i.op == Opcode::rotary && p < i.rotate / 2; ++p) {
      t.reads[1].local(i.b, r * i.b_stride + 8 * p, 8);
    }
  }
}

void walk_multiply(const Instruction& i, Touches& t) {
  t.reads.resize(i.accumulate ? 2 : 1);
  t.writes.resize(1);
  for (std::uint64_t m = 0; m < i.rows; ++m) {
    for (std::uint64_t k = 0; k < i.depth; ++k) {
      t.reads[0].element(i.a, m * i.a_stride, i.a_format, i.k_offset + k);
    }
    for (std::uint64_t n = 0; n < i.cols; ++n) {
      const std::uint64_t sum = i.transposed ? n * i.dst_stride + 4 * m : m * i.dst_stride + 4 * n;
      if (i.accumulate) t.reads[1].local(i.dst, sum, 4);
      t.writes[0].local(i.dst, sum, 4);
    }
  }
}

void walk_matmul(const Instruction& i, Touches& t) {
  t.reads.resize(i.accumulate ? 3 : 2);
  t.writes.resize(1);
  for (std::uint64_t m = 0; m < i.rows; ++m) {
    for (std::uint64_t k = 0; k < i.depth; ++k) {
      t.reads[0].element(i.a, m * i.a_stride, activation_format(i.b_format), k);
    }
    for (std::uint64_t n = 0; n < i.cols; ++n) {
      if (i.accumulate) t.reads[2].local(i.dst, m * i.dst_stride + 4 * n, 4);
      t.writes[0].local(i.dst, m * i.dst_stride + 4 * n, 4);
    }
  }
  for (std::uint64_t n = 0; n < i.cols; ++n) {
    for (std::uint64_t k = 0; k < i.depth; ++k) {
      const bool nk = i.order == TileOrder::nk;
      t.reads[1].element(i.b, (nk ? n : k) * i.b_stride, i.b_format, nk ? k : n);
    }
  }
}

void walk_preload(const Instruction& i, Touches& t) {
  t.reads.resize(1);
  for (std::uint64_t k = 0; k < i.rows; ++k) {
    for (std::uint64_t n = 0; n < i.cols; ++n) {
      if (i.order == TileOrder::nk) {
        t.reads[0].element(i.a, n * i.a_stride, i.a_format, i.k_offset + k);
      } else {
        t.reads[0].element(i.a, k * i.a_stride, i.a_format, n);
      }
    }
  }
}

void walk_dma(const Instruction& i, Touches& t) {
  t.reads.resize(1);
  t.writes.resize(1);
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    for (std::uint64_t c = 0; c < i.cols; ++c) {
      if (i.op == Opcode::store) {
        t.reads[0].element(i.a, r * i.a_stride, i.a_format, c);
        t.writes[0].dram(i.dram, r * i.dram_stride + c * block_bytes(i.dst_format),
                         block_bytes(i.dst_format));
      } else {
        t.reads[0].dram(i.dram, r * i.dram_stride + c, 1);
        t.writes[0].local(i.dst, r * i.dst_stride + c, 1);
      }
    }
  }
}

Touches walk(const Instruction& i) {
  Touches t;
  if (i.op == Opcode::gather) {
    t.reads.resize(2);
    t.writes.resize(1);
    for (std::uint64_t r = 0; r < i.rows; ++r) {
      t.reads[0].local(i.a, 4 * r, 4);
      t.writes[0].local(i.dst, r * i.dst_stride, i.cols);
    }
    for (std::uint64_t index : {0u, i.table_rows - 1}) {
      t.reads[1].dram(i.dram, index * i.dram_stride, i.cols);
    }
  } else if (uses_link(i.op)) {
    auto& touched = i.op == Opcode::send ? t.reads : t.writes;
    touched.resize(1);
    for (std::uint64_t r = 0; r < i.rows; ++r) {
      if (i.op == Opcode::send) touched[0].local(i.a, r * i.a_stride, i.cols);
      if (i.op == Opcode::receive) touched[0].local(i.dst, r * i.dst_stride, i.cols);
    }
  } else if (i.op == Opcode::load || i.op == Opcode::store) {
    walk_dma(i, t);
  } else if (i.op == Opcode::preload) {
    walk_preload(i, t);
  } else if (i.op == Opcode::multiply) {
    walk_multiply(i, t);
  } else if (i.op == Opcode::matmul) {
    walk_matmul(i, t);
  } else if (unit_of(i.op) == Unit::vector) {
    walk_vector(i, t);
  }
  return t;
}

void check_equal(std::span<const Range> ranges, const std::vector<Touched>& touched) {
  REQUIRE(ranges.size() == touched.size());
  for (std::size_t k = 0; k < ranges.size(); ++k) {
    REQUIRE(touched[k].bounds);
    CHECK(ranges[k].space == touched[k].bounds->space);
    CHECK(ranges[k].begin == touched[k].bounds->begin);
    CHECK(ranges[k].end == touched[k].bounds->end);
  }
}

// Small enough to walk element by element.
Instruction small_instruction(Random& random, Opcode op) {
  Instruction i = test::random_instruction(random, op);
  i.rows = static_cast<std::uint32_t>(number(random, 1, 20));
  if (i.extent != 0) i.extent = static_cast<std::uint32_t>(number(random, 1, 90));
  if (op == Opcode::multiply || op == Opcode::matmul)
    i.depth = static_cast<std::uint32_t>(number(random, 1, 70));
  if (op == Opcode::rotary) {
    i.head = 2 * static_cast<std::uint32_t>(number(random, 1, 8));
    i.rotate = 2 * static_cast<std::uint32_t>(number(random, 1, i.head / 2));
    i.cols = i.head * static_cast<std::uint32_t>(number(random, 1, 4));
  } else if (op == Opcode::convert) {
    i.cols = std::max(block_elements(i.a_format), block_elements(i.dst_format)) *
             static_cast<std::uint32_t>(number(random, 1, 3));
  } else if (i.cols != 0) {
    i.cols = static_cast<std::uint32_t>(number(random, 1, 70));
  }
  if (name_of(op) == "top_k") i.depth = static_cast<std::uint32_t>(number(random, 1, i.cols));
  return i;
}

}  // namespace

TEST_CASE("footprints equal the bounds of the loop nests") {
  Random random(4);
  for (std::size_t round = 0; round < 200 * opcodes().size(); ++round) {
    const Opcode op = opcodes()[round % opcodes().size()];
    if (unit_of(op) == Unit::front_end) continue;
    const Instruction i = small_instruction(random, op);
    encode(i);  // still valid
    const Footprint f = footprint(i);
    const Touches t = walk(i);
    INFO(name_of(op) << " in round " << round);
    check_equal(f.read_ranges(), t.reads);
    check_equal(f.write_ranges(), t.writes);
  }
}

TEST_CASE("a footprint moves with the addresses of its instruction") {
  Random random(9);
  for (std::size_t round = 0; round < 50 * opcodes().size(); ++round) {
    const Opcode op = opcodes()[round % opcodes().size()];
    if (unit_of(op) == Unit::front_end && op != Opcode::read_address) continue;
    Instruction i =
        unit_of(op) == Unit::front_end ? test::random_instruction(random, op) : small_instruction(random, op);
    INFO(name_of(op) << " in round " << round);
    Footprint moved = footprint(i);
    const auto further = [&random] { return static_cast<std::uint32_t>(number(random, 0, 1000)); };
    const std::uint32_t dst = further(), a = further(), b = further(), dram = further();
    moved.move({dst, a, b, dram});
    i.dst = i.dst + dst;
    i.a = i.a + a;
    i.b = i.b + b;
    i.dram = i.dram + dram;
    const Footprint there = footprint(i);
    REQUIRE(moved.read_count == there.read_count);
    REQUIRE(moved.write_count == there.write_count);
    for (std::size_t r = 0; r < there.read_ranges().size(); ++r) {
      CHECK(moved.reads[r].space == there.reads[r].space);
      CHECK(moved.reads[r].begin == there.reads[r].begin);
      CHECK(moved.reads[r].end == there.reads[r].end);
    }
    for (std::size_t w = 0; w < there.write_ranges().size(); ++w) {
      CHECK(moved.writes[w].space == there.writes[w].space);
      CHECK(moved.writes[w].begin == there.writes[w].begin);
      CHECK(moved.writes[w].end == there.writes[w].end);
    }
  }
}

TEST_CASE("front-end instructions touch nothing but the word that a read_address reads") {
  Random random(5);
  for (const Opcode op : opcodes()) {
    if (unit_of(op) != Unit::front_end) continue;
    const Instruction i = test::random_instruction(random, op);
    const Footprint f = footprint(i);
    CHECK(f.read_count == (op == Opcode::read_address ? 1 : 0));
    CHECK(f.write_count == 0);
    if (f.read_count == 0) continue;
    CHECK(f.reads[0].begin == i.a.byte());
    CHECK(f.reads[0].end == i.a.byte() + std::uint64_t{4});
  }
}

TEST_CASE("a load's ranges by hand") {
  Instruction i;
  i.op = Opcode::load;
  i.dst = LocalAddress::scratchpad(0x100);
  i.dst_stride = 68;
  i.dram = DramAddress(0x4000);
  i.dram_stride = 2176;
  i.rows = 3;
  i.cols = 34;
  const Footprint f = footprint(i);
  REQUIRE(f.read_count == 1);
  CHECK(f.reads[0].space == Space::dram);
  CHECK(f.reads[0].begin == 0x4000);
  CHECK(f.reads[0].end == 0x4000 + 2 * 2176 + 34);
  REQUIRE(f.write_count == 1);
  CHECK(f.writes[0].space == Space::scratchpad);
  CHECK(f.writes[0].begin == 0x100);
  CHECK(f.writes[0].end == 0x100 + 2 * 68 + 34);
}

TEST_CASE("block operands of the matrix unit count whole blocks, by hand") {
  Instruction i;
  i.op = Opcode::multiply;
  i.a = LocalAddress::scratchpad(1000);
  i.a_stride = 102;  // three q8_0 blocks
  i.a_format = Format::q8_0;
  i.dst = LocalAddress::accumulator(64);
  i.dst_stride = 128;
  i.rows = 2;
  i.cols = 16;
  i.depth = 10;
  i.k_offset = 60;  // elements 60 .. 69: blocks 1 and 2
  i.accumulate = true;
  const Footprint f = footprint(i);
  REQUIRE(f.read_count == 2);
  CHECK(f.reads[0].begin == 1000 + 34);
  CHECK(f.reads[0].end == 1000 + 102 + 3 * 34);
  CHECK(f.reads[1].space == Space::accumulator);
  CHECK(f.reads[1].begin == 64);
  CHECK(f.reads[1].end == 64 + 128 + 64);
  REQUIRE(f.write_count == 1);
  CHECK(f.writes[0].space == Space::accumulator);
  CHECK(f.writes[0].end == 256);
  i.accumulate = false;
  CHECK(footprint(i).read_count == 1);
}

TEST_CASE("a gather reads its table and nothing behind it, by hand") {
  Instruction i;
  i.op = Opcode::gather;
  i.dram = DramAddress(0x10000);
  i.dram_stride = 128;
  i.table_rows = 1000;
  i.rows = 2;
  i.cols = 100;
  CHECK(footprint(i).reads[1].begin == 0x10000);
  CHECK(footprint(i).reads[1].end == 0x10000 + 999 * 128 + 100);
}

TEST_CASE("ranges overlap only in one memory and only where they share a byte") {
  const Range a{Space::scratchpad, 10, 20};
  CHECK(a.overlaps({Space::scratchpad, 19, 30}));
  CHECK(a.overlaps({Space::scratchpad, 0, 11}));
  CHECK_FALSE(a.overlaps({Space::scratchpad, 20, 30}));
  CHECK_FALSE(a.overlaps({Space::scratchpad, 0, 10}));
  CHECK_FALSE(a.overlaps({Space::accumulator, 10, 20}));
}
