// SPDX-License-Identifier: Apache-2.0
#include "host/gemm/gemm.h"

#include "compiler/tile/folds.h"
#include "host/gemm/array_alone.h"
#include "host/gemm/values.h"
#include "host/one_core.h"
#include "observe/analysis/unit_statistics.h"

namespace tokencycle::host {

namespace {

// The most that one of several arrays does: as many whole tiles, or as many rows where there are fewer tiles.
GemmShape largest_share(const config::Matrix& array, const GemmType& type, const GemmShape& shape) {
  const std::uint32_t arrays = array.units_in_turn();
  const compiler::Mapping map = compiler::map_product(array, type.w, isa::TileOrder::nk, shape.k);
  GemmShape share = shape;
  std::uint32_t &held = map.x_held ? share.m : share.n, &moving = map.x_held ? share.n : share.m;
  const auto tiles = static_cast<std::uint32_t>(ceil_div(held, map.columns));
  if (tiles >= arrays) {
    held = std::min(held, static_cast<std::uint32_t>(ceil_div(tiles, arrays)) * map.columns);
  } else {
    moving = static_cast<std::uint32_t>(ceil_div(moving, arrays));
  }
  return share;
}

GemmArray run_array(const config::Machine& machine, const GemmType& type, const GemmShape& shape) {
  ArrayAlone array(machine, {});
  const auto folds_of = [&](const GemmShape& s) {
    return compiler::Folds(machine.matrix, {type.x, type.w, s.m, s.n, s.k}, ArrayAlone::moving(),
                           array.stationary());
  };
  compiler::Folds folds = folds_of(largest_share(machine.matrix, type, shape));
  const std::uint64_t cycles = array.run([&folds](isa::Instruction& i) { return folds.next(i); });
  if (machine.matrix.units_in_turn() == 1) return {cycles, folds.folds(), folds.used_cells()};
  compiler::Folds all = folds_of(shape);
  for (isa::Instruction i; all.next(i);) {
  }
  return {cycles, all.folds(), all.used_cells()};
}

GemmRun run_program(const config::Machine& machine, const GemmShape& shape, const GemmOptions& options) {
  refuse_several_cores(machine);
  refuse_several_units_but_matrix(machine);
  const Product product(machine, options.type, shape);
  const compiler::DramLayout& layout = product.layout();
  const std::vector<isa::Word> words = product.compile().program.words;
  std::optional<GemmValues> values;  // outlives the machine, whose memory shows them
  machine::Accelerator accelerator(machine, machine::Clocking::gated,
                                   options.timing_only ? machine::Values::absent : machine::Values::computed);
  observe::CycleStack stack(Cycle(1));
  observe::UnitStatistics units(observe::UnitList(machine), Cycle(1));
  accelerator.set_pulse(options.pulse);
  accelerator.events().subscribe(stack);
  accelerator.events().subscribe(units);
  if (!options.timing_only)
    values.emplace(options.type, shape, options.seed).place(layout, accelerator.dram());
  accelerator.dram().map(layout.program, std::as_bytes(std::span(words)));
  const machine::Execution execution =
      accelerator.execute(layout.program, static_cast<std::uint32_t>(words.size()));

  GemmRun run;
  run.cycles = execution.end.value - execution.start.value;
  run.instructions = accelerator.instructions();
  run.words = words.size();
  run.stack = stack.take(execution.end);
  units.settle_all(execution.end);
  for (int s = 0; s < observe::kStates; ++s) {
    for (std::uint32_t u = 0; u < machine.matrix.units; ++u)
      run.matrix[static_cast<std::size_t>(s)] +=
          units.cycles(nth(observe::UnitId::matrix, u), static_cast<observe::State>(s));
  }
  run.loaded_bytes = accelerator.traffic(memory::Requester::load, false).moved_bytes;
  run.stored_bytes = accelerator.traffic(memory::Requester::store, true).moved_bytes;
  run.word_bytes = accelerator.traffic(memory::Requester::fetch, false).moved_bytes;
  if (values) {
    values->check(accelerator.dram(), layout.logits);
    run.checked = std::uint64_t{shape.m} * shape.n;
  }
  return run;
}

double percent(double part, double whole) {
  return whole == 0 ? 0.0 : 100.0 * part / whole;
}

}  // namespace

double GemmReport::utilisation_percent(const config::Machine& machine, std::uint64_t cycles) const {
  return percent(static_cast<double>(layer.shape.multiplications()) * step,
                 static_cast<double>(cycles) * machine.matrix.cells());
}

double GemmReport::mapping_percent(const config::Machine& machine) const {
  const double cells = static_cast<double>(machine.matrix.rows) * machine.matrix.columns;  // of a fold
  return percent(static_cast<double>(array.used_cells), static_cast<double>(array.folds) * cells);
}

GemmReport run_gemm(const config::Machine& machine, const GemmLayer& layer, const GemmOptions& options) {
  check_product(machine, options.type, layer.shape);
  GemmReport report;
  report.layer = layer;
  report.step = machine.matrix.cycles_per_row[static_cast<std::size_t>(multiply_type(options.type.w))];
  if (!options.array_alone) report.run = run_program(machine, layer.shape, options);
  report.array = run_array(machine, options.type, layer.shape);
  return report;
}

}  // namespace tokencycle::host
