// SPDX-License-Identifier: Apache-2.0
// The matrix unit: the closed forms of the weight-stationary array, cycle by cycle.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

struct Shape {
  std::uint32_t rows, columns;
};
constexpr Shape kShapes[] = {{1, 1}, {3, 5}, {8, 8}, {16, 4}, {32, 32}};

// An array whose operands' ports take any line of it in a cycle.
config::Machine machine_of(Shape shape, std::uint32_t step = 1, std::uint32_t read_latency = 1) {
  config::Machine m = plain_machine();
  m.matrix.rows = shape.rows;
  m.matrix.columns = shape.columns;
  m.matrix.cycles_per_row.fill(step);
  m.scratchpad = {64 * 1024, 64, 64, read_latency, true};
  m.matrix.stationary_port_bytes = m.matrix.moving_port_bytes = 1024;
  return m;
}

// A whole tile at s:0; lines of f32 are 256 bytes apart. Moving rows at s:0x8000, of 1024 bytes each.
std::string preload(Shape s, const char* order = "kn") {
  return fmt::format("preload a=s:0 a_stride=256 a_format=f32 order={} rows={} cols={}\n", order, s.rows,
                     s.columns);
}
std::string multiply(Shape s, std::uint64_t m, const char* flags) {
  return fmt::format(
      "multiply a=s:0x8000 a_stride=1024 a_format=f32 dst=a:0 dst_stride=128 rows={} cols={} depth={} {}\n",
      m, s.columns, s.rows, flags);
}

// Start to finish of a pass of m rows, from the first row's read on.
std::uint64_t pass_cycles(const config::Machine& c, std::uint64_t m, std::uint64_t step) {
  return c.scratchpad.read_latency_cycles + (m - 1) * step + step * (c.matrix.rows + c.matrix.columns - 1);
}

std::uint64_t matrix_cycles(const MachineRun& run, observe::State s) {
  return run.states[static_cast<std::size_t>(observe::UnitId::matrix)][static_cast<std::size_t>(s)];
}

}  // namespace

TEST_CASE("a tile is shifted in one line a cycle through the whole array") {
  for (const Shape s : kShapes) {
    for (const std::uint32_t latency : {1u, 3u}) {
      INFO(s.rows << " x " << s.columns << ", read latency " << latency);
      const config::Machine m = machine_of(s, 1, latency);
      const MachineRun kn = run_text(m, preload(s) + "halt"), nk = run_text(m, preload(s, "nk") + "halt");
      CHECK(kn.instruction(0).finished == kn.instruction(0).started + (latency + s.rows));
      CHECK(nk.instruction(0).finished == nk.instruction(0).started + (latency + s.columns));
      CHECK(matrix_cycles(kn, observe::State::operand_wait) == latency + s.rows);
      // A smaller tile has to reach the far end as well.
      const MachineRun one = run_text(m, preload({1, 1}) + "halt");
      CHECK(one.instruction(0).finished == one.instruction(0).started + (latency + s.rows));
    }
  }
}

TEST_CASE("a narrow port takes several cycles for a line of a tile") {
  for (const std::uint32_t port : {4u, 12u, 16u, 32u}) {
    config::Machine m = plain_machine();  // 8 x 8: lines of 32 bytes
    m.matrix.stationary_port_bytes = port;
    const std::uint64_t last = 8 * ceil_div(32, port) - 1;  // the last access
    const MachineRun run = run_text(m, preload({8, 8}) + "halt");
    CHECK(run.instruction(0).finished == run.instruction(0).started + (last + 1 + 1));
  }
}

TEST_CASE("M rows through R x C take M + R + C - 2 steps between the first operand and the last result") {
  for (const Shape s : kShapes) {
    for (const std::uint32_t step : {1u, 2u, 5u}) {
      for (const std::uint32_t rows : {1u, 2u, 13u}) {
        const config::Machine m = machine_of(s, step, 1 + step);
        INFO(s.rows << " x " << s.columns << ", " << rows << " moving rows, " << step << " cycles a row");
        const MachineRun run = run_text(m, preload(s) + multiply(s, rows, "swap open close") + "halt");
        const observe::InstructionRecord &tile = run.instruction(0), &pass = run.instruction(1);
        CHECK(pass.started == tile.finished);
        CHECK(pass.finished == pass.started + pass_cycles(m, rows, step));
        if (step == 1) {
          const std::uint64_t fold = rows + s.rows + s.columns - 2;
          CHECK(pass.finished.value - pass.started.value == m.scratchpad.read_latency_cycles + fold);
        }
        CHECK(matrix_cycles(run, observe::State::busy) == std::uint64_t{rows} * step);
        CHECK(run.multiplications == std::uint64_t{rows} * s.rows * s.columns);
      }
    }
  }
}

TEST_CASE("rows that lie one after the other enter the array no faster than one a step") {
  // 8 rows of 8 f32: 32 bytes each, the port takes 64; the array still takes a row a cycle.
  const config::Machine m = plain_machine();
  const MachineRun run =
      run_text(m,
               "preload a=s:0 a_stride=256 a_format=f32 order=kn rows=8 cols=8\n"
               "multiply a=s:0x2000 a_stride=32 a_format=f32 dst=a:0 dst_stride=32 rows=8 cols=8 "
               "depth=8 swap open close\nhalt");
  CHECK(run.instruction(1).finished == run.instruction(1).started + pass_cycles(m, 8, 1));
}

TEST_CASE("passes enter back to back, or one after the other has drained") {
  for (const Shape s : kShapes) {
    for (const std::uint32_t step : {1u, 3u}) {
      INFO(s.rows << " x " << s.columns << ", " << step << " cycles a row");
      constexpr std::uint64_t kRows = 16;  // enough to hide decode
      std::string text = preload(s) + multiply(s, kRows, "swap open close");
      for (int n = 0; n < 4; ++n) text += multiply(s, kRows, "open close accumulate");
      config::Machine m = machine_of(s, step);
      const MachineRun pipelined = run_text(m, text + "halt");
      m.matrix.back_to_back = false;
      const MachineRun serial = run_text(m, text + "halt");
      for (std::uint64_t n = 2; n <= 5; ++n) {
        CHECK(pipelined.instruction(n).started == pipelined.instruction(n - 1).started + kRows * step);
        CHECK(pipelined.instruction(n).finished ==
              pipelined.instruction(n).started + pass_cycles(m, kRows, step));
        CHECK(serial.instruction(n).started == serial.instruction(n - 1).finished);
        CHECK(serial.instruction(n).finished == serial.instruction(n).started + pass_cycles(m, kRows, step));
      }
      CHECK(matrix_cycles(pipelined, observe::State::busy) == 5 * kRows * step);
      CHECK(matrix_cycles(serial, observe::State::busy) == 5 * kRows * step);
      CHECK(matrix_cycles(serial, observe::State::array_drain) ==
            5 * (pass_cycles(m, kRows, step) - kRows * step));
    }
  }
}

TEST_CASE(
    "with double buffering the next tile comes in while a pass runs, without it when the pass has drained") {
  for (const Shape s : kShapes) {
    INFO(s.rows << " x " << s.columns);
    constexpr std::uint64_t kRows = 12;
    std::string text;
    for (int n = 0; n < 4; ++n) text += preload(s) + multiply(s, kRows, "swap open close");
    config::Machine m = machine_of(s);
    const MachineRun both = run_text(m, text + "halt");
    m.matrix.double_buffered = false;
    const MachineRun single = run_text(m, text + "halt");
    for (std::uint64_t n = 1; n < 4; ++n) {
      const std::uint64_t tile = 2 * n, pass = 2 * n + 1;
      const Cycle behind = std::max(both.instruction(pass - 2).started, both.instruction(tile).dispatched);
      CHECK(both.instruction(tile).started == behind + 1);
      const Cycle entered = both.instruction(pass - 2).started + kRows;
      CHECK(both.instruction(pass).started == std::max(entered, both.instruction(tile).finished));
      CHECK(single.instruction(tile).started == single.instruction(pass - 2).finished);
      CHECK(single.instruction(pass).started == single.instruction(tile).finished);
      // A fold costs what an array without any overlap takes: R + (M + R + C - 2), and the two reads'
      // latency.
      CHECK(single.instruction(pass).finished.value - single.instruction(pass - 2).finished.value ==
            s.rows + (kRows + s.rows + s.columns - 2) + 2 * m.scratchpad.read_latency_cycles);
    }
  }
}

TEST_CASE("float sums wait for the row below, integer sums do not, when a pass continues a group") {
  for (const Shape s : {Shape{3, 5}, Shape{8, 8}, Shape{16, 4}}) {
    for (const std::uint64_t rows : {1u, 2u, 30u}) {
      for (const std::uint32_t step : {1u, 3u}) {
        config::Machine m = machine_of(s, step);
        INFO(s.rows << " x " << s.columns << ", " << rows << " moving rows, step " << step);
        const MachineRun floats =
            run_text(m, preload(s) + multiply(s, rows, "swap open") + multiply(s, rows, "close") + "halt");
        const observe::InstructionRecord &first = floats.instruction(1), &second = floats.instruction(2);
        CHECK(second.started == first.started + std::max<std::uint64_t>(rows * step, step * s.rows + 1));

        const auto pass = [&](const char* flags) {
          return fmt::format(
              "multiply a=s:0x8000 a_stride=1024 a_format=q8_0 dst=a:0 dst_stride=128 rows={} cols={} "
              "depth={} {}\n",
              rows, s.columns, s.rows, flags);
        };
        const MachineRun integers =
            run_text(m, fmt::format("preload a=s:0 a_stride=256 a_format=q8_0 order=nk rows={} cols={}\n",
                                    s.rows, s.columns) +
                            pass("swap open") + pass("close") + "halt");
        CHECK(integers.instruction(2).started == integers.instruction(1).started + rows * step);
      }
    }
  }
}

TEST_CASE("each group that ends in a pass adds the latency of a scale-and-accumulate cell") {
  for (const std::uint32_t latency : {0u, 1u, 4u}) {
    config::Machine m = machine_of({64, 16});
    m.matrix.scale_latency_cycles = latency;
    const auto cycles = [&](std::uint32_t depth, const char* flags) {
      const Shape tile{depth, 16};
      const MachineRun run = run_text(m, preload(tile) + multiply(tile, 5, flags) + "halt");
      return run.instruction(1).finished.value - run.instruction(1).started.value;
    };
    const std::uint64_t plain = pass_cycles(m, 5, 1);
    CHECK(cycles(32, "swap open") == plain);  // the sum waits in the group buffer
    CHECK(cycles(32, "swap open close") == plain + latency);
    CHECK(cycles(64, "swap open") == plain + latency);  // one border inside, the second group stays open
    CHECK(cycles(64, "swap open close") == plain + 2 * latency);
  }
}

TEST_CASE("a row wider than the moving port takes its reads, also where the array would be faster") {
  for (const std::uint32_t port : {8u, 16u, 20u, 32u}) {
    for (const std::uint32_t step : {1u, 2u}) {
      config::Machine m = plain_machine();  // 8 x 8 of f32: rows of 32 bytes
      m.matrix.cycles_per_row.fill(step);
      m.matrix.moving_port_bytes = port;
      const std::uint64_t reads = ceil_div(32, port), interval = std::max<std::uint64_t>(reads, step);
      INFO("port " << port << ", step " << step);
      const std::string pass =
          "multiply a=s:0x2000 a_stride=64 a_format=f32 dst=a:0 dst_stride=32 rows=9 cols=8 depth=8 open "
          "close ";
      const MachineRun run = run_text(m, preload({8, 8}) + pass + "swap\n" + pass + "\nhalt");
      const observe::InstructionRecord &first = run.instruction(1), &second = run.instruction(2);
      CHECK(first.finished.value - first.started.value == 8 * interval + reads - 1 + 1 + step * 15);
      CHECK(second.started == first.started + 9 * interval);
    }
  }
}

TEST_CASE("bank conflicts delay a pass's rows and are told apart from its work") {
  Random random(3);
  std::uint64_t delayed = 0;
  for (int round = 0; round < 40; ++round) {
    config::Machine m = plain_machine();
    m.scratchpad.separate_write_port = one_in(random, 2);
    m.matrix.moving_port_bytes = m.dma.port_bytes = 4 * number(random, 1, 12);
    const std::string tile = preload({8, 8});
    const std::string pass =
        "multiply a=s:0x2000 a_stride=68 a_format=f32 dst=a:0 dst_stride=32 rows=20 cols=8 depth=8 swap open "
        "close\n";
    const MachineRun alone = run_text(m, tile + pass + "halt");
    const std::string copies =
        fmt::format("copy dst=s:0x3000 a=s:0x3400 rows=1 cols={}\n", number(random, 8, 200));
    const MachineRun both = run_text(m, copies + tile + copies + pass + "halt");
    const auto length = [](const observe::InstructionRecord& r) {
      return r.finished.value - r.started.value;
    };
    const std::uint64_t before = length(alone.instruction(1)), after = length(both.instruction(3));
    INFO("round " << round);
    CHECK(after >= before);
    CHECK(after - before <= both.ports[static_cast<std::size_t>(memory::Port::moving)].conflict_cycles);
    CHECK(matrix_cycles(both, observe::State::busy) == matrix_cycles(alone, observe::State::busy));
    delayed += after - before;
  }
  CHECK(delayed > 0);
}
