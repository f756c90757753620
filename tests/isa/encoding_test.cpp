// SPDX-License-Identifier: Apache-2.0
// Is a word what its instruction says, and the instruction what its word says?

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"
#include "isa/encoding.h"
#include "isa/fields.h"
#include "random_program.h"

using namespace tokencycle;
using namespace tokencycle::isa;
using test::Random;

namespace {

std::uint64_t bits_of(const Word& word, std::uint32_t first, std::uint32_t count) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t bit = first + i;
    const bool set = (std::to_integer<unsigned>(word[bit / 8]) >> (bit % 8) & 1u) != 0;
    value |= std::uint64_t{set} << i;
  }
  return value;
}

}  // namespace

namespace {
Opcode opcode_at(int round) {
  return opcodes()[static_cast<std::size_t>(round) % opcodes().size()];
}
}  // namespace

TEST_CASE("opcodes have names, units and layouts") {
  std::set<std::string_view> names;
  for (const Opcode op : opcodes()) {
    names.insert(name_of(op));
    Opcode found{};
    REQUIRE(opcode_from_name(name_of(op), found));
    CHECK(found == op);
  }
  CHECK(names.size() == opcodes().size());
  CHECK(std::is_sorted(opcodes().begin(), opcodes().end()));
  Opcode none{};
  CHECK_FALSE(opcode_from_name("jump", none));
  CHECK(unit_of(Opcode::loop) == Unit::front_end);
  CHECK(unit_of(Opcode::gather) == Unit::load);
  CHECK(unit_of(Opcode::store) == Unit::store);
  CHECK(unit_of(Opcode::preload) == Unit::matrix);
  CHECK(unit_of(Opcode::argmax) == Unit::vector);
  CHECK(name_of(Unit::vector) == "vector");
}

TEST_CASE("a load's fields lie at fixed places") {
  Instruction i;
  i.op = Opcode::load;
  i.dst = LocalAddress::scratchpad(0x123456);
  i.dst_reg = 3;
  i.dst_stride = 0xabcdef;
  i.dram = DramAddress(0x8765'4321'fedc);
  i.dram_reg = 15;
  i.dram_stride = 0xfeed'beef;
  i.rows = 0xbeef;
  i.cols = 0xc0ffee;
  const Word word = encode(i);
  CHECK(bits_of(word, 0, 7) == 0);  // function
  CHECK(bits_of(word, 7, 4) == 1);  // class
  CHECK(bits_of(word, 11, 16) == 0xbeef);
  CHECK(bits_of(word, 27, 24) == 0xc0ffee);
  CHECK(bits_of(word, 51, 32) == 0x123456);
  CHECK(bits_of(word, 83, 4) == 3);
  CHECK(bits_of(word, 87, 24) == 0xabcdef);
  CHECK(bits_of(word, 111, 60) == 0);
  CHECK(bits_of(word, 171, 48) == 0x8765'4321'fedc);
  CHECK(bits_of(word, 219, 4) == 15);
  CHECK(bits_of(word, 223, 32) == 0xfeed'beef);
  CHECK(bits_of(word, 255, 1) == 0);
  CHECK(decode(word) == i);
}

TEST_CASE("signed fields keep their sign at the ends of their ranges") {
  for (std::int64_t value : {std::int64_t{-1}, -(std::int64_t{1} << 47), (std::int64_t{1} << 47) - 1}) {
    Instruction i;
    i.op = Opcode::add_address;
    i.reg = 15;
    i.value = value;
    CHECK(decode(encode(i)).value == value);
  }
  Instruction loop;
  loop.op = Opcode::loop;
  loop.count = 0xff'ffff;
  loop.length = 0xffff;
  loop.steps = {LoopStep{1, -1}, LoopStep{15, std::numeric_limits<std::int32_t>::min()},
                LoopStep{2, std::numeric_limits<std::int32_t>::max()}, LoopStep{1, 0}};
  CHECK(decode(encode(loop)) == loop);
}

TEST_CASE("random instructions of every opcode survive the round trip") {
  Random random(1);
  for (int round = 0; round < 10000; ++round) {
    const Instruction i = test::random_instruction(random, opcode_at(round));
    const Word word = encode(i);
    INFO(name_of(i.op) << " in round " << round);
    REQUIRE(decode(word) == i);
    REQUIRE(encode(decode(word)) == word);
  }
}

TEST_CASE("a word of random bits is refused, or is exactly what its instruction encodes to") {
  Random random(2);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const Opcode op = opcode_at(round);
    Word word;
    if (round % 2 == 0) {
      word = encode(test::random_instruction(random, op));
    } else {
      for (std::byte& b : word) b = static_cast<std::byte>(random());
      word[0] = static_cast<std::byte>(static_cast<unsigned>(op) & 0xff);
      word[1] &= std::byte{0xf8};
      word[1] |= static_cast<std::byte>(static_cast<unsigned>(op) >> 8);
      if (random() % 100 == 0) word[0] ^= std::byte{0x40};  // no such function
      const Layout& layout = layout_of(op);  // most unused bits cleared, or hardly a word would pass
      for (std::size_t b = 0; b < kWordBytes && random() % 16 != 0; ++b) {
        word[b] &= ~static_cast<std::byte>(layout.unused[b / 8] >> (b % 8 * 8));
      }
    }
    for (std::uint64_t flips = random() % 4; flips > 0; --flips) {
      const std::uint64_t bit = random() % (kWordBytes * 8);
      word[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    }
    try {
      const Instruction i = decode(word);
      REQUIRE(encode(i) == word);
      ++accepted;
    } catch (const ProgramError&) {
      ++refused;
    }
  }
  CHECK(accepted > 2000);
  CHECK(refused > 2000);
}

TEST_CASE("every single stray bit is refused") {
  Random random(3);
  for (const Opcode op : opcodes()) {
    const Word word = encode(test::random_instruction(random, op));
    for (std::uint32_t bit = kOpcodeBits; bit < kWordBytes * 8; ++bit) {
      if ((layout_of(op).unused[bit / 64] >> (bit % 64) & 1u) == 0) continue;
      Word stray = word;
      stray[bit / 8] |= static_cast<std::byte>(1u << (bit % 8));
      INFO(name_of(op) << " bit " << bit);
      CHECK_THROWS_WITH(decode(stray), Catch::Contains("bit " + std::to_string(bit) + " of the word is set"));
    }
  }
}

TEST_CASE("an unknown opcode is refused by number") {
  Word word{};
  word[0] = std::byte{0x7f};
  CHECK_THROWS_AS(decode(word), ProgramError);
  CHECK_THROWS_WITH(decode(word), Catch::Contains("unknown opcode: class 0, function 127"));
  CHECK_THROWS_WITH(decode(word), Catch::Contains("class control has 0 nop, 1 halt, 2 fence"));
  Instruction i;
  i.op = opcode(static_cast<Class>(kClasses), 3);
  CHECK_THROWS_WITH(encode(i), Catch::Contains("class 10, function 3") && Catch::Contains("classes 0 .. 9"));
}
