// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/fuse.h"

#include <algorithm>
#include <optional>

namespace tokencycle::compiler {
namespace {

using model::Graph;
using model::Operator;
using model::OperatorKind;
using model::ValueId;

Stage::Kind kind_of(const Operator& op) {
  switch (op.kind) {
    case OperatorKind::gather_rows:
      return Stage::Kind::gather;
    case OperatorKind::position_rows:
      return Stage::Kind::positions;
    case OperatorKind::read_rows:
      return Stage::Kind::read;
    case OperatorKind::linear:
      return Stage::Kind::linear;
    case OperatorKind::norm:
      return Stage::Kind::norm;
    case OperatorKind::map:
      return Stage::Kind::map;
    case OperatorKind::zip:
      return Stage::Kind::zip;
    case OperatorKind::rotary:
      return Stage::Kind::rotary;
    case OperatorKind::append:
      return Stage::Kind::append;
    case OperatorKind::softmax:
    case OperatorKind::top_k:
    case OperatorKind::take:
    case OperatorKind::normalize:
    case OperatorKind::keep_groups:
    case OperatorKind::take_row:
    case OperatorKind::scale_parts:
    case OperatorKind::weighted_sum:
    case OperatorKind::zip_row:
    case OperatorKind::columns:
    case OperatorKind::join:
      return Stage::Kind::row;
    case OperatorKind::part_linear:
      return Stage::Kind::parts;
    case OperatorKind::expert_linear:
      return Stage::Kind::experts;
    case OperatorKind::convolution:
    case OperatorKind::delta_rule:
    case OperatorKind::cell:
      return Stage::Kind::recurrent;
    case OperatorKind::attention:
      break;
  }
  return Stage::Kind::attention;
}

// Rewrites a list of stages. A rule looks at one stage and takes others into it.
class Fuser {
 public:
  explicit Fuser(const Graph& graph) : graph_(graph), maker_(graph.values.size(), kNone) {
    readers_.resize(graph.values.size());
    for (std::uint32_t i = 0; i < graph.operators.size(); ++i) {
      const Operator& op = graph.operators[i];
      for (const ValueId v : op.inputs) readers_[v].push_back(i);
      if (op.output != model::kNoValue) maker_[op.output] = i;
      stages_.push_back({kind_of(op), {i}});
      stage_of_.push_back(i);
    }
  }

  // The result goes to DRAM: its functions are applied to the sums on their way there. No rule, since no
  // buffer could hold a row of logits.
  void result_functions() {
    std::vector<std::uint32_t> functions;
    std::uint32_t made = maker_[graph_.result];
    for (; is(made, OperatorKind::map); made = maker_[op(made).inputs[0]]) functions.push_back(made);
    if (!is(made, OperatorKind::linear)) return;
    for (const std::uint32_t i : functions) take(stages_[stage_of_[made]], i);
    sweep();
  }

  // The sum's other operand must be there before the product: it is made by an earlier operator.
  void residual_sink() {
    for (Stage& s : stages_) {
      if (s.kind != Stage::Kind::linear || s.operators.size() != 1) continue;
      const std::uint32_t linear = s.operators[0];
      if (op(linear).bias != nullptr) continue;
      const std::optional<std::uint32_t> add = only_reader(linear);
      if (!add || op(*add).kind != OperatorKind::zip || op(*add).zip != model::ZipFunction::add) continue;
      const std::vector<ValueId>& inputs = op(*add).inputs;
      const ValueId other = inputs[0] == op(linear).output ? inputs[1] : inputs[0];
      // Nor may the product still read what its first sums have been added to.
      if (maker_[other] == kNone || maker_[other] >= linear || other == op(linear).inputs[0]) continue;
      const auto late = [&](std::uint32_t reader) { return reader > linear && reader != *add; };
      if (std::any_of(readers_[other].begin(), readers_[other].end(), late)) continue;
      take(s, *add);
    }
    sweep();
  }

  void gated_blocks() {
    for (Stage& s : stages_) {
      if (s.kind != Stage::Kind::zip || op(s.operators[0]).zip != model::ZipFunction::mul) continue;
      const Operator& mul = op(s.operators[0]);
      const std::uint32_t map = maker_[mul.inputs[0]], up = maker_[mul.inputs[1]];
      if (!is(map, OperatorKind::map) || !is(up, OperatorKind::linear)) continue;
      const std::uint32_t gate = maker_[op(map).inputs[0]];
      const std::optional<std::uint32_t> down = only_reader(s.operators[0]);
      if (!is(gate, OperatorKind::linear) || op(gate).inputs != op(up).inputs) continue;
      if (!down || !is(*down, OperatorKind::linear) || op(gate).bias != nullptr || op(up).bias != nullptr)
        continue;
      if (!only_reader(gate) || !only_reader(map) || !only_reader(up)) continue;
      for (const std::uint32_t i : {gate, up, map}) take(s, i);
      s.kind = Stage::Kind::gated;
    }
    sweep();
  }

  void rotary_group() {
    for (std::size_t i = 0; i + 1 < stages_.size(); ++i) {
      Stage& s = stages_[i];
      for (std::size_t j = i + 1; j < stages_.size() && s.kind == Stage::Kind::rotary; ++j) {
        const Stage& next = stages_[j];
        if (next.kind != Stage::Kind::rotary || next.operators.empty()) break;
        const Operator &a = op(s.operators[0]), &b = op(next.operators[0]);
        if (a.inputs[1] != b.inputs[1] || op(s.operators.back()).output == b.inputs[0]) break;
        take(s, next.operators[0]);
      }
    }
    sweep();
  }

  // Into the attention that reads the states.
  void append_attention() {
    for (Stage& s : stages_) {
      if (s.kind != Stage::Kind::attention) continue;
      const std::uint32_t attention = s.operators[0];
      std::vector<std::uint32_t> appends;
      const std::vector<ValueId>& inputs = op(attention).inputs;
      const std::size_t states = inputs[1] == inputs[2] ? 1 : 2;
      for (std::size_t side = 1; side <= states; ++side) {
        for (const std::uint32_t reader : readers_[inputs[side]]) {
          const bool taken = stages_[stage_of_[reader]].operators.empty();  // by an attention before this one
          if (is(reader, OperatorKind::append) && reader < attention && !taken) appends.push_back(reader);
        }
      }
      if (appends.size() != states) continue;  // all or none: both states are read in the same way
      for (const std::uint32_t append : appends) take(s, append);
    }
    sweep();
  }

  std::vector<Stage> result() { return std::move(stages_); }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffffu;

  const Operator& op(std::uint32_t i) const { return graph_.operators[i]; }
  bool is(std::uint32_t i, OperatorKind kind) const { return i != kNone && op(i).kind == kind; }
  std::optional<std::uint32_t> only_reader(std::uint32_t i) const {
    const ValueId value = op(i).output;
    if (readers_[value].size() != 1 || value == graph_.result) return std::nullopt;
    return readers_[value][0];
  }

  // Moves operator `i`, which is alone in its stage, into `into`.
  void take(Stage& into, std::uint32_t i) {
    stages_[stage_of_[i]].operators.clear();
    into.operators.push_back(i);
    std::sort(into.operators.begin(), into.operators.end());
  }
  void sweep() {
    std::erase_if(stages_, [](const Stage& s) { return s.operators.empty(); });
    for (std::uint32_t s = 0; s < stages_.size(); ++s) {
      for (const std::uint32_t i : stages_[s].operators) stage_of_[i] = s;
    }
  }

  const Graph& graph_;
  std::vector<std::uint32_t> maker_;                 // by value: the operator that makes it
  std::vector<std::vector<std::uint32_t>> readers_;  // by value
  std::vector<Stage> stages_;
  std::vector<std::uint32_t> stage_of_;  // by operator, as of the last sweep
};

}  // namespace

std::vector<Stage> fuse(const Graph& graph, FusionSet rules) {
  Fuser fuser(graph);
  fuser.result_functions();
  if (rules.has(Fusion::residual_sink)) fuser.residual_sink();
  if (rules.has(Fusion::gated_blocks)) fuser.gated_blocks();
  if (rules.has(Fusion::rotary_group)) fuser.rotary_group();
  if (rules.has(Fusion::append_attention)) fuser.append_attention();
  return fuser.result();
}

}  // namespace tokencycle::compiler
