// SPDX-License-Identifier: Apache-2.0
#include "proof/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proof/matmul_work.h"
#include "proof/tile_work.h"

namespace tokencycle::proof {

namespace {

// Small ones mostly, and some that are taller than a group.
std::uint32_t random_side(Random& random, bool tall) {
  constexpr std::array<std::uint32_t, 6> kTall = {32, 33, 40, 64, 70, 96};
  if (tall && chance(random, 0.25)) return kTall[pick(random, 0, kTall.size() - 1)];
  return chance(random, 0.7) ? pick(random, 1, 8) : pick(random, 1, 32);
}

config::Machine random_machine(config::Dataflow dataflow, Random& random, const Wish& wish) {
  config::Machine machine;
  config::Matrix& m = machine.matrix;
  m.dataflow = dataflow;
  const bool tall = dataflow != config::Dataflow::output_stationary;
  m.rows = wish.rows != 0 ? wish.rows : random_side(random, tall);
  m.columns = wish.columns != 0 ? wish.columns : random_side(random, false);
  m.double_buffered = chance(random, 0.7) || wish.full;
  m.back_to_back = chance(random, 0.75) || wish.full;
  m.scale_latency_cycles = chance(random, 0.2) ? 0 : pick(random, 1, 6);
  m.group_buffer_rows = kRegionRows;
  // One rate for all types in half of the machines: else the gaps of mixed rates hide the others.
  const std::uint32_t common = chance(random, 0.5) ? pick(random, 1, 4) : 0;
  for (std::uint32_t& cycles : m.cycles_per_row) {
    cycles = wish.step != 0 ? wish.step : common != 0 ? common : pick(random, 1, 4);
  }
  if (!wish.decode) return machine;
  for (std::size_t d = 1; d < m.decode.size(); ++d) {
    m.decode[d] = {chance(random, 0.2) ? 0 : pick(random, 1, 20),
                   chance(random, 0.3) ? 0 : pick(random, 1, 5)};
  }
  return machine;
}

std::string describe(const isa::Instruction& i) {
  const auto flag = [](bool set, const char* name) { return set ? fmt::format(" {}", name) : std::string(); };
  const char* order = i.order == isa::TileOrder::kn ? "kn" : "nk";
  if (i.op == isa::Opcode::preload) {
    return fmt::format("preload {} {} {} x {}, k from {}", name_of(i.a_format), order, i.rows, i.cols,
                       i.k_offset);
  }
  const bool matmul = i.op == isa::Opcode::matmul;
  return fmt::format("{} {} m {} k {} n {}, k from {}, to {}{}{}{}{}{}", name_of(i.op),
                     matmul ? fmt::format("{} {}", name_of(i.b_format), order) : name_of(i.a_format), i.rows,
                     i.depth, i.cols, i.k_offset, i.dst.byte(), flag(i.swap, "swap"),
                     flag(i.accumulate, "accumulate"), flag(i.open, "open"), flag(i.close, "close"),
                     flag(i.transposed, "transposed"));
}

}  // namespace

Trial random_trial(config::Dataflow dataflow, std::uint64_t seed, const Wish& wish) {
  Random random(seed);
  Trial trial;
  trial.machine = random_machine(dataflow, random, wish);
  trial.wish = wish;
  if (dataflow == config::Dataflow::output_stationary) {
    add_matmul_work(trial, random, wish.passes);
  } else {
    add_tile_work(trial, random, wish.passes);
  }
  return trial;
}

std::string describe(const Trial& trial) {
  const config::Matrix& m = trial.matrix();
  std::string text = fmt::format(
      "{} {} x {}, {}, {}, scale latency {}, cycles per row {}\n", config::name_of(m.dataflow), m.rows,
      m.columns, m.double_buffered ? "double-buffered" : "single-buffered",
      m.back_to_back ? "back to back" : "serial", m.scale_latency_cycles, fmt::join(m.cycles_per_row, " "));
  for (const config::DecodeStage& stage : m.decode) {
    text +=
        fmt::format("decode {} values a cycle, {} cycles\n", stage.values_per_cycle, stage.latency_cycles);
  }
  for (std::size_t i = 0; i < trial.program.size(); ++i) {
    text += fmt::format("{:4} {}\n", i, describe(trial.program[i]));
  }
  return text;
}

}  // namespace tokencycle::proof
