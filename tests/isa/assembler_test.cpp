// SPDX-License-Identifier: Apache-2.0
// Is assembly text the program it says, and does every mistake in it name its place and its remedy?
#include <bit>
#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"
#include "random_program.h"

using namespace tokencycle;
using namespace tokencycle::isa;
using test::Random;

namespace {

Instruction one(const std::string& line) {
  const Program p = assemble(line, "t.tcasm");
  REQUIRE(p.words.size() == 1);
  return decode(p.words[0]);
}

std::string message_of(const std::string& text) {
  try {
    assemble(text, "t.tcasm");
  } catch (const ProgramError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("operands become fields") {
  const Instruction load =
      one("load dst=s:0x100+r1 dst_stride=68 dram=0x4000+r2 dram_stride=68 rows=32 cols=2176");
  CHECK(load.op == Opcode::load);
  CHECK(load.dst == LocalAddress::scratchpad(0x100));
  CHECK(load.dst_reg == 1);
  CHECK(load.dst_stride == 68);
  CHECK(load.dram == DramAddress(0x4000));
  CHECK(load.dram_reg == 2);
  CHECK(load.dram_stride == 68);
  CHECK(load.rows == 32);
  CHECK(load.cols == 2176);

  const Instruction multiply =
      one("multiply cols=16 swap a=s:8 depth=0x10 open dst=a:0x40+r15 rows=1 a_format=q8_0 close k_offset=16 "
          "accumulate");
  CHECK(multiply.dst == LocalAddress::accumulator(0x40));
  CHECK(multiply.dst_reg == 15);
  CHECK(multiply.a_format == Format::q8_0);
  CHECK(multiply.depth == 16);
  CHECK((multiply.swap && multiply.open && multiply.close && multiply.accumulate));

  CHECK(one("preload a=s:0 a_format=f16 order=kn rows=1 cols=1").order == TileOrder::kn);
  CHECK(one("rotary dst=s:0 a=s:0 b=s:0 rows=1 cols=4 head=4 rotate=2 pairs=split").pairs ==
        RotaryPairs::split);
  CHECK(one("scale dst=s:0 a=s:0 rows=1 cols=1 scalar=-1.25e-3").scalar == -1.25e-3f);
  CHECK(one("fence units=load,vector").units == 0b10010);
  CHECK(one("set_address r7=0x100").value == 256);
  CHECK(one("add_address r7=-0x40").value == -64);
}

TEST_CASE("loops take a length or a label behind the body") {
  const std::string text =
      "loop count=8 until=done r1+=2176 r3+=-128 ; comment\n"
      "  nop\n"
      "inner: loop count=2 length=1\n"
      "  nop\n"
      "done:\n"
      "halt\n";
  const Program p = assemble(text, "t.tcasm");
  REQUIRE(p.words.size() == 5);
  const Instruction loop = decode(p.words[0]);
  CHECK(loop.length == 3);
  CHECK(loop.steps[0] == LoopStep{1, 2176});
  CHECK(loop.steps[1] == LoopStep{3, -128});
  CHECK(loop.steps[2] == LoopStep{});
  CHECK(decode(p.words[2]).length == 1);
}

TEST_CASE("directives make data, operators, sections and the machine's name") {
  const std::string text =
      ".machine \"edge, small\"\r\n"
      ".data 0x10 f32 1.5 -2*2\n"
      ".data + u8 255\n"
      ".data 32 hex 00fF a1\n"
      ".data 0x40 f16 1 0.333333\n"
      ".data + bf16 1\n"
      ".data + u32 4294967295\n"
      ".data 0x80 u8\n"
      ".operator blk.0.attn_q layer=0\n"
      "nop\n"
      ".operator \"a \\\"b\\\" \\x07\"\n"
      "nop\nnop\n"
      ".end\n"
      "halt\n"
      ".operator blk.0.attn_q layer=0\n";
  const Program p = assemble(text, "t.tcasm");
  CHECK(p.machine == "edge, small");
  REQUIRE(p.data.size() == 4);
  CHECK(p.data[0].address == DramAddress(16));
  REQUIRE(p.data[0].bytes.size() == 13);
  float values[3];
  std::memcpy(values, p.data[0].bytes.data(), sizeof values);
  CHECK(values[0] == 1.5f);
  CHECK((values[1] == -2.0f && values[2] == -2.0f));
  CHECK(p.data[0].bytes[12] == std::byte{255});
  CHECK(p.data[1].bytes == std::vector{std::byte{0}, std::byte{0xff}, std::byte{0xa1}});
  const std::vector half = {std::byte{0x00}, std::byte{0x3c}, std::byte{0x55}, std::byte{0x35},
                            std::byte{0x80}, std::byte{0x3f}, std::byte{0xff}, std::byte{0xff},
                            std::byte{0xff}, std::byte{0xff}};
  CHECK(p.data[2].bytes == half);
  CHECK(p.data[3].bytes.empty());
  REQUIRE(p.operators.size() == 2);
  CHECK(p.operators[0] == OperatorName{"blk.0.attn_q", 0});
  CHECK(p.operators[1] == OperatorName{"a \"b\" \a", -1});
  REQUIRE(p.sections.size() == 3);
  CHECK(p.sections[0] == Section{0, 1, 0});
  CHECK(p.sections[1] == Section{1, 2, 1});
  CHECK(p.sections[2] == Section{4, 0, 0});
}

TEST_CASE("mistakes are placed and explained") {
  const std::pair<std::string, std::string> mistakes[] = {
      {"nop\n  lead dst=s:0",
       "t.tcasm:2:3: unknown instruction \"lead\" (did you mean \"load\"?); allowed: nop, "},
      {"frobnicate", "t.tcasm:1:1: unknown instruction \"frobnicate\"; allowed: nop"},
      {"load dst=s:0 row=1",
       "t.tcasm:1:14: load has no operand \"row\" (did you mean \"rows\"?); allowed: dst, "
       "dst_stride, dram, dram_stride, rows, cols"},
      {"nop x", "t.tcasm:1:5: nop has no operand \"x\"; allowed: none"},
      {"load rows=1 rows=2", "t.tcasm:1:13: \"rows\" is given twice"},
      {"loop until=x until=y", "t.tcasm:1:14: a loop takes one until= or length="},
      {"load rows", "t.tcasm:1:6: \"rows\" needs a value: rows=..."},
      {"load rows=", "t.tcasm:1:11: rows is \"\"; expected a number"},
      {"load rows=1x", "t.tcasm:1:11: rows is \"1x\"; expected a number, decimal or 0x hexadecimal"},
      {"load rows=-1", "t.tcasm:1:11: rows is -1; allowed: 0 .. 65535"},
      {"load rows=99999999999999999999", "t.tcasm:1:11: rows is 99999999999999999999; allowed: 0 .. 65535"},
      {"load dst=256", "t.tcasm:1:10: dst is \"256\"; expected s:BYTE (scratchpad) or a:BYTE"},
      {"load dst=s:0x80000000", "t.tcasm:1:12: dst is 0x80000000; allowed: 0 .. 2147483647"},
      {"load dst=s:0+r16", "t.tcasm:1:15: the register's number is 16; allowed: 0 .. 15"},
      {"load dst=s:0+x", "t.tcasm:1:14: \"x\" is no address register; allowed: r0 .. r15"},
      {"load dram=0x1000000000000", "t.tcasm:1:11: dram is 0x1000000000000; allowed: 0 .. 281474976710655"},
      {"load rows=1 cols=1 dst=a:0", "t.tcasm:1:1: load: dst is in the accumulator memory"},
      {"  load cols=1", "t.tcasm:1:3: load: rows is 0; it must be at least 1"},
      {"preload a_format=q8_00",
       "t.tcasm:1:18: a_format is \"q8_00\" (did you mean \"q8_0\"?); allowed: f32, f16"},
      {"preload order=kk", "t.tcasm:1:15: order is \"kk\""},
      {"multiply swap=1", "t.tcasm:1:10: \"swap\" is a bare word without a value"},
      {"scale scalar=1,5", "t.tcasm:1:14: scalar is \"1,5\"; expected a decimal number"},
      {"scale scalar=1e99", "t.tcasm:1:14: scalar is \"1e99\"; expected a number within the range of fp32"},
      {"fence units=load,vektor", "t.tcasm:1:18: \"vektor\" is no unit (did you mean \"vector\"?)"},
      {"fence units=front_end",
       "t.tcasm:1:13: \"front_end\" is no unit; allowed: load, store, matrix, vector"},
      {"fence", "t.tcasm:1:1: fence: units is 0x0"},
      {"set_address r0=1", "t.tcasm:1:14: the register's number is 0; allowed: 1 .. 15"},
      {"set_address r1=1 r2=2", "t.tcasm:1:18: set_address takes one register"},
      {"set_address x=1", "t.tcasm:1:13: set_address has no operand \"x\""},
      {"loop count=2 length=1 r1+=1 r2+=1 r3+=1 r4+=1 r5+=1\nnop",
       "t.tcasm:1:47: a loop has at most 4 steps"},
      {"loop count=2 length=1 r1+=4294967296\nnop",
       "t.tcasm:1:27: the step is 4294967296; allowed: -2147483648"},
      {"loop count=2 until=don\nnop\ndone:", "t.tcasm:1:20: unknown label \"don\" (did you mean \"done\"?)"},
      {"loop count=2 length=1 until=x\nnop\nx:", "t.tcasm:1:23: a loop takes one until= or length="},
      {"x: loop count=2 until=x\nnop", "t.tcasm:1:23: label \"x\" (line 1) leaves no instruction"},
      {"nop\nloop count=2 length=2\nnop",
       "t.tcasm:2:1: loop: the body ends at word 4, but the program has 3"},
      {"x:\nx:", "t.tcasm:2:1: label \"x\" is already on line 1"},
      {":", "t.tcasm:1:1: a label needs a name"},
      {".dta 0 u8", "t.tcasm:1:1: unknown directive \".dta\" (did you mean \".data\"?)"},
      {".data 0", "t.tcasm:1:1: .data takes an address"},
      {".data + u8 1", "t.tcasm:1:7: there is no segment before to continue"},
      {".data 0 u8 256", "t.tcasm:1:12: a u8 is 256; allowed: 0 .. 255"},
      {".data 0 u8 1*0", "t.tcasm:1:14: the count is 0; allowed: 1 .. 1048576"},
      {".data 0 f32 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 "
       "1*1048576 "
       "1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1048576 1*1",
       "t.tcasm:1:173: all repeated values together would make more than 64 MiB"},
      {"\x1b[31m", "t.tcasm:1:1: unknown instruction \"\\x1b[31m\""},
      {".data 0 q8_0 1", "t.tcasm:1:14: q8_0 values cannot be written one by one; give the bytes as hex"},
      {".data 0 hex 0", "t.tcasm:1:13: hex bytes need two digits each"},
      {".data 0 hex 0g", "t.tcasm:1:14: 'g' is no hexadecimal digit"},
      {".data 0xffffffffffff u8 1 2",
       "t.tcasm:1:7: 2 bytes at 0xffffffffffff exceed the 48-bit DRAM addresses"},
      {".operator", "t.tcasm:1:1: .operator takes a name"},
      {".operator a,b", "t.tcasm:1:11: \"a,b\" is no name; put names"},
      {".operator a lyer=1", "t.tcasm:1:13: \"lyer=1\" is unknown here; allowed: layer=N"},
      {".operator \"a", "t.tcasm:1:11: the quote does not end on this line"},
      {".operator \"a\\n\"", "t.tcasm:1:13: unknown escape in a quoted name"},
      {".operator \"a\\x1\"", "t.tcasm:1:13: unknown escape in a quoted name"},
      {".operator \"a\"b", "t.tcasm:1:14: expected a blank after the quoted name"},
      {".declare a\n.declare a", "t.tcasm:2:10: operator a is already declared"},
      {".end", "t.tcasm:1:1: .end without an .operator before it"},
      {".machine a b", "t.tcasm:1:1: .machine takes one name"},
  };
  for (const auto& [text, message] : mistakes) {
    INFO(text);
    CHECK_THAT(message_of(text), Catch::StartsWith(message));
  }
}

TEST_CASE("an instruction's text assembles to the instruction") {
  Random random(8);
  for (int round = 0; round < 6000; ++round) {
    Instruction i =
        test::random_instruction(random, opcodes()[static_cast<std::size_t>(round) % opcodes().size()]);
    i.length = i.length % 40 + (i.op == Opcode::loop ? 1 : 0);
    std::string text = disassemble(i);
    INFO(text);
    for (std::uint32_t body = 0; body < i.length; ++body) text += "\nnop";
    const Program p = assemble(text, "t.tcasm");
    REQUIRE(p.words.at(0) == encode(i));
    REQUIRE(p.words.size() == 1 + i.length);
  }
}

TEST_CASE("a program's text assembles to the program") {
  Random random(9);
  for (int round = 0; round < 400; ++round) {
    const Program p = test::random_program(random, 60);
    const std::string text = disassemble(p);
    INFO(text);
    REQUIRE(assemble(text, "t.tcasm") == p);
  }
}

TEST_CASE("disassembly shows labels, sections and word indices") {
  const std::string text =
      ".operator head layer=2\n"
      "  loop count=2 until=x r1+=64\n"
      "  loop count=3 until=x\n"
      "  load dst=s:0+r1 dram=64 rows=2 cols=8\n"
      "x: .end\n"
      "halt";
  CHECK(disassemble(assemble(text, "t.tcasm")) ==
        "; instruction set 2, 4 words\n"
        ".operator head layer=2\n"
        "  loop count=2 until=end_3 r1+=64  ; 0: 2 times 2 words\n"
        "    loop count=3 until=end_3  ; 1: 3 times 1 words\n"
        "      load dst=s:0x0+r1 dram=0x40 rows=2 cols=8  ; 2: 16 bytes\n"
        "end_3:\n"
        ".end\n"
        "  halt  ; 3\n");
}

TEST_CASE("damaged text is refused or assembles, and never fails otherwise") {
  Random random(10);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = disassemble(test::random_program(random, 12));
    for (std::uint64_t n = test::number(random, 1, 4); n > 0; --n) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1);
      } else {
        text[at] = "=:+,.\"\\; \nr0x9*-\xff"[random() % 17];
      }
    }
    try {
      const Program p = assemble(text, "t.tcasm");
      REQUIRE(assemble(disassemble(p), "t.tcasm") == p);
      ++accepted;
    } catch (const ProgramError& error) {
      REQUIRE_THAT(error.what(), Catch::StartsWith("t.tcasm:"));
      ++refused;
    }
  }
  CHECK(accepted > 50);
  CHECK(refused > 50);
}
