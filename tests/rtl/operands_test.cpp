// SPDX-License-Identifier: Apache-2.0
// Does the hardware find the bytes that an instruction touches as the model does? For words of every opcode.
#include <Voperands_probe.h>
#include <verilated.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "isa/encoding.h"
#include "isa/program_check.h"
#include "isa/random_program.h"

using namespace tokencycle;
using isa::Opcode;
using isa::Range;

namespace {

// The random words lie anywhere; the largest memories let most of them in.
constexpr std::uint64_t kLocalBytes = 0x7fff'ffff, kDramBytes = std::uint64_t{1} << 48;

std::uint64_t limit_of(isa::Space space) {
  return space == isa::Space::dram ? kDramBytes : kLocalBytes;
}

struct Touched {
  std::vector<Range> reads, writes;
};

Touched touched_by(const Voperands_probe& top) {
  Touched t;
  const std::uint64_t ends[3][2] = {
      {top.a_first, top.a_last}, {top.b_first, top.b_last}, {top.dst_first, top.dst_last}};
  for (unsigned operand = 0; operand < 3; ++operand) {
    if ((top.used >> operand & 1) == 0) continue;
    const isa::Space space =
        (top.accumulator >> operand & 1) != 0 ? isa::Space::accumulator : isa::Space::scratchpad;
    const Range range{space, ends[operand][0], ends[operand][1]};
    if (operand == 2) t.writes.push_back(range);
    if (operand < 2 || top.dst_read != 0) t.reads.push_back(range);
  }
  const Range dram{isa::Space::dram, top.dram_first, top.dram_last};
  if (top.dram_read != 0) t.reads.push_back(dram);
  if (top.dram_write != 0) t.writes.push_back(dram);
  return t;
}

bool same_ranges(std::vector<Range> a, std::span<const Range> b) {
  return a.size() == b.size() &&
         std::is_permutation(a.begin(), a.end(), b.begin(), [](const Range& x, const Range& y) {
           return x.space == y.space && x.begin == y.begin && x.end == y.end;
         });
}

bool inside(std::span<const Range> ranges) {
  return std::all_of(ranges.begin(), ranges.end(), [](const Range& r) { return r.end <= limit_of(r.space); });
}

// Every format that the matrix unit multiplies, also the integers without scales.
isa::Instruction with_any_weight(isa::test::Random& random, isa::Instruction i) {
  constexpr int kKnown = 20;  // rows of the table that isa_pkg.sv has
  Format weight{};
  do {
    weight = static_cast<Format>(isa::test::number(random, 0, kKnown - 1));
  } while (!kWeightFormats.has(weight));
  if (i.op == Opcode::preload && i.order == isa::TileOrder::nk) i.a_format = weight;
  if (i.op == Opcode::multiply) i.a_format = activation_format(weight);
  if (i.op == Opcode::matmul) {
    i.b_format = weight;
    if (is_scaled(weight)) i.order = isa::TileOrder::nk;
    i.depth = std::max(i.depth, 1u);
    i.dst = isa::LocalAddress::accumulator(i.dst.byte());
  }
  if (i.a_format == Format::i4) i.k_offset &= ~1u;
  return i;
}

// Half of the instructions small, so that they are inside.
isa::Instruction tame(isa::test::Random& random, isa::Instruction i) {
  i.rows = std::min(i.rows, 0xffu);
  i.depth = std::min(i.depth, 0xffu);
  if (i.op != Opcode::rotary && i.op != Opcode::convert) i.cols = std::min(i.cols, 0x1ffu);
  if (i.op == isa::opcode(isa::Class::select, 1)) i.depth = std::min(i.depth, i.cols);
  if (i.extent != 0 && i.op != Opcode::read_address) i.extent = 1 + i.extent % 500;
  for (isa::LocalAddress* a : {&i.dst, &i.a, &i.b}) *a = isa::LocalAddress::from_raw(a->raw() & 0x8fff'ffffu);
  i.dram = DramAddress(i.dram.value & 0xffff'ffffu);
  for (std::uint8_t* reg : {&i.dst_reg, &i.a_reg, &i.b_reg, &i.dram_reg}) {
    if (*reg != 0 && isa::test::number(random, 0, 1) == 0) *reg = 0;
  }
  return i;
}

}  // namespace

TEST_CASE("the RTL finds the footprint of every opcode's words") {
  VerilatedContext context;
  Voperands_probe top{&context};
  top.scratchpad_bytes = top.accumulator_bytes = kLocalBytes;
  top.dram_bytes = kDramBytes;
  isa::test::Random random(1);
  for (int r = 1; r < 16; ++r) {  // small steps to both sides
    const auto value = static_cast<std::int64_t>(isa::test::number(random, 0, 4000)) - 2000;
    std::memcpy(&top.registers[2 * r], &value, 8);
  }
  for (const Opcode op : isa::opcodes()) {
    int checked = 0;
    for (int n = 0; n < 400; ++n) {
      isa::Instruction i = with_any_weight(random, isa::test::random_instruction(random, op));
      if (n % 2 == 0) i = tame(random, i);
      const isa::Word word = isa::encode(i);
      std::memcpy(&top.word[0], word.data(), word.size());
      top.eval();
      CHECK(top.known == 1);
      CHECK(top.unit == static_cast<int>(isa::unit_of(op)));

      const auto value = [&](int reg) {
        std::int64_t v = 0;
        std::memcpy(&v, &top.registers[2 * reg], 8);
        return v;
      };
      bool outside = false;
      const auto move = [&](isa::LocalAddress& address, std::uint8_t reg) {
        const std::int64_t byte = address.byte() + value(reg);
        outside = outside || byte < 0 || byte > 0x7fff'ffff;
        address = isa::LocalAddress::from_raw((address.raw() & 0x8000'0000u) |
                                              (static_cast<std::uint32_t>(byte) & 0x7fff'ffffu));
      };
      move(i.dst, i.dst_reg);
      move(i.a, i.a_reg);
      move(i.b, i.b_reg);
      const std::int64_t dram = static_cast<std::int64_t>(i.dram.value) + value(i.dram_reg);
      outside = outside || dram < 0;
      i.dram = DramAddress(static_cast<std::uint64_t>(dram));
      const isa::Footprint f = isa::footprint(i);
      outside = outside || !inside(f.read_ranges()) || !inside(f.write_ranges());
      if (outside) {
        INFO(isa::disassemble(i));
        CHECK(top.refused == (isa::unit_of(op) != isa::Unit::front_end || op == Opcode::read_address));
        continue;
      }
      const Touched found = touched_by(top);
      INFO(isa::disassemble(i));
      CHECK(same_ranges(found.reads, f.read_ranges()));
      CHECK(same_ranges(found.writes, f.write_ranges()));
      ++checked;
    }
    INFO(isa::name_of(op));
    CHECK(checked > 50);
  }
}
