// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/demands.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

using model::Operator;
using model::OperatorKind;

void count_weight(Demands& d, const model::Weight& w) {
  const std::uint32_t cut = std::min(w.cols, cut_elements(w.format));
  d.smallest_rectangle = std::max(d.smallest_rectangle, static_cast<std::uint32_t>(row_bytes(w.format, cut)));
  const std::uint64_t tile = std::min(d.columns, w.rows) * row_bytes(w.format, w.cols);
  d.widest_tile = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(d.widest_tile, tile), 1u << 30));
}

void count_row(Demands& d, std::uint64_t bytes) {
  d.whole_row_bytes = std::max(d.whole_row_bytes, static_cast<std::uint32_t>(bytes));
}

// A weight that moves through the array has no tiles; so many of its rows make a pass worth its preload. The
// next pass over the same sums waits until their groups of the pass before are folded one after the other: as
// many rows keep the array busy until then.
std::uint32_t moving_rows(const config::Matrix& m) {
  constexpr std::uint32_t kWorthPreload = 64;
  return std::max(kWorthPreload, m.rows / kPlainGroup * m.scale_latency_cycles);
}

std::uint32_t chunk_columns(const config::Matrix& m) {
  switch (m.dataflow) {
    case config::Dataflow::weight_stationary:
    case config::Dataflow::output_stationary:
      return m.tiling.n == 0 ? m.columns : std::min(m.columns, m.tiling.n);
    case config::Dataflow::input_stationary:
    case config::Dataflow::dot_product:
      break;
  }
  return moving_rows(m);
}

void count_operator(Demands& d, const Operator& op) {
  switch (op.kind) {
    case OperatorKind::gather_rows:
    case OperatorKind::read_rows:
      d.start_columns = op.output_columns;
      return;
    case OperatorKind::attention:  // its shape is counted where its index is known
      return count_row(d, op.weight == nullptr ? 0 : std::uint64_t{op.weight->cols} * 4);
    case OperatorKind::linear:
      if (d.graph->values[op.inputs[0]].kind == model::ValueKind::input) {
        d.streamed = true;
        return;
      }
      [[fallthrough]];
    case OperatorKind::expert_linear:
    case OperatorKind::part_linear:
      d.formats[op.inputs[0]].add(activation_format(op.weight->format));
      return count_weight(d, *op.weight);
    case OperatorKind::norm:
      return count_row(d, op.weight == nullptr ? 0 : row_bytes(op.weight->format, op.weight->cols));
    case OperatorKind::rotary:
      return count_row(d, std::uint64_t{op.rotary.rotate} * 4);
    case OperatorKind::convolution:
      return count_row(d, std::uint64_t{convolution_block(op)} * op.weight->cols * 4);
    case OperatorKind::delta_rule:
      return count_row(d, std::uint64_t{delta_block(op)} * op.delta.dim * 4);
    case OperatorKind::cell:
      count_row(d, std::uint64_t{op.cell.gates()} * op.cell.width * 4);  // a bias; the state has fewer
      return count_weight(d, *op.weight);
    case OperatorKind::zip_row:
    case OperatorKind::take_row:
      return count_row(d, std::uint64_t{op.weight->cols} * 4);
    case OperatorKind::position_rows:
    case OperatorKind::columns:
    case OperatorKind::join:
    case OperatorKind::map:
    case OperatorKind::zip:
    case OperatorKind::append:
    case OperatorKind::softmax:
    case OperatorKind::top_k:
    case OperatorKind::take:
    case OperatorKind::normalize:
    case OperatorKind::keep_groups:
    case OperatorKind::scale_parts:
    case OperatorKind::weighted_sum:
      return;
  }
}

std::uint32_t count_attention(Demands& d, const model::AttentionShape& a) {
  const AttentionHeads heads{a.heads, a.kv_heads, a.head_dim, a.result_dim(), a.heads / a.kv_heads};
  auto at = std::find(d.attentions.begin(), d.attentions.end(), heads);
  if (at == d.attentions.end()) at = d.attentions.insert(at, heads);
  return static_cast<std::uint32_t>(at - d.attentions.begin());
}

}  // namespace

Demands demands_of(const model::Graph& graph, std::vector<Stage> stages, const config::Machine& machine,
                   Format kv_format) {
  Demands d;
  d.graph = &graph;
  d.stages = std::move(stages);
  d.kv_format = kv_format;
  d.columns = chunk_columns(machine.matrix);
  const std::uint32_t forced = machine.matrix.tiling.k;
  const std::uint32_t pass = forced == 0 ? machine.matrix.rows : std::min(machine.matrix.rows, forced);
  d.pass_rows = pass;
  d.accumulator_half = machine.accumulator.capacity_bytes / 8;
  d.formats.resize(graph.values.size());
  d.maker.assign(graph.values.size(), Demands::kNoMaker);
  d.stage_of.resize(graph.operators.size());
  d.attention_of.resize(graph.operators.size());
  for (std::uint32_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    if (op.output != model::kNoValue) d.maker[op.output] = i;
    count_operator(d, op);
    if (op.kind == OperatorKind::attention) d.attention_of[i] = count_attention(d, op.attention);
  }
  if (d.attentions.empty()) d.attentions.emplace_back();
  for (std::uint32_t s = 0; s < d.stages.size(); ++s) {
    for (const std::uint32_t i : d.stages[s].operators) d.stage_of[i] = s;
    if (d.stages[s].kind != Stage::Kind::gated) continue;
    const Operator& last = graph.operators[d.stages[s].operators.back()];
    d.gated_columns = std::max(d.gated_columns, last.output_columns);
    d.gated_in_blocks = d.gated_in_blocks && !d.formats[last.output].has(Format::f32);
    for (const std::uint32_t reader : graph.readers(last.output)) {
      const model::Weight* w = graph.operators[reader].weight;
      if (w != nullptr) d.gated_cut = std::max(d.gated_cut, cut_elements(w->format));
    }
  }
  return d;
}

}  // namespace tokencycle::compiler
