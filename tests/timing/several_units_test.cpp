// SPDX-License-Identifier: Apache-2.0
// Several units of a kind in a core: which one does an instruction go to, and do they work at the same time?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

// The unit that executed an instruction.
observe::UnitId unit_of(const MachineRun& run, std::uint64_t sequence) {
  return observe::unit_id(run.instruction(sequence));
}

// A tile from s:`tile`, and `passes` passes of it over 8 rows at s:0 whose sums go to a:`sums` and following.
std::string product(int tile, int sums, int passes) {
  std::string text = fmt::format("preload a=s:{} a_stride=32 rows=8 cols=8 a_format=f32\n", tile);
  for (int p = 0; p < passes; ++p) {
    text += fmt::format(
        "multiply dst=a:{} dst_stride=32 a=s:0 a_stride=32 rows=8 cols=8 depth=8 a_format=f32 open close{}\n",
        sums + p * 256, p == 0 ? " swap" : "");
  }
  return text;
}

}  // namespace

TEST_CASE(
    "transfers go to the engine with the fewest, and two engines are twice as fast as their ports allow") {
  config::Machine m = plain_machine();
  m.dram = {4, 1u << 20, 64.0, 50.0, 64, 256, config::DramModel::ideal, nullptr};
  m.scratchpad = {16 * 1024, 32, 8, 1, true};
  m.dma.port_bytes = 16;  // a burst takes four cycles
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += fmt::format("load dst=s:{} dram={} rows=1 cols=1024\n", i * 1024, i * 1024);
  std::uint64_t cycles[2];
  for (const std::uint32_t engines : {1u, 2u}) {
    m.dma.engines = engines;
    const MachineRun run = run_text(m, text + "halt");
    for (std::uint64_t i = 0; i < 8; ++i) {
      CHECK(unit_of(run, i) == nth(observe::UnitId::load, static_cast<std::uint32_t>(i) % engines));
    }
    cycles[engines - 1] = run.instruction(7).finished.value - run.instruction(0).started.value;
  }
  CHECK(cycles[0] >= 8 * 16 * 4);
  CHECK(cycles[1] < cycles[0] * 6 / 10);
}

TEST_CASE("a multiply goes where its tile is, preloads to the matrix units in turn") {
  config::Machine m = plain_machine();
  m.matrix.rows = 32;
  m.matrix.group_buffer_rows = 0;
  m.matrix.units = 2;
  const std::string text = product(0x1000, 0, 3) + product(0x2000, 0x400, 3) + "halt";
  const MachineRun two = run_text(m, text);
  for (std::uint64_t i = 0; i < 8; ++i) CHECK(index_of_kind(unit_of(two, i)) == i / 4);
  m.matrix.units = 1;
  const MachineRun one = run_text(m, text);
  CHECK(two.accumulator == one.accumulator);
  CHECK(two.multiplications == one.multiplications);
  CHECK(two.instruction(7).finished < one.instruction(7).finished);
  CHECK(two.instruction(5).started < two.instruction(3).finished);  // both arrays work
}

TEST_CASE("where group sums can wait for another tile, all tiles are in the first matrix unit") {
  config::Machine m = plain_machine();
  m.matrix.units = 2;
  REQUIRE(m.matrix.group_buffer_rows != 0);
  const MachineRun run = run_text(m, product(0x1000, 0, 2) + product(0x2000, 0x400, 2) + "halt");
  for (std::uint64_t i = 0; i < 6; ++i) CHECK(unit_of(run, i) == observe::UnitId::matrix);
}

TEST_CASE("vector instructions that depend on each other stay in one unit, others use both") {
  config::Machine m = plain_machine();
  m.vector.units = 2;
  const MachineRun chain = run_text(m,
                                    "add dst=s:0 a=s:0x800 b=s:0x900 rows=8 cols=8\n"
                                    "add dst=s:0x100 a=s:0 b=s:0x900 rows=8 cols=8\n"
                                    "add dst=s:0x200 a=s:0x100 b=s:0x900 rows=8 cols=8\nhalt");
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(unit_of(chain, i) == observe::UnitId::vector);
  const MachineRun apart = run_text(m,
                                    "add dst=s:0 a=s:0x800 b=s:0x900 rows=8 cols=8\n"
                                    "add dst=s:0x100 a=s:0xa00 b=s:0xb00 rows=8 cols=8\nhalt");
  CHECK(unit_of(apart, 1) == nth(observe::UnitId::vector, 1));
  CHECK(apart.instruction(1).started == apart.instruction(0).started + 1);
}
