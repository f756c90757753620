// SPDX-License-Identifier: Apache-2.0
// Stages that take numbers apart before the array: does each line come when a clocked model of the stage says
// so, and does the array take what comes?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <utility>

#include "host/gemm/array_alone.h"
#include "proof/compare.h"
#include "proof/drive.h"
#include "support/trials.h"

using namespace tokencycle;
using namespace tokencycle::proof;

namespace {

// A tile is in place a cycle behind its last line, and no sooner than the array has shifted its first one
// through.
std::string preloads_differ(const Trial& trial, const FastRun& fast) {
  const config::Matrix& m = trial.matrix();
  for (std::size_t i = 0; i < trial.program.size(); ++i) {
    const isa::Instruction& preload = trial.program[i];
    if (preload.op != isa::Opcode::preload) continue;
    const std::vector<std::uint64_t> arrivals = line_arrivals(trial, preload);
    const bool kn = preload.order == isa::TileOrder::kn;
    const std::uint64_t shifts = m.dataflow == config::Dataflow::dot_product ? 0 : kn ? m.rows : m.columns;
    const std::uint64_t in_place = std::max(arrivals.back() + 1, arrivals.front() + shifts);
    if (fast.times[i].finished == fast.times[i].started + in_place) continue;
    return fmt::format("instruction {} takes {} cycles, its lines {}\n", i,
                       fast.times[i].finished - fast.times[i].started, in_place);
  }
  return {};
}

void prove_many(config::Dataflow dataflow, std::uint64_t first, int trials) {
  const auto count = static_cast<std::uint64_t>(test::trials(trials));
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Trial trial = random_trial(dataflow, seed, {.decode = true});
    std::string difference = prove(trial, machine::make_dataflow, Judges::registers);
    if (difference.empty()) {
      difference = preloads_differ(trial, run_fast(trial, machine::make_dataflow(trial.matrix())));
    }
    if (!difference.empty()) FAIL("seed " << seed << ": " << difference << describe(trial));
  }
}

// Cycles of one matmul alone: m x n results over k q4_0 weights.
std::uint64_t matmul_cycles(config::Machine machine, std::uint32_t m, std::uint32_t n, std::uint32_t k) {
  isa::Instruction i;
  i.op = isa::Opcode::matmul;
  i.b_format = Format::q4_0;
  i.a_stride = static_cast<std::uint32_t>(row_bytes(Format::q8_0, k));
  i.b_stride = static_cast<std::uint32_t>(row_bytes(Format::q4_0, k));
  i.rows = m;
  i.cols = n;
  i.depth = k;
  i.dst = isa::LocalAddress::accumulator(0);
  i.dst_stride = 4 * n;
  host::ArrayAlone array(machine, host::ArrayMemory{m * i.a_stride, n * i.b_stride, m * n * 4});
  i.b = array.stationary();
  bool given = false;
  return array.run(
      [&](isa::Instruction& next) {
        next = i;
        return !std::exchange(given, true);
      },
      [](const isa::Instruction&, host::ArrayAlone::Times) {});
}

}  // namespace

TEST_CASE("a weight-stationary array behind a decode stage is what its registers are") {
  prove_many(config::Dataflow::weight_stationary, 1, 400);
}

TEST_CASE("an input-stationary array behind a decode stage is what its registers are") {
  prove_many(config::Dataflow::input_stationary, 1001, 100);
}

TEST_CASE("a dot-product array behind a decode stage is what its registers are") {
  prove_many(config::Dataflow::dot_product, 1, 400);
}

TEST_CASE("a machine whose stages are a cycle sooner or twice as wide as the registers' is found") {
  for (const bool wider : {false, true}) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      Trial trial = random_trial(config::Dataflow::weight_stationary, seed, {.decode = true});
      // One value a cycle is the limit wherever a line has more than one.
      for (std::size_t d = 1; wider && d < trial.machine.matrix.decode.size(); ++d) {
        trial.machine.matrix.decode[d].values_per_cycle = 1;
      }
      Trial other = trial;
      for (std::size_t d = 1; d < other.machine.matrix.decode.size(); ++d) {
        config::DecodeStage& stage = other.machine.matrix.decode[d];
        if (wider) stage.values_per_cycle = 2;
        if (!wider && stage.latency_cycles != 0) --stage.latency_cycles;
      }
      const FastRun fast = run_fast(other, machine::make_dataflow(other.matrix()));
      found += preloads_differ(trial, fast).empty() ? 0 : 1;
    }
    CAPTURE(wider, found);
    CHECK(found > 20);
  }
}

TEST_CASE("an output-stationary array waits for the last line that its decode stage lets through") {
  Random random(5);
  for (int trial = 0; trial < test::trials(300); ++trial) {
    config::Machine machine;
    config::Matrix& x = machine.matrix;
    x.dataflow = config::Dataflow::output_stationary;
    x.rows = pick(random, 1, 32);
    x.columns = pick(random, 1, 32);
    const std::uint32_t step = pick(random, 1, 5);
    x.cycles_per_row.fill(step);
    const std::uint32_t m = pick(random, 1, x.rows), n = pick(random, 1, x.columns), k = pick(random, 1, 32);
    const std::uint64_t plain = matmul_cycles(machine, m, n, k);
    const std::uint32_t width = pick(random, 1, 40), latency = pick(random, 0, 6);
    x.decode[static_cast<std::size_t>(Decoding::fields)] = {width, latency};
    // Column j's weights are wanted j steps behind the first one's.
    const std::uint64_t line = ceil_div(k, width), skew = line > step ? (n - 1) * (line - step) : 0;
    CAPTURE(x.rows, x.columns, step, m, n, k, width, latency);
    CHECK(matmul_cycles(machine, m, n, k) == plain + line - 1 + skew + latency);
  }
}
