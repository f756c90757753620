// SPDX-License-Identifier: Apache-2.0
#include "proof/matmul_work.h"

#include <algorithm>

#include "proof/operands.h"
#include "proof/regions.h"

namespace tokencycle::proof {

namespace {

isa::Instruction matmul(Trial& trial, Random& random, RegionChooser& regions) {
  const config::Matrix& m = trial.matrix();
  isa::Instruction i;
  i.op = isa::Opcode::matmul;
  i.b_format = random_format(random, trial.wish.integers);
  const Format a_format = activation_format(i.b_format);
  const bool blocks = is_scaled(i.b_format);
  i.order = !blocks && chance(random, 0.5) ? isa::TileOrder::kn : isa::TileOrder::nk;
  i.rows = trial.size(random, m.rows);
  i.cols = trial.size(random, m.columns);
  i.depth = chance(random, 0.5) ? pick(random, 1, 12) : pick(random, 1, 100);

  const bool kn = i.order == isa::TileOrder::kn;
  const std::uint32_t b_elements = kn ? i.cols : i.depth;
  i.a_stride = static_cast<std::uint32_t>(row_bytes(a_format, i.depth));
  i.b_stride = static_cast<std::uint32_t>(row_bytes(i.b_format, b_elements));
  i.a = isa::LocalAddress::scratchpad(append_lines(random, trial.moving, a_format, i.rows, i.depth));
  i.b = isa::LocalAddress::scratchpad(
      append_lines(random, trial.stationary, i.b_format, kn ? i.depth : i.cols, b_elements));

  // An old total is wanted when the first group ends; the last fold is over two folds behind the last k.
  const bool integer = kind_of(i.b_format) == test::Kind::integer;
  const std::uint64_t step = m.cycles_per_row[static_cast<std::size_t>(multiplier(i.b_format, a_format))];
  const std::uint64_t folds = integer ? 0 : 2 * std::uint64_t{m.scale_latency_cycles};
  regions.choose(random, i, integer, i.depth * step,
                 integer ? 0 : std::min(i.depth, group_of(i.b_format)) * step, i.depth * step + folds);
  return i;
}

}  // namespace

void add_matmul_work(Trial& trial, Random& random, std::uint32_t passes) {
  RegionChooser regions(trial);
  const std::uint32_t count = pick(random, 1, passes);
  for (std::uint32_t p = 0; p < count; ++p) trial.program.push_back(matmul(trial, random, regions));
}

}  // namespace tokencycle::proof
