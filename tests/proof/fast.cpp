// SPDX-License-Identifier: Apache-2.0
#include "proof/fast.h"

#include <algorithm>
#include <utility>

namespace tokencycle::proof {

FastRun run_fast(const Trial& trial, std::unique_ptr<machine::Dataflow> dataflow) {
  const auto size = [](std::size_t bytes) { return static_cast<std::uint32_t>(bytes); };
  const std::size_t sums = trial.regions.size() * trial.region_bytes();
  host::ArrayAlone array(
      trial.machine, host::ArrayMemory{size(trial.moving.size()),
                                       size(std::max<std::size_t>(trial.stationary.size(), 1)), size(sums)});
  if (dataflow) array.matrix().use_dataflow(std::move(dataflow));
  std::copy(trial.moving.begin(), trial.moving.end(), array.moving_bytes().begin());
  std::copy(trial.stationary.begin(), trial.stationary.end(), array.stationary_bytes().begin());

  FastRun run;
  run.times.resize(trial.program.size());
  std::size_t next = 0;
  array.run(
      [&](isa::Instruction& i) {
        if (next == trial.program.size()) return false;
        i = trial.program[next];
        if (i.op == isa::Opcode::preload) i.a = array.stationary() + i.a.byte();
        if (i.op == isa::Opcode::matmul) i.b = array.stationary() + i.b.byte();
        i.value = static_cast<std::int64_t>(next++);  // a field without meaning here: says which one ended
        return true;
      },
      [&](const isa::Instruction& i, host::ArrayAlone::Times times) {
        run.times[static_cast<std::size_t>(i.value)] = times;
      });
  run.sums.assign(array.sums().begin(), array.sums().end());
  return run;
}

}  // namespace tokencycle::proof
