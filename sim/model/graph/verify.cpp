// SPDX-License-Identifier: Apache-2.0
// What every graph must hold to, whichever builder made it.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "model/graph/graph.h"

namespace tokencycle::model {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), made_(graph.values.size(), false) {
    for (std::size_t v = 0; v < graph.values.size(); ++v)
      made_[v] = graph.values[v].kind != ValueKind::activation;
  }

  void run() {
    for (const Operator& op : graph_.operators) check(op);
    if (graph_.result == kNoValue || !made_.at(graph_.result)) throw ModelError("graph: there is no result");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw ModelError(
        fmt::format("graph: operator '{}' ({}): {}; this is a fault in the builder of the architecture",
                    op_->name, name_of(op_->kind), message));
  }
  void need(bool holds, const std::string& message) const {
    if (!holds) fail(message);
  }
  void same(std::uint64_t a, std::uint64_t b, std::string_view what) const {
    if (a != b) fail(fmt::format("{}: {} against {}", what, a, b));
  }
  const Value& in(std::size_t i) const { return graph_.values[op_->inputs[i]]; }

  void check(const Operator& op) {
    op_ = &op;
    static constexpr std::size_t kInputs[kOperatorKinds] = {
        1, 1, 1, 1, 1, 2, 2, 2, 3, 1, 1, 2, 1, 2, 2, 2, 1, 6, 1, 2, 1, 1, 2, 1, 2, 1};  // by OperatorKind
    same(op.inputs.size(), kInputs[static_cast<std::size_t>(op.kind)], "number of inputs");
    for (const ValueId v : op.inputs) {
      need(v < made_.size() && made_[v], "reads a value that no operator before it makes");
    }
    check_kind();
    if (op.kind == OperatorKind::append) {
      need(op.output == kNoValue, "leaves a value beside its state");
      return;
    }
    need(op.output < made_.size() && !made_[op.output], "makes no value, or one that is there already");
    const Value& out = graph_.values[op.output];
    same(out.cols, op.output_columns, "columns of its result");
    need(out.rows == in(0).rows || (in(0).rows == RowsOf::tokens && out.rows == RowsOf::outputs),
         "has rows that its input does not have");
    made_[op.output] = true;
  }

  // Places below the columns of what the top_k looked at, or of the number of matrices.
  void need_places(const Operator& op) const {
    const ValueId places = op.inputs.back();
    const auto made = std::find_if(graph_.operators.begin(), graph_.operators.end(),
                                   [&](const Operator& o) { return o.output == places; });
    need(made != graph_.operators.end() && made->kind == OperatorKind::top_k, "takes places of a top_k");
    const std::uint32_t most = graph_.values[made->inputs[0]].cols;
    const std::uint32_t held = op.kind == OperatorKind::take       ? in(0).cols
                               : op.kind == OperatorKind::take_row ? op.weight->cols
                                                                   : op.weight->experts;
    same(most, held, "what the places are of");
    need(in(0).rows == graph_.values[places].rows, "combines different rows");
  }

  void check_kind() const {
    const Operator& op = *op_;
    switch (op.kind) {
      case OperatorKind::gather_rows:
      case OperatorKind::position_rows:
        need(in(0).kind == ValueKind::input && op.weight != nullptr, "takes ids and a table");
        return same(op.weight->cols, op.output_columns, "columns of the table");
      case OperatorKind::read_rows:
        need(in(0).kind == ValueKind::input && in(0).format == Format::f32,
             "reads what is no row of the host");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::linear:
        need(op.weight != nullptr, "has no weight");
        same(op.weight->cols, in(0).cols, "columns of weight and input");
        need(in(0).kind != ValueKind::input || in(0).format == activation_format(op.weight->format),
             "reads rows in a format that its weight does not meet");
        if (op.bias != nullptr) same(op.bias->cols, op.weight->rows, "columns of the bias");
        return same(op.weight->rows, op.output_columns, "rows of the weight");
      case OperatorKind::norm:
        need(op.norm.columns != 0 && (op.weight != nullptr || op.norm.kind == NormKind::rms), "has no gain");
        if (op.weight != nullptr) same(op.weight->cols, op.norm.columns, "columns of the gain");
        need((op.bias != nullptr) == (op.norm.kind == NormKind::layer), "has a bias that its kind has not");
        if (op.bias != nullptr) same(op.bias->cols, op.norm.columns, "columns of the bias");
        same(in(0).cols % op.norm.columns, 0, "columns that no group holds");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::zip:
        need(in(0).rows == in(1).rows, "combines different rows");
        same(in(0).cols, in(1).cols, "columns of its inputs");
        [[fallthrough]];
      case OperatorKind::map:
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::rotary:
        need(in(1).kind == ValueKind::constant && op.rotary.head != 0, "takes rows and a table");
        same(in(1).cols, op.rotary.rotate, "columns of the table");
        need(op.rotary.rotate % 2 == 0 && op.rotary.rotate <= op.rotary.head, "rotates no such part");
        same(in(0).cols % op.rotary.head, 0, "columns that no head holds");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::append:
        need(in(1).kind == ValueKind::state && in(1).rows == RowsOf::positions, "writes what is no cache");
        return same(in(0).cols, in(1).cols, "columns of state and input");
      case OperatorKind::attention: {
        const AttentionShape& a = op.attention;
        need(in(1).kind == ValueKind::state && in(2).kind == ValueKind::state, "reads what is no state");
        need(in(1).rows == RowsOf::positions && in(2).rows == RowsOf::positions, "reads what is no cache");
        need(a.kv_heads != 0 && a.heads % a.kv_heads == 0, "shares its key-value heads unevenly");
        const auto kv = std::uint64_t{a.kv_heads} * a.head_dim;
        same(in(0).cols, std::uint64_t{a.heads} * a.head_dim, "columns of the queries");
        same(in(1).cols, kv, "columns of the keys");
        same(in(2).cols, kv, "columns of the values");
        if (op.weight != nullptr) {
          need(op.weight->format == Format::f32, "has sinks in another format than f32");
          need(a.scale == 1.0f && a.cap == 0.0f, "scales or caps scores beside sinks");
          same(op.weight->cols, a.heads, "sinks and query heads");
        }
        need(a.causal || (a.window == 0 && op.weight == nullptr), "has a window or sinks, and is not causal");
        if (a.value_dim != 0) {
          need(op.inputs[1] == op.inputs[2] && a.kv_heads == 1, "has values that are no part of its keys");
          need(a.value_dim <= a.head_dim && a.window == 0, "has no such part of its keys");
        }
        return same(std::uint64_t{a.heads} * a.result_dim(), op.output_columns, "columns of the result");
      }
      case OperatorKind::softmax:
      case OperatorKind::normalize:
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::keep_groups:
        need(op.groups.kept != 0 && op.groups.kept <= op.groups.count, "keeps no such number of groups");
        need(in(0).cols % op.groups.count == 0 && in(0).cols / op.groups.count > 1, "has no such groups");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::top_k:
        return need(op.output_columns != 0 && op.output_columns <= in(0).cols,
                    "finds no such number of places");
      case OperatorKind::take:
        need_places(op);
        return same(in(1).cols, op.output_columns, "columns of the places");
      case OperatorKind::take_row:
        need(op.weight != nullptr && op.weight->format == Format::f32, "has no row in f32");
        need_places(op);
        return same(in(0).cols, op.output_columns, "columns of the places");
      case OperatorKind::scale_parts:
        need(in(0).rows == in(1).rows, "combines different rows");
        same(in(0).cols % in(1).cols, 0, "columns that no part holds");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::expert_linear:
        need(op.weight != nullptr, "has no weight");
        need_places(op);
        need(in(0).cols == op.weight->cols || in(0).cols == std::uint64_t{op.weight->cols} * in(1).cols,
             "takes neither one row for all places nor one for each");
        if (op.bias != nullptr) {
          need(op.bias->format == Format::f32, "has a bias in another format than f32");
          same(op.bias->rows, op.weight->experts, "rows of the bias");
          same(op.bias->cols, op.weight->rows, "columns of the bias");
        }
        return same(std::uint64_t{op.weight->rows} * in(1).cols, op.output_columns, "rows of the weight");
      case OperatorKind::weighted_sum:
        need(in(0).rows == in(1).rows, "combines different rows");
        return same(std::uint64_t{op.output_columns} * in(1).cols, in(0).cols, "columns of the parts");
      case OperatorKind::convolution:
        need(op.weight != nullptr && op.weight->cols > 1, "has no weight");
        need(op.weight->format == Format::f32, "has weights in another format than f32");
        need(in(1).kind == ValueKind::state && in(1).rows == RowsOf::own, "keeps its rows in no such state");
        need(in(0).rows == RowsOf::tokens, "lacks rows");
        same(in(1).count, op.weight->cols - 1, "rows of the state");
        same(in(1).cols, in(0).cols, "columns of state and input");
        same(op.weight->rows, in(0).cols, "rows of the weight");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::zip_row:
        need(op.weight != nullptr && op.weight->format == Format::f32, "has no row in f32");
        if (op.weight->cols != 1) same(op.weight->cols, in(0).cols, "columns of the row");
        return same(in(0).cols, op.output_columns, "columns of its input");
      case OperatorKind::delta_rule: {
        const DeltaShape& d = op.delta;
        need(d.key_heads != 0 && d.dim != 0 && d.heads % d.key_heads == 0, "shares its key heads unevenly");
        need(in(5).kind == ValueKind::state && in(5).rows == RowsOf::own, "keeps its rows in no such state");
        for (std::size_t i = 0; i < 5; ++i) {
          need(in(i).rows == RowsOf::tokens, "lacks rows");
          const std::uint32_t heads = i < 2 ? d.key_heads : d.heads;
          same(in(i).cols, std::uint64_t{heads} * (i < 3 ? d.dim : 1), "columns of an input");
        }
        same(in(5).count, std::uint64_t{d.heads} * d.dim, "rows of the state");
        same(in(5).cols, d.dim, "columns of the state");
        return same(in(2).cols, op.output_columns, "columns of the values");
      }
      case OperatorKind::cell: {
        const CellShape& c = op.cell;
        const std::uint64_t gates = std::uint64_t{c.gates()} * c.width;
        need(op.weight != nullptr, "has no weight");
        need((op.bias != nullptr) == (c.kind == CellKind::gru), "has a bias that its kind has not");
        need(in(0).rows == RowsOf::tokens, "lacks rows");
        need(in(1).kind == ValueKind::state && in(1).rows == RowsOf::own, "keeps its rows in no such state");
        same(in(0).cols, gates, "columns of its input");
        same(op.weight->rows, gates, "rows of the weight");
        same(op.weight->cols, c.width, "columns of the weight");
        if (op.bias != nullptr) {
          need(op.bias->format == Format::f32, "has a bias in another format than f32");
          same(op.bias->cols, gates, "columns of the bias");
        }
        same(in(1).count, c.state_rows(), "rows of the state");
        same(in(1).cols, c.width, "columns of the state");
        return same(c.width, op.output_columns, "columns of the result");
      }
      case OperatorKind::join: {
        const ColumnsShape& c = op.columns;
        need(in(0).rows == in(1).rows, "combines different rows");
        need(c.first != 0 && c.count != 0 && in(0).cols % c.first == 0, "has columns in no group");
        same(c.group, std::uint64_t{c.first} + c.count, "columns of a group");
        same(std::uint64_t{in(0).cols / c.first} * c.count, in(1).cols, "groups of its inputs");
        return same(std::uint64_t{in(0).cols} + in(1).cols, op.output_columns, "columns of its inputs");
      }
      case OperatorKind::part_linear:
        need(op.weight != nullptr, "has no weight");
        same(std::uint64_t{op.weight->cols} * op.weight->experts, in(0).cols, "columns of weight and input");
        return same(std::uint64_t{op.weight->rows} * op.weight->experts, op.output_columns,
                    "rows of the weight");
      case OperatorKind::columns: {
        const ColumnsShape& c = op.columns;
        need(c.group != 0 && in(0).cols % c.group == 0, "has columns in no group");
        need(c.count != 0 && std::uint64_t{c.first} + c.count <= c.group, "takes columns that no group has");
        return same(in(0).cols / c.group * c.count, op.output_columns, "columns of the groups");
      }
    }
  }

  const Graph& graph_;
  std::vector<bool> made_;
  const Operator* op_ = nullptr;
};

}  // namespace

void verify(const Graph& graph) {
  Verifier(graph).run();
}

void check_cache(const Graph& graph, Format kv_format) {
  for (const Operator& op : graph.operators) {
    if (op.kind != OperatorKind::attention) continue;
    const std::uint32_t block = block_elements(kv_format), keys = op.attention.head_dim;
    const std::uint32_t head = keys % block == 0 ? op.attention.result_dim() : keys;
    if (head % block == 0) continue;
    throw ConfigurationError(
        fmt::format("a KV cache in {} has blocks of {} numbers, and a head of operator '{}' has {}; choose "
                    "another format of the KV cache (--kv-type), as f16",
                    name_of(kv_format), block, op.name, head));
  }
}

}  // namespace tokencycle::model
