// SPDX-License-Identifier: Apache-2.0
// Does the hand-written program that the README names multiply its matrices?
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <sstream>

#include "isa/program.h"
#include "support/interpreter.h"

using namespace tokencycle;
using namespace tokencycle::isa;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(TOKENCYCLE_SOURCE_DIR) + "/" + path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The program's machine after its halt.
test::Interpreter after(const Program& program) {
  test::Interpreter machine(1 << 16, 1 << 16, 1 << 12);
  machine.place(program.data);
  machine.run(program.words);
  return machine;
}

template <class T>
T dram_value(const test::Interpreter& machine, std::size_t address) {
  T value{};
  std::memcpy(&value, machine.dram.data() + address, sizeof value);
  return value;
}
float dram_f32(const test::Interpreter& machine, std::size_t address) {
  return dram_value<float>(machine, address);
}

}  // namespace

TEST_CASE("the hand-written matrix product is right") {
  const std::string text = text_of("tests/isa/programs/matmul.tcasm");
  const Program program = assemble(text, "matmul.tcasm");
  CHECK(assemble(disassemble(program), "again") == program);
  const test::Interpreter machine = after(program);
  const float sums[4] = {111, 222, 333, 0};  // of W's three values in each row
  for (std::size_t m = 0; m < 2; ++m) {
    for (std::size_t n = 0; n < 4; ++n) {
      INFO("m " << m << ", n " << n);
      CHECK(dram_f32(machine, 0x3000 + m * 16 + n * 4) == 32.0f * static_cast<float>(m + 1) * sums[n]);
    }
  }
  CHECK(machine.counts().instructions == 2 + 2 + 1 + 1 + 2 * 2 + 1 + 1);
}

TEST_CASE("one group may take several passes, and one pass several groups") {
  // The same product with passes of 16, and in one pass: Y is the same.
  const std::string program = text_of("tests/isa/programs/matmul.tcasm");
  const std::string head = program.substr(0, program.find("  ; The first group"));
  const std::string tail = program.substr(program.find("  store "));
  std::string halves;
  for (int k = 0; k < 96; k += 16) {
    const std::string offset = "k_offset=" + std::to_string(k);
    halves += "preload a=s:0x400 a_stride=384 a_format=f32 order=nk rows=16 cols=4 " + offset + "\n";
    halves += "multiply a=s:0 a_stride=384 a_format=f32 dst=a:0 dst_stride=16 rows=2 cols=4 depth=16 swap " +
              offset;
    halves += k % 32 == 0 ? " open" : " close";
    halves += k < 32 ? "\n" : " accumulate\n";
  }
  const std::string whole =
      "preload a=s:0x400 a_stride=384 a_format=f32 order=nk rows=96 cols=4\n"
      "multiply a=s:0 a_stride=384 a_format=f32 dst=a:0 dst_stride=16 rows=2 cols=4 depth=96 swap open "
      "close\n";
  for (const std::string& body : {halves, whole}) {
    const test::Interpreter machine = after(assemble(head + body + tail, "passes"));
    CHECK(dram_f32(machine, 0x3000) == 32.0f * 111);
    CHECK(dram_f32(machine, 0x3018) == 64.0f * 333);
    CHECK(dram_f32(machine, 0x301c) == 0.0f);
  }
}

TEST_CASE("loop nests step their registers and put them back") {
  // The nest writes 7 to six places; then r1 is 0x100 again, and r2 what the body added to it, 24.
  const std::string text =
      ".data 0 f32 7 1*32\n"
      "set_address r1=0x100\n"
      "loop count=3 until=x r1+=32\n"
      "  loop count=2 until=x r1+=4\n"
      "    load dst=s:0x0+r1 dram=0 rows=1 cols=4\n"
      "    add_address r2=4\n"
      "x:\n"
      "load dst=s:0x400 dram=4 rows=1 cols=128\n"
      "preload a=s:0x400 a_format=f32 order=nk rows=32 cols=1\n"
      "multiply a=s:0+r1 a_format=f32 dst=a:0+r2 rows=1 cols=1 depth=32 swap open close\n"
      "store a=a:24 dram=0x800 rows=1 cols=1 a_format=f32 dst_format=f32\n"
      "halt\n";
  const test::Interpreter machine = after(assemble(text, "loops"));
  CHECK(dram_f32(machine, 0x800) == 6 * 7.0f);
  CHECK(machine.counts().instructions == 1 + 1 + 3 * (1 + 2 * 2) + 5);
}

TEST_CASE("one matmul is the product of the passes") {
  const std::string program = text_of("tests/isa/programs/matmul.tcasm");
  const std::string head = program.substr(0, program.find("  ; The first group"));
  const std::string tail = program.substr(program.find("  store "));
  const std::string product =
      "matmul a=s:0 a_stride=384 b=s:0x400 b_stride=384 b_format=f32 order=nk dst=a:0 dst_stride=16 rows=2 "
      "cols=4 depth=96\n";
  const test::Interpreter once = after(assemble(head + product + tail, "once"));
  CHECK(dram_f32(once, 0x3000) == 32.0f * 111);
  CHECK(dram_f32(once, 0x3018) == 64.0f * 333);
  CHECK(dram_f32(once, 0x301c) == 0.0f);
  const std::string again = product.substr(0, product.size() - 1) + " accumulate\n";
  const test::Interpreter twice = after(assemble(head + product + again + tail, "twice"));
  CHECK(dram_f32(twice, 0x3018) == 2 * 64.0f * 333);
}

TEST_CASE("plain integers are summed over the whole depth, modulo 2^32, wherever the weight is") {
  // X = (-128, 127, -1) in i8; W = (7, -8, 3) and (-2, 0, 1) in i4, the earlier one in the low half.
  const std::string data = ".data 0 i8 -128 127 -1 0\n.data 16 hex 87 03 0e 01\n";
  const std::string loads = "load dst=s:0 dram=0 rows=1 cols=4\nload dst=s:16 dram=16 rows=1 cols=4\n";
  const std::string store = "store a=a:0 dram=0x100 rows=1 cols=2 a_format=u32 dst_format=u32\nhalt\n";
  const std::string shape = "dst=a:0 dst_stride=8 depth=3 ";
  const std::string matmul =
      "matmul a=s:0 b=s:16 b_stride=2 b_format=i4 order=nk " + shape + "rows=1 cols=2\n";
  const std::string weights_stay =
      "preload a=s:16 a_stride=2 a_format=i4 order=nk rows=3 cols=2\nmultiply a=s:0 a_format=i8 " + shape +
      "rows=1 cols=2 swap open close\n";
  const std::string inputs_stay =
      "preload a=s:0 a_format=i8 order=nk rows=3 cols=1\nmultiply a=s:16 a_stride=2 a_format=i4 " + shape +
      "rows=2 cols=1 swap open close transposed\n";
  for (const std::string& body : {matmul, weights_stay, inputs_stay}) {
    const test::Interpreter machine = after(assemble(data + loads + body + store, "integers"));
    CHECK(dram_value<std::int32_t>(machine, 0x100) == -128 * 7 + 127 * -8 + -1 * 3);
    CHECK(dram_value<std::int32_t>(machine, 0x104) == -128 * -2 + -1);
  }
  // (-128)^2 is 2^14; 2^17 of them are 2^31, one more than an int32 holds.
  const std::string square = "matmul a=s:32 b=s:32 b_format=i8 dst=a:0 rows=1 cols=1 depth=1";
  const std::string squares = "load dst=s:32 dram=0 rows=1 cols=1\n" + square +
                              "\nloop count=131071 until=end\n" + square + " accumulate\nend:\n";
  const test::Interpreter wrapped = after(assemble(data + squares + store, "wrap"));
  CHECK(dram_value<std::uint32_t>(wrapped, 0x100) == 0x8000'0000u);
}
