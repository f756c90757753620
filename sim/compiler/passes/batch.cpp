// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/batch.h"

#include <algorithm>
#include <cmath>

#include "compiler/passes/plan.h"

namespace tokencycle::compiler {
namespace {

// What the accumulator memory allows, and with the context.
std::uint32_t most_rows(const Demands& d) {
  const std::uint32_t tile = std::min(d.columns, d.start_columns);
  return std::max(d.accumulator_half / tile, 1u);
}
std::uint32_t most_tokens(const Demands& d, const Options& options) {
  return std::min(options.context, most_rows(d));
}

// The largest of 1 to `high` for which `fits` holds; 1 where none does. What fits fits with less.
template <class Fits>
std::uint32_t largest(std::uint32_t high, const Fits& fits) {
  std::uint32_t low = 1;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

bool holds(const Demands& d, std::uint32_t capacity, std::uint32_t tokens, std::uint32_t context) {
  const std::optional<Plan> plan = plan_scratchpad(d, capacity, {tokens, tokens, context});
  return plan && plan->comfortable;
}

}  // namespace

std::uint32_t largest_batch(const Demands& d, const config::Machine& machine, const Options& options) {
  if (d.streamed) return options.context;
  std::uint32_t high = most_tokens(d, options);
  if (options.max_batch != 0) high = std::min(high, options.max_batch);
  return largest(high, [&](std::uint32_t tokens) {
    return holds(d, machine.scratchpad.capacity_bytes, tokens, options.context);
  });
}

std::uint32_t most_sequences(const Demands& d, const config::Machine& machine, const Options& options) {
  return largest(most_rows(d), [&](std::uint32_t sequences) {
    return plan_scratchpad(d, machine.scratchpad.capacity_bytes, {sequences, 1, options.context}).has_value();
  });
}

std::uint32_t useful_batch(const model::Graph& graph, const config::Machine& machine) {
  const double cells = static_cast<double>(machine.matrix.rows) * machine.matrix.columns;
  double read = 0, multiply = 0;  // cycles: of all weights at DRAM's peak, and of one token at the array's
  for (const model::Operator& op : graph.operators) {
    const bool parts = op.kind == model::OperatorKind::part_linear;
    if ((op.kind != model::OperatorKind::linear && !parts) || op.weight == nullptr) continue;
    const double elements = static_cast<double>(op.weight->rows) * op.weight->cols * op.weight->experts;
    const auto type = static_cast<std::size_t>(multiply_type(op.weight->format));
    const double bytes = static_cast<double>(op.weight->experts * op.weight->matrix_bytes());
    read += bytes * machine.clock_ghz / machine.peak_dram_gb_per_s();
    multiply += elements * machine.matrix.cycles_per_row.at(type) / cells;
  }
  return multiply == 0 ? 0 : static_cast<std::uint32_t>(std::ceil(std::min(read / multiply, 1e9)));
}

std::uint32_t scratchpad_for_batch(const Demands& d, const config::Machine& machine, const Options& options,
                                   std::uint32_t tokens) {
  if (d.streamed || tokens > most_tokens(d, options)) return 0;
  constexpr std::uint32_t kMostKib = 1u << 20;  // of /scratchpad/capacity_kib
  const std::uint32_t width = machine.scratchpad.banks * machine.scratchpad.bank_bytes;
  const std::uint32_t step = std::max(width / 1024, 1u);  // KiB: both are powers of two
  const auto fits = [&](std::uint32_t steps) {
    const std::uint64_t bytes = std::min<std::uint64_t>(std::uint64_t{steps} * step * 1024, 0xffff'ffff);
    return holds(d, static_cast<std::uint32_t>(bytes), tokens, options.context);
  };
  std::uint32_t low = 1, high = kMostKib / step;
  if (!fits(high)) return 0;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (fits(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low * step;
}

}  // namespace tokencycle::compiler
