// SPDX-License-Identifier: Apache-2.0
// Does the README's hand-written program multiply its matrices?
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "interpreter.h"

using namespace tokencycle::isa;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(TOKENCYCLE_SOURCE_DIR) + "/" + path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the hand-written matrix product is right, as a file and as the README shows it") {
  const std::string readme = text_of("sim/isa/README.md");
  const std::size_t first = readme.find(".data 0x1000");
  const std::string shown = readme.substr(first, readme.find("```", first) - first);
  for (const std::string& text : {text_of("tests/isa/programs/matmul.tcasm"), shown}) {
    const Program program = assemble(text, "matmul.tcasm");
    CHECK(assemble(disassemble(program), "again") == program);
    test::Interpreter machine(1 << 16);
    machine.run(program);
    const float sums[4] = {111, 222, 333, 0};  // of W's three values in each row
    for (std::size_t m = 0; m < 2; ++m) {
      for (std::size_t n = 0; n < 4; ++n) {
        INFO("m " << m << ", n " << n);
        CHECK(machine.dram_f32(0x3000 + m * 16 + n * 4) == 32.0f * static_cast<float>(m + 1) * sums[n]);
      }
    }
    CHECK(machine.executed() == 2 + 2 + 1 + 1 + 2 * 2 + 1 + 1);
  }
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
    test::Interpreter machine(1 << 16);
    machine.run(assemble(head + body + tail, "passes"));
    CHECK(machine.dram_f32(0x3000) == 32.0f * 111);
    CHECK(machine.dram_f32(0x3018) == 64.0f * 333);
    CHECK(machine.dram_f32(0x301c) == 0.0f);
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
  test::Interpreter machine(1 << 12);
  machine.run(assemble(text, "loops"));
  CHECK(machine.dram_f32(0x800) == 6 * 7.0f);
  CHECK(machine.executed() == 1 + 1 + 3 * (1 + 2 * 2) + 5);
}
