// SPDX-License-Identifier: Apache-2.0
// Programs that the machine must refuse, and corners of the instruction set that it must not.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <utility>

#include "base/error.h"
#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;
using Catch::Matchers::Contains;

namespace {

std::string error_of(const std::string& text, const config::Machine& machine = plain_machine()) {
  try {
    run_text(machine, text);
  } catch (const SimulationError& e) {
    return e.what();
  }
  return "";
}

const std::string kTile = "preload a=s:0 a_stride=64 a_format=f32 order=kn rows=8 cols=8\n";
const std::string kPass =
    "multiply a=s:0x1000 a_stride=64 a_format=f32 dst=a:0 dst_stride=32 rows=4 cols=8 depth=8 open close ";
const std::string kMatmul =
    "matmul a=s:0x1000 a_stride=64 b=s:0 b_stride=64 b_format=f32 order=kn dst=a:0 dst_stride=32 rows=4 "
    "cols=8 "
    "depth=8\n";

// A tile of one format and rows of another.
std::string product(const std::string& tile, const std::string& moving,
                    const std::string& ends = "open close") {
  return "preload a=s:0 a_stride=128 order=nk rows=8 cols=8 a_format=" + tile +
         "\nmultiply a=s:0x1000 a_stride=128 dst=a:0 dst_stride=32 rows=4 cols=8 depth=8 swap a_format=" +
         moving + " " + ends + "\nhalt";
}

}  // namespace

TEST_CASE("bytes outside a memory stop the machine with word, opcode, place and capacity") {
  CHECK_THAT(error_of("nop\nload dst=s:0x3fff dram=0 rows=1 cols=2\nhalt"),
             Contains("word 1") && Contains("load") && Contains("write bytes 16383 to 16385") &&
                 Contains("scratchpad") && Contains("16384"));
  CHECK_THAT(error_of("nop\nnop\nload dst=s:0 dram=0xfffff rows=1 cols=2\nhalt"),
             Contains("word 2") && Contains("load") && Contains("read bytes 1048575 to 1048577") &&
                 Contains("DRAM"));
  CHECK_THAT(error_of("nop\nscale dst=s:0 a=a:4096 rows=1 cols=1 scalar=1\nhalt"),
             Contains("word 1") && Contains("scale") && Contains("read bytes 4096 to 4100") &&
                 Contains("accumulator") && Contains("4096"));
  CHECK_THAT(error_of("nop\nset_address r3=-8\nload dst=s:4+r3 dram=0 rows=1 cols=2\nhalt"),
             Contains("word 2") && Contains("r3") && Contains("-4"));
  // The last byte is inside.
  CHECK(error_of("load dst=s:0x3fff dram=0xfffff rows=1 cols=1\nscale dst=s:0 a=a:4092 rows=1 cols=1 "
                 "scalar=1\nhalt") == "");
}

TEST_CASE("an error in the first word names its opcode") {
  CHECK_THAT(error_of("load dst=s:0x3fff dram=0 rows=1 cols=2\nhalt"),
             Contains("word 0") && Contains("load"));
}

TEST_CASE("a word that is no instruction is refused by its opcode") {
  isa::Program program = isa::assemble("nop\nload dst=s:0 dram=0 rows=1 cols=2\nhalt", "test");
  program.words[2][0] = std::byte{0x7f};
  std::string error;
  try {
    run_on(plain_machine(), program, {});
  } catch (const SimulationError& e) {
    error = e.what();
  }
  CHECK_THAT(error, Contains("word 2: unknown opcode: class 0, function 127"));
}

TEST_CASE("an index behind the table's last row stops the machine with an error that names the word") {
  const std::string error = error_of(
      ".data 0 u32 0x1000000\nload dst=s:0 dram=0 rows=1 cols=4\n"
      "gather dst=s:64 dram=0x800 dram_stride=64 rows=1 cols=64 a=s:0 dst_stride=64 table_rows=7\nhalt");
  CHECK_THAT(error, Contains("word 1: gather: index 16777216 of row 0, but the table has 7 rows"));
}

TEST_CASE(
    "a word of the scratchpad or a count beyond its bound stops the machine with word, place and value") {
  CHECK_THAT(
      error_of(".data 0 u32 9\nload dst=s:64 dram=0 rows=1 cols=4\n"
               "read_address r1=0 a=s:64 word_stride=16 extent=9\nhalt"),
      Contains("word 1: read_address: the word at scratchpad byte 64 is 9; it must be below 9 (extent)"));
  CHECK_THAT(error_of("read_address r1=0 a=s:0x3ffd extent=1\nhalt"),
             Contains("word 0: read_address: it would read bytes 16381 to 16385 of the scratchpad"));
  for (const char* const value : {"3", "-1", "0x100000000"}) {
    CHECK_THAT(
        error_of(std::string("set_address r7=") + value + "\nloop count=2 times=r7 length=1\nnop\nhalt"),
        Contains("word 1: loop: address register r7 says") && Contains("allowed: 0 .. 2 (count)"));
  }
  CHECK(error_of("set_address r7=2\nloop count=2 times=r7 length=1\nnop\nhalt") == "");
}

TEST_CASE("a machine without links stops at what would go over one") {
  CHECK_THAT(error_of("nop\nsend a=s:0 rows=1 cols=4 link=2\nhalt"),
             Contains("word 1: send: this machine has no links"));
  CHECK_THAT(error_of("receive dst=s:0 rows=1 cols=4\nhalt"),
             Contains("word 0: receive: this machine has no links"));
}

TEST_CASE("running past the last word is an error of its own, not a matter for the watchdog") {
  const std::string error = error_of("nop\nnop\nnop");
  CHECK_THAT(error, Contains("word 3") && Contains("halt") && !Contains("watchdog"));
}

TEST_CASE("a program that stands still ends with the units' state") {
  config::Machine m = plain_machine();
  m.watchdog_cycles = 20;  // less than a load takes
  CHECK_THAT(error_of("load dst=s:0 dram=0 rows=1 cols=64\nhalt", m),
             Contains("20 cycles") && Contains("decode:") && Contains("dma0.read:"));
  m.fetch.requests_in_flight = 0;  // nobody ever has anything to do
  CHECK_THAT(error_of("halt", m), Contains("20 cycles") && Contains("at cycle 21") && Contains("fetch_wait"));
}

TEST_CASE("a wait that nothing signals ends with the watchdog, which names the semaphore") {
  config::Machine m = plain_machine();
  m.watchdog_cycles = 100;
  CHECK_THAT(error_of("signal semaphore=2\nwait semaphore=2\nnop\nwait semaphore=2\nhalt", m),
             Contains("100 cycles") && Contains("word 3, semaphore_wait") && Contains("wait semaphore=2") &&
                 Contains("nothing has signalled semaphore 2"));
  CHECK(
      error_of("signal semaphore=2 units=load\nsignal semaphore=2\nwait semaphore=2\nwait semaphore=2\nhalt",
               m) == "");
}

TEST_CASE("a clock that would run out of simulation time stops the machine, and the next one runs") {
  config::Machine m = plain_machine();
  m.clock_ghz = 0.001;  // 10^6 of the kernel's picoseconds a cycle, of which it can count 2^64 - 1
  m.watchdog_cycles = 100'000'000'000'000;
  m.fetch.requests_in_flight = 0;  // nobody ever has anything to do
  CHECK_THAT(error_of("halt", m), Contains("after cycle 2 nothing happens before cycle 100000000000001") &&
                                      Contains("the simulation's time ends with cycle 1844") &&
                                      Contains("clock_ghz") && Contains("watchdog_cycles"));
  m.fetch.requests_in_flight = 1;
  CHECK(error_of("halt", m) == "");
}

TEST_CASE("a tile or a pass that the array cannot hold is refused") {
  CHECK_THAT(error_of("preload a=s:0 a_stride=64 a_format=f32 order=kn rows=9 cols=8\nhalt"),
             Contains("word 0") && Contains("9 x 8") && Contains("8 x 8"));
  config::Machine m = plain_machine();
  m.matrix.group_buffer_rows = 3;
  CHECK_THAT(
      error_of(
          kTile +
              "multiply a=s:0x1000 a_stride=64 a_format=f32 dst=a:0 dst_stride=32 rows=4 cols=8 depth=8 swap "
              "open\nhalt",
          m),
      Contains("group_buffer_rows") && Contains("4 rows"));
  CHECK_THAT(error_of(kPass + "swap\nhalt"), Contains("word 0") && Contains("preloaded"));
  CHECK_THAT(error_of(kPass + "\nhalt"), Contains("word 0") && Contains("preloaded"));
}

TEST_CASE("a dataflow's instructions stop the arrays of the other kind") {
  for (int d = 0; d < config::kDataflows; ++d) {
    config::Machine m = plain_machine();
    m.matrix.dataflow = static_cast<config::Dataflow>(d);
    const bool streams = m.matrix.dataflow == config::Dataflow::output_stationary;
    const std::string matmul = error_of(kMatmul + "halt", m);
    const std::string tile = error_of(kTile + kPass + "swap\nhalt", m), pass = error_of(kPass + "\nhalt", m);
    INFO(config::name_of(m.matrix.dataflow));
    if (streams) {
      CHECK(matmul == "");
      CHECK_THAT(tile, Contains("preload at word 0: an array that is output-stationary takes matmul"));
      CHECK_THAT(pass, Contains("multiply at word 0: an array that is output-stationary takes matmul"));
    } else {
      CHECK(tile == "");
      CHECK_THAT(matmul,
                 Contains("matmul at word 0: an array that is " +
                          std::string(config::name_of(m.matrix.dataflow)) + " takes preload and multiply"));
    }
  }
}

TEST_CASE("a product of a type that the machine lacks stops it, and a tile alone does not") {
  config::Machine m = plain_machine();
  m.matrix.cycles_per_row[static_cast<std::size_t>(MultiplyType::fp32)] = 0;
  CHECK(error_of(kTile + "halt", m) == "");
  CHECK_THAT(error_of(kTile + kPass + "swap\nhalt", m),
             Contains("word 1") && Contains("no fp32 multipliers"));
  m.matrix.dataflow = config::Dataflow::output_stationary;
  CHECK_THAT(error_of(kMatmul + "halt", m), Contains("word 0") && Contains("no fp32 multipliers"));
  // The narrower operand of a pair counts, on whichever side it is.
  m = plain_machine();
  m.matrix.cycles_per_row[static_cast<std::size_t>(MultiplyType::int4)] = 0;
  for (const auto& [tile, moving] :
       {std::pair("q8_0", "q4_0"), std::pair("q4_0", "q8_0"), std::pair("i8", "i4"), std::pair("i4", "i8")}) {
    CHECK_THAT(error_of(product(tile, moving), m), Contains("word 1") && Contains("no int4 multipliers"));
  }
  CHECK(error_of(product("q8_0", "q8_0"), m) == "");
  CHECK(error_of(product("i8", "i8"), m) == "");
}

TEST_CASE("operands whose formats do not go together stop the machine") {
  const std::string formats[] = {"f32", "f16", "bf16", "q8_0", "q4_0", "i8", "i4"};
  int fitting = 0;
  for (const std::string& tile : formats) {
    for (const std::string& moving : formats) {
      const bool both_narrow = tile.substr(1, 1) == "4" && moving == tile;
      const bool family = tile == moving || (tile[0] == moving[0] && (tile[0] == 'q' || tile[0] == 'i'));
      INFO(tile << " tile, " << moving << " rows");
      const std::string error = error_of(product(tile, moving));
      if (family && !both_narrow) {
        CHECK(error == "");
        ++fitting;
      } else {
        CHECK_THAT(error, Contains("word 1") && Contains(moving + " rows") && Contains(tile + " tile"));
      }
    }
  }
  CHECK(fitting == 9);
}

TEST_CASE("group sums are continued by tiles of their own kind alone") {
  const auto halves = [](const std::string& first, const std::string& second) {
    const std::string
        tile = "preload a=s:0 a_stride=128 order=nk rows=8 cols=8 a_format=",
        pass = "multiply a=s:0x1000 a_stride=128 dst=a:0 dst_stride=32 rows=4 cols=8 depth=8 swap ";
    return tile + first + "\n" + pass + "open a_format=" + first + "\n" + tile + second + " k_offset=8\n" +
           pass + "close k_offset=8 a_format=" + second + "\nhalt";
  };
  CHECK(error_of(halves("f16", "f16")) == "");
  CHECK_THAT(error_of(halves("f32", "f16")),
             Contains("word 3") && Contains("it continues group sums of a f32 tile with a f16 tile"));
}

TEST_CASE("sums of plain integers have no groups that could stay open") {
  for (const char* ends : {"open", "close", ""}) {
    CHECK_THAT(error_of(product("i8", "i4", ends)),
               Contains("word 1") && Contains("both `open` and `close`"));
  }
  CHECK(error_of(product("q8_0", "q4_0", "open")) == "");
}

TEST_CASE("more results than an output-stationary array has cells are refused") {
  config::Machine m = plain_machine();
  m.matrix.dataflow = config::Dataflow::output_stationary;
  const std::string operands =
      "nop\nmatmul a=s:0 a_stride=64 b=s:0x800 b_stride=64 b_format=f32 dst=a:0 dst_stride=64 depth=16 ";
  CHECK(error_of(operands + "rows=8 cols=8\nhalt", m) == "");
  CHECK_THAT(error_of(operands + "rows=9 cols=8\nhalt", m),
             Contains("word 1") && Contains("9 x 8 results") && Contains("8 x 8"));
  CHECK_THAT(error_of(operands + "rows=8 cols=9\nhalt", m), Contains("8 x 9 results"));
}

TEST_CASE("a second preload before a swap replaces the shadow tile") {
  const std::string second = "preload a=s:0x800 a_stride=64 a_format=f32 order=kn rows=8 cols=8\n";
  CHECK(error_of(kTile + second + kPass + "swap\nhalt") == "");
}

TEST_CASE("a pass may use less of the tile than was preloaded") {
  CHECK(error_of(kTile + "multiply a=s:0x1000 a_stride=64 a_format=f32 dst=a:0 dst_stride=32 rows=4 cols=5 "
                         "depth=7 swap open "
                         "close\nhalt") == "");
}

TEST_CASE("a machine runs a program after one that failed") {
  const config::Machine m = plain_machine();
  CHECK(error_of("nop\nload dst=s:0x3fff dram=0 rows=1 cols=2\nhalt", m) != "");
  CHECK(error_of("nop\nload dst=s:0 dram=0 rows=1 cols=2\nhalt", m) == "");
}

TEST_CASE("a vector instruction reads all its operands before it writes") {
  // Row 0's result lies where row 1's operand is: row 1 still sees the operand.
  const std::string text =
      ".data 0 f32 1*16 0*16 0*16\nload dst=s:0 dram=0 rows=1 cols=192\n"
      "copy dst=s:64 dst_stride=64 a=s:0 a_stride=64 rows=2 cols=16\n"
      "store a=s:128 dram=0x1000 rows=1 cols=1\nstore a=s:64 dram=0x1004 rows=1 cols=1\nhalt";
  const MachineRun run =
      run_on(plain_machine(), isa::assemble(text, "test"), {machine::Clocking::gated, 0x1008});
  const std::byte* row = run.dram.data() + 0x1000;
  CHECK(row[3] == std::byte{0});     // 0.0f, the operand, not what row 0 of the copy wrote
  CHECK(row[7] == std::byte{0x3f});  // 1.0f, row 0's result
}

TEST_CASE("rows that would lie on top of each other stop the machine") {
  // Bursts of one transfer may arrive in any order, so that it would be open which row stays.
  CHECK_THAT(error_of("load dst=s:0 dst_stride=32 dram=0 dram_stride=64 rows=2 cols=64\nhalt"),
             Catch::Contains("rows of 64 bytes would be written 32 bytes apart"));
  CHECK_THAT(error_of("store a=s:0 a_stride=64 dram=0 dram_stride=32 rows=2 cols=16\nhalt"),
             Catch::Contains("rows of 64 bytes would be written 32 bytes apart"));
  // Sums leave the array in its own order.
  CHECK_THAT(error_of("multiply a=s:0 dst=a:0 dst_stride=28 rows=2 cols=8 depth=1 open close\nhalt"),
             Catch::Contains("rows of 32 bytes would be written 28 bytes apart"));
  CHECK_THAT(
      error_of("multiply a=s:0 dst=a:0 dst_stride=4 rows=2 cols=8 depth=1 transposed open close\nhalt"),
      Catch::Contains("rows of 8 bytes would be written 4 bytes apart"));
  CHECK_THAT(error_of("matmul a=s:0 b=s:0 dst=a:0 dst_stride=0 rows=2 cols=8 depth=1\nhalt"),
             Catch::Contains("rows of 32 bytes would be written 0 bytes apart"));
  CHECK(error_of("load dst=s:0 dst_stride=64 dram=0 dram_stride=0 rows=2 cols=64\nhalt") == "");
  CHECK(error_of("load dst=s:0 dst_stride=0 dram=0 dram_stride=0 rows=1 cols=64\nhalt") == "");
}
