// SPDX-License-Identifier: Apache-2.0
// The vector unit: how many cycles from start to finish, for every opcode?
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;
using config::VectorFunction;

namespace {

struct Pass {
  std::vector<VectorFunction> chain;
  bool writes;
};

struct Case {
  std::string text;  // without rows and cols
  std::vector<Pass> passes;
  std::uint32_t column_unit = 1;
  bool turns = false;    // each element is written by itself
  bool reduces = false;  // the last pass ends in one value per row
  bool single = false;   // each element is read by itself
};

using enum VectorFunction;

// a and b lie in different halves of the banks, and the banks have a write port of their own.
const std::string kA = " dst=s:0x2000 dst_stride=512 a=s:0 a_stride=512";
const std::string kB = kA + " b=s:0x1020 b_stride=512";
const std::vector<Pass> kSoftmax = {{{mul, reduce}, false},
                                    {{mul, add, VectorFunction::exp, reduce}, false},
                                    {{mul, add, VectorFunction::exp, divide, convert}, true}};

const std::vector<Pass> kSoftmaxSink = {{{reduce}, false},
                                        {{add, VectorFunction::exp, reduce}, false},
                                        {{add, VectorFunction::exp, divide, convert}, true}};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"add" + kB, {{{add}, true}}},
      {"mul" + kB, {{{mul}, true}}},
      {"scale scalar=2" + kA, {{{mul}, true}}},
      {"copy" + kA, {{{copy}, true}}},
      {"silu" + kA, {{{VectorFunction::exp, add, divide}, true}}},
      {"relu" + kA, {{{add}, true}}},
      {"sigmoid" + kA, {{{VectorFunction::exp, add, divide}, true}}},
      {"tanh" + kA, {{{mul, VectorFunction::exp, add, divide, add}, true}}},
      {"gelu" + kA,
       {{{mul, mul, add, divide, mul, add, mul, add, mul, add, mul,
          add, mul, add, mul,    add, mul, add, mul, add, mul, VectorFunction::exp,
          mul, add, mul},
         true}}},
      {"gelu_tanh" + kA, {{{mul, mul, add, mul, VectorFunction::exp, add, divide}, true}}},
      {"exp" + kA, {{{VectorFunction::exp}, true}}},
      {"softplus" + kA,
       {{{VectorFunction::exp,
          add,
          divide,
          mul,
          mul,
          add,
          mul,
          add,
          mul,
          add,
          mul,
          add,
          mul,
          add,
          mul,
          add,
          mul,
          add,
          mul,
          add},
         true}}},
      {"square" + kA, {{{mul}, true}}},
      {"sqrt" + kA, {{{divide}, true}}},
      {"rsqrt" + kA, {{{divide, divide}, true}}},
      {"add_scalar scalar=2" + kA, {{{add}, true}}},
      {"max_scalar scalar=2" + kA, {{{add}, true}}},
      {"min_scalar scalar=2" + kA, {{{add}, true}}},
      {"sub" + kB, {{{add}, true}}},
      {"div" + kB, {{{divide}, true}}},
      {"max" + kB, {{{add}, true}}},
      {"min" + kB, {{{add}, true}}},
      {"mul per_row" + kB, {{{mul}, true}}},
      {"convert a_format=f32 dst_format=f16" + kA, {{{convert}, true}}},
      {"convert a_format=bf16 dst_format=f32" + kA, {{{convert}, true}}},
      {"convert a_format=f32 dst_format=q8_0" + kA, {{{reduce}, false}, {{mul, quantize}, true}}, 32},
      {"rms_norm scalar=0.00001 b=s:0x1020" + kA, {{{mul, reduce}, false}, {{divide, mul, mul}, true}}},
      {"softmax scalar=1 valid=9 dst_format=f32" + kA, kSoftmax},
      {"softmax scalar=1 valid=9 causal dst_format=f16" + kA, kSoftmax},
      {"softmax_sink valid=9 dst_format=f32 b=s:0x1020" + kA, kSoftmaxSink},
      {"softmax_sink valid=9 causal per_row dst_format=f16 b=s:0x1020" + kA, kSoftmaxSink},
      {"rotary head=16 rotate=16 pairs=split" + kB, {{{rotary}, true}}, 16},
      {"transpose a_format=f32" + kA, {{{copy}, true}}, 1, true},
      {"reduce_sum" + kA, {{{reduce}, false}}, 1, false, true},
      {"reduce_max" + kA, {{{reduce}, false}}, 1, false, true},
      {"reduce_min" + kA, {{{reduce}, false}}, 1, false, true},
      {"reduce_mean" + kA, {{{reduce, divide}, false}}, 1, false, true},
      {"argmax" + kA, {{{reduce}, false}}, 1, false, true},
      {"top_k depth=1" + kA, {{{reduce}, false}}, 1, false, true},
      {"take_rows extent=4" + kB, {{{copy}, true}}},
      {"put_rows extent=4" + kB, {{{copy}, true}}},
      {"take extent=64" + kB, {{{copy}, true}}, 1, false, false, true},
  };
  return kCases;
}

// sim/machine/vector/README.md: beats of a pass are issued at the largest interval of its functions; a pass
// behind a reduction waits for its value; results are written when they leave the chain.
std::uint64_t expected(const config::Machine& m, const Case& c, std::uint64_t rows, std::uint64_t cols) {
  std::uint64_t issue = 0, result = 0, end = 0;
  for (std::uint64_t r = 0; r < rows; ++r) {
    bool reduced = false;
    for (const Pass& pass : c.passes) {
      std::uint64_t interval = 1, latency = m.scratchpad.read_latency_cycles;
      for (const VectorFunction f : pass.chain) {
        interval = std::max<std::uint64_t>(interval, m.vector.cost(f).cycles_per_beat);
        latency += m.vector.cost(f).latency_cycles;
      }
      if (reduced) issue = std::max(issue, result);
      for (std::uint64_t done = 0; done < cols; done += m.vector.lanes) {
        const std::uint64_t count = std::min<std::uint64_t>(m.vector.lanes, cols - done);
        if (c.single) issue += count - 1;
        result = issue + latency;
        issue += c.turns ? std::max(interval, interval + count - 1) : interval;
        end = std::max(end, result + (pass.writes ? (c.turns ? count : 1) : 0));
      }
      reduced = !pass.writes;
    }
    if (c.reduces) end = std::max(end, result + 1);
  }
  return end;
}

std::string shaped(const Case& c, std::uint64_t rows, std::uint64_t cols) {
  return fmt::format("{} rows={} cols={}\n", c.text, rows, cols);
}

}  // namespace

TEST_CASE("every vector operation takes the cycles of its passes") {
  Random random(5);
  for (int round = 0; round < 12; ++round) {
    config::Machine m = plain_machine();
    m.scratchpad.read_latency_cycles = number(random, 1, 4);
    for (config::FunctionCost& f : m.vector.functions) f = {number(random, 1, 4), number(random, 1, 12)};
    m.scratchpad.capacity_bytes = 64 * 1024;
    m.vector.lanes = 1u << number(random, 0, 3);
    for (const Case& c : cases()) {
      const std::uint64_t rows = number(random, 1, 4),
                          cols = c.column_unit * number(random, 1, 64 / c.column_unit);
      INFO(shaped(c, rows, cols) << "lanes " << m.vector.lanes << ", round " << round);
      const MachineRun run = run_text(m, shaped(c, rows, cols) + "halt");
      REQUIRE(run.ports[static_cast<std::size_t>(memory::Port::vector)].conflict_cycles == 0);
      const observe::InstructionRecord& r = run.instruction(0);
      CHECK(r.finished.value - r.started.value == expected(m, c, rows, cols));
      CHECK(run.vector_elements == rows * cols);
      const auto& states = run.states[static_cast<std::size_t>(observe::UnitId::vector)];
      CHECK(states[static_cast<std::size_t>(observe::State::busy)] == expected(m, c, rows, cols));
    }
  }
}

TEST_CASE("operands in the same banks cost a cycle a beat, which is a conflict") {
  const config::Machine m = plain_machine();
  const std::uint64_t latency = m.scratchpad.read_latency_cycles + m.vector.cost(add).latency_cycles + 1;
  for (const std::uint64_t beats : {1u, 2u, 5u}) {
    // b is 64 bytes = one row of banks further than a.
    const MachineRun run =
        run_text(m, fmt::format("add dst=s:0x1000 a=s:0 b=s:0x800 rows=1 cols={}\nhalt", beats * 8));
    const observe::InstructionRecord& r = run.instruction(0);
    CHECK(r.finished.value - r.started.value == 2 * (beats - 1) + 1 + latency);
    const auto& states = run.states[static_cast<std::size_t>(observe::UnitId::vector)];
    CHECK(states[static_cast<std::size_t>(observe::State::scratchpad_conflict)] == beats);
    CHECK(run.ports[static_cast<std::size_t>(memory::Port::vector)].conflict_cycles == beats);
  }
}

TEST_CASE("operands in the accumulator memory meet no bank") {
  const config::Machine m = plain_machine();
  const std::uint64_t latency = m.scratchpad.read_latency_cycles + m.vector.cost(add).latency_cycles + 1;
  const MachineRun run = run_text(m, "add dst=s:0x1000 a=a:0 b=s:0x800 rows=1 cols=40\nhalt");
  CHECK(run.instruction(0).finished.value - run.instruction(0).started.value == 4 + latency);
}

TEST_CASE("traffic of other units delays an operation by conflicts alone") {
  Random random(9);
  std::uint64_t delayed = 0;
  for (int round = 0; round < 60; ++round) {
    config::Machine m = plain_machine();
    m.scratchpad.separate_write_port = one_in(random, 2);
    m.scratchpad.banks = 1u << number(random, 3, 5);
    m.matrix.stationary_port_bytes = m.matrix.moving_port_bytes = m.dma.port_bytes = 4 * number(random, 1, 8);
    const Case& c = cases()[number(random, 0, static_cast<std::uint32_t>(cases().size()) - 1)];
    const std::uint64_t rows = number(random, 1, 4),
                        cols = c.column_unit * number(random, 1, 64 / c.column_unit);
    const MachineRun alone = run_text(m, shaped(c, rows, cols) + "halt");
    // The loads' bytes and the tiles come and go in other parts of the scratchpad while the operation runs.
    std::string noise;
    for (int n = 0; n < 6; ++n) {
      noise += fmt::format("load dst=s:{} dram=0 rows=1 cols={}\n", 0x3800 + number(random, 0, 500),
                           number(random, 1, 600));
    }
    noise += fmt::format("add dst=s:0x3700 a=a:0 b=s:0x3600 rows=1 cols={}\n", number(random, 8, 40));
    noise += "preload a=s:0x3400 a_stride=32 a_format=f32 rows=8 cols=8\n";
    noise +=
        "multiply a=s:0x3400 a_stride=36 a_format=f32 dst=a:0x800 dst_stride=32 rows=12 cols=8 depth=8 swap "
        "open close\n";
    const MachineRun both = run_text(m, noise + shaped(c, rows, cols) + "halt");
    const observe::InstructionRecord &quiet = alone.instruction(0), &busy = both.instruction(9);
    REQUIRE(busy.unit == isa::Unit::vector);
    const std::uint64_t before = quiet.finished.value - quiet.started.value;
    const std::uint64_t after = busy.finished.value - busy.started.value;
    INFO(shaped(c, rows, cols) << "round " << round);
    CHECK(after >= before);
    CHECK(after <= before + both.ports[static_cast<std::size_t>(memory::Port::vector)].conflict_cycles);
    delayed += after - before;
  }
  CHECK(delayed > 0);
}
