// SPDX-License-Identifier: Apache-2.0
#include "proof/waves.h"

#include <algorithm>

#include "proof/operands.h"

namespace tokencycle::proof {

namespace {

// Groups end one after the other, and each is folded behind the one before it.
std::uint64_t matmul_fold(std::uint64_t depth, std::uint64_t group, std::uint64_t step,
                          std::uint64_t latency) {
  std::uint64_t folded = 0, ready = 0;
  for (std::uint64_t k = 0; k < depth; k += group) {
    ready = std::min(depth, k + group) * step;
    folded = std::max(folded, ready) + latency;
  }
  return folded - ready;
}

Wave wave_of(const Trial& trial, const isa::Instruction& work, const isa::Instruction* tile) {
  const bool matmul = work.op == isa::Opcode::matmul;
  const Format one = matmul ? work.b_format : tile->a_format;
  const Format other = matmul ? activation_format(work.b_format) : work.a_format;
  Wave wave;
  wave.work = &work;
  wave.tile = tile;
  wave.kind = kind_of(one);
  wave.group = group_of(one);
  wave.step = trial.matrix().cycles_per_row[static_cast<std::size_t>(multiplier(one, other))];
  if (wave.kind == test::Kind::integer) return wave;
  const std::uint32_t latency = trial.matrix().scale_latency_cycles;
  if (matmul) {
    wave.fold = matmul_fold(work.depth, wave.group, wave.step, latency);
    return wave;
  }
  for (std::uint32_t k = 1; k < work.depth; ++k)
    wave.segments += (work.k_offset + k) % wave.group == 0 ? 1 : 0;
  wave.closing = wave.segments - (work.close ? 0 : 1);
  wave.fold = std::uint64_t{wave.closing} * latency;
  return wave;
}

}  // namespace

machine::ArrayPass Wave::shape() const {
  return {.step = step,
          .rows = work->rows,
          .depth = work->depth,
          .integer = kind != test::Kind::real,
          .grouped = kind != test::Kind::integer,
          .group = group,
          .fold = fold};
}

std::vector<Wave> waves_of(const Trial& trial) {
  std::vector<Wave> waves;
  const isa::Instruction *spare = nullptr, *active = nullptr;
  for (std::size_t i = 0; i < trial.program.size(); ++i) {
    const isa::Instruction& instruction = trial.program[i];
    if (instruction.op == isa::Opcode::preload) {
      spare = &instruction;
      continue;
    }
    if (instruction.swap) active = spare;
    waves.push_back(wave_of(trial, instruction, active));
    waves.back().number = i;
  }
  return waves;
}

}  // namespace tokencycle::proof
