// SPDX-License-Identifier: Apache-2.0
// Is a word what its instruction says, and the instruction what its word says?
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

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

TEST_CASE("opcodes have names, units and layouts") {
  std::set<std::string_view> names;
  for (int o = 0; o < kOpcodes; ++o) {
    const auto op = static_cast<Opcode>(o);
    names.insert(name_of(op));
    Opcode found{};
    REQUIRE(opcode_from_name(name_of(op), found));
    CHECK(found == op);
  }
  CHECK(names.size() == kOpcodes);
  Opcode none{};
  CHECK_FALSE(opcode_from_name("jump", none));
  CHECK(unit_of(Opcode::loop) == Unit::front_end);
  CHECK(unit_of(Opcode::gather) == Unit::load);
  CHECK(unit_of(Opcode::store) == Unit::store);
  CHECK(unit_of(Opcode::preload) == Unit::matrix);
  CHECK(unit_of(Opcode::argmax) == Unit::vector);
  CHECK(name_of(Unit::vector) == "vector");
}

TEST_CASE("a load's fields lie where the README says") {
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
  CHECK(bits_of(word, 0, 8) == 6);
  CHECK(bits_of(word, 8, 32) == 0x123456);
  CHECK(bits_of(word, 40, 4) == 3);
  CHECK(bits_of(word, 44, 24) == 0xabcdef);
  CHECK(bits_of(word, 68, 48) == 0x8765'4321'fedc);
  CHECK(bits_of(word, 116, 4) == 15);
  CHECK(bits_of(word, 120, 32) == 0xfeed'beef);
  CHECK(bits_of(word, 152, 16) == 0xbeef);
  CHECK(bits_of(word, 168, 24) == 0xc0ffee);
  CHECK(bits_of(word, 192, 64) == 0);
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
    const Instruction i = test::random_instruction(random, static_cast<Opcode>(round % kOpcodes));
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
    const auto op = static_cast<Opcode>(round % kOpcodes);
    Word word;
    if (round % 2 == 0) {
      word = encode(test::random_instruction(random, op));
    } else {
      for (std::byte& b : word) b = static_cast<std::byte>(random());
      word[0] = static_cast<std::byte>(round % (kOpcodes + 1));
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
  for (int o = 0; o < kOpcodes; ++o) {
    const auto op = static_cast<Opcode>(o);
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
  word[0] = std::byte{0xfe};
  CHECK_THROWS_AS(decode(word), ProgramError);
  CHECK_THROWS_WITH(decode(word), Catch::Contains("unknown opcode 0xfe"));
  Instruction i;
  i.op = static_cast<Opcode>(kOpcodes);
  CHECK_THROWS_WITH(encode(i), Catch::Contains("unknown opcode 0x19"));
}

TEST_CASE("the README's encoding table is the code's") {
  std::ifstream file(std::string(TOKENCYCLE_SOURCE_DIR) + "/sim/isa/README.md");
  std::stringstream text;
  text << file.rdbuf();
  for (int o = 0; o < kOpcodes; ++o) {
    const auto op = static_cast<Opcode>(o);
    std::ostringstream row;
    row << "`" << name_of(op) << "` | " << name_of(unit_of(op)) << " | ";
    std::uint32_t end = kOpcodeBits;
    for (const PlacedField& p : layout_of(op).fields()) {
      row << (end == kOpcodeBits ? "" : ", ") << info_of(p.field).name << " " << int{p.first_bit} << ":"
          << int{p.bits};
      end = std::uint32_t{p.first_bit} + p.bits;
    }
    row << (end == kOpcodeBits ? "none" : "") << " | " << end << " |";
    INFO(row.str());
    CHECK(text.str().find(row.str()) != std::string::npos);
  }
}
